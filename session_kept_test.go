package clerkauth_test

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"testing"
	"weak"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/internal/harness"
)

type attachedKey struct{}

// A session or an error that is kept, as in a cache, keeps neither the request nor its buffer in
// memory.
func TestKeptSessionHoldsNoRequest(t *testing.T) {
	a := harness.NewApp(t)
	// The keys are fetched for another request: a timer for how long one waits for them is removed from the runtime only later.
	harness.Serve(a.Optional(harness.Greet), harness.Request(http.MethodGet, "/", a.SignedIn()))
	var session *clerkauth.Session
	var refusal error
	serve := func() weak.Pointer[[1 << 16]byte] {
		attached := new([1 << 16]byte)
		keep := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if s, ok := clerkauth.FromContext(r.Context()); ok {
				session = s
				return
			}
			state, _ := clerkauth.StateFromContext(r.Context())
			refusal = state.Err
		})
		r := harness.Request(http.MethodGet, "/", a.SignedIn())
		r = r.WithContext(context.WithValue(r.Context(), attachedKey{}, attached))
		harness.Serve(a.Optional(keep), r)
		r.Header.Del("Cookie")
		harness.Serve(a.Optional(keep), r)
		return weak.Make(attached)
	}
	held := serve()
	for tries := 0; held.Value() != nil && tries < 100; tries++ {
		runtime.GC()
	}
	if held.Value() != nil {
		t.Error("a kept session, or a kept error, keeps the context of its request in memory")
	}
	if session == nil || refusal == nil || session.UserID == "" {
		t.Errorf("got the session %v and the error %v, want both", session, refusal)
	}
	runtime.KeepAlive(session)
	runtime.KeepAlive(refusal)
}

// upload is a request's body.
type upload struct{ io.Reader }

func (*upload) Close() error { return nil }

// A job that outlives its request gets the request's context, and with it nothing of the body.
func TestKeptContextHoldsNoBody(t *testing.T) {
	a := harness.NewApp(t)
	harness.Serve(a.Optional(harness.Greet), harness.Request(http.MethodGet, "/", a.SignedIn())) // see TestKeptSessionHoldsNoRequest
	for name, edit := range map[string]harness.Edit{"signed in": a.SignedIn(), "signed out": harness.All()} {
		var kept context.Context
		serve := func() weak.Pointer[upload] {
			body := &upload{http.NoBody}
			r := harness.Request(http.MethodGet, "/", edit)
			r.Body = body
			harness.Serve(a.Optional(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { kept = context.WithoutCancel(r.Context()) })), r)
			return weak.Make(body)
		}
		held := serve()
		for tries := 0; held.Value() != nil && tries < 100; tries++ {
			runtime.GC()
		}
		if held.Value() != nil {
			t.Errorf("%s: a kept context keeps the body of its request in memory", name)
		}
		if _, ok := clerkauth.StateFromContext(kept); !ok {
			t.Errorf("%s: the kept context has no decision, want the request's", name)
		}
	}
}

// All calls within a request, also simultaneous ones, get the same session, and no other request does.
func TestOneSessionForEachRequest(t *testing.T) {
	a := harness.NewApp(t)
	var kept []*clerkauth.Session
	h := a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		found := make([]*clerkauth.Session, 8)
		harness.Together(len(found), func(i int) { found[i], _ = clerkauth.FromContext(r.Context()) })
		state, _ := clerkauth.StateFromContext(r.Context())
		for _, s := range found {
			if s == nil || s != state.Session || s.UserID != "user_2clerktest" {
				t.Errorf("found %p %v, want %p", s, s, state.Session)
			}
		}
		state.Session.UserID = "changed"
		kept = append(kept, state.Session)
	}))
	r := harness.Request(http.MethodGet, "/", a.SignedIn())
	harness.Serve(h, r)
	harness.Serve(h, r)
	if len(kept) != 2 || kept[0] == kept[1] {
		t.Errorf("sessions %p, want two", kept)
	}
}

// A context derived from a decision's context ends with the request's own.
func TestContextOfADecisionEndsWithTheRequest(t *testing.T) {
	a := harness.NewApp(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	h := a.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		derived, stop := context.WithCancel(context.WithValue(r.Context(), attachedKey{}, "here"))
		defer stop()
		cancel(http.ErrAbortHandler)
		<-derived.Done()
		if err := context.Cause(derived); err != http.ErrAbortHandler || derived.Value(attachedKey{}) != "here" { //nolint:errorlint // the very error
			t.Errorf("got the cause %v and the value %v, want the request's own", err, derived.Value(attachedKey{}))
		}
		if s, ok := clerkauth.FromContext(derived); !ok || s.UserID == "" {
			t.Error("no session in the derived context")
		}
	}))
	if w := harness.Serve(h, harness.Request(http.MethodGet, "/", a.SignedIn()).WithContext(ctx)); w.Code != http.StatusOK {
		t.Errorf("status %d, want %d", w.Code, http.StatusOK)
	}
}
