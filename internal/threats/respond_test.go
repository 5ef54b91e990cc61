package threats_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A proxy drops the Set-Cookie of a 304, and the new session with it. A part of another document
// would be worse.
func TestRenewingRequestIsUnconditional(t *testing.T) {
	v := newRenewing(t)
	h := v.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "app.js", harness.Noon, strings.NewReader("export {}"))
	}))
	for name, tt := range map[string]struct {
		conditions []string
		renewed    int
		signedIn   int // status when nothing is renewed
	}{
		"If-None-Match":     {[]string{`If-None-Match: "1"`}, 200, 304},
		"If-Modified-Since": {[]string{"If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT"}, 200, 304},
		"If-Range":          {[]string{`If-Range: "1"`, "Range: bytes=0-1"}, 200, 206},
		"Range":             {[]string{"Range: bytes=0-1"}, 206, 206},
		"If-Match":          {[]string{`If-Match: "2"`}, 412, 412},
	} {
		r := v.asks()
		harness.Headers(tt.conditions...)(r)
		before := r.Header.Clone()
		w := harness.Serve(h, r)
		v.private(t, name, w.Result().Header)
		if w.Code != tt.renewed {
			t.Errorf("%s: got %d, want %d", name, w.Code, tt.renewed)
		}
		if len(r.Header) != len(before) {
			t.Errorf("%s: the caller's request was changed: %v", name, r.Header)
		}
		r = httptest.NewRequest(http.MethodGet, "/assets/app.js", http.NoBody)
		harness.Headers(tt.conditions...)(r)
		if w := harness.Serve(h, r); w.Code != tt.signedIn {
			t.Errorf("%s of a stranger: got %d, want %d", name, w.Code, tt.signedIn)
		}
	}
}

// The party cookie signs nobody in, but must not be cached for others either.
func TestPartyCookieLeavesPrivately(t *testing.T) {
	b := harness.NewApp(t)
	w := harness.Serve(b.Optional(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		cacheable(w.Header())
		_, _ = w.Write([]byte("page"))
	})), b.Page(b.Clerk.Token(clerktest.Claims{})))
	h := w.Result().Header
	if len(harness.SetCookies(&clerkauth.RequestState{Header: h})) != 2 || h.Get("Cache-Control") != "private, no-store" || h.Get("Expires") != "" {
		t.Errorf("header %v, want two cookies and \"private, no-store\"", h)
	}
}

// Neither must a redirect to Clerk, whatever headers the outer middleware sets.
func TestHandshakeLeavesPrivately(t *testing.T) {
	b := harness.NewApp(t)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		cacheable(w.Header())
		b.Require(harness.Greet).ServeHTTP(w, r)
	})
	w := harness.Serve(h, b.Page(b.Expired(clerktest.Claims{})))
	got := w.Result().Header
	if w.Code != http.StatusTemporaryRedirect || !slices.Equal(got["Cache-Control"], []string{"private, no-store"}) || len(got["Set-Cookie"]) != 3 {
		t.Errorf("got %d %v, want 307 with three cookies and \"private, no-store\"", w.Code, got)
	}
	for _, name := range forCaches {
		if got.Get(name) != "" {
			t.Errorf("%s: got %q, want none", name, got.Get(name))
		}
	}
}

// A refusal may set cookies too: a pending session was refreshed. ErrorHandler does not know of it.
func TestRefusalLeavesPrivately(t *testing.T) {
	b := harness.NewApp(t, func(c *clerkauth.Config) {
		c.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, err *clerkauth.Error) {
			cacheable(w.Header())
			w.WriteHeader(err.StatusCode())
		}
	})
	fresh := b.Clerk.Token(clerktest.Claims{Pending: true})
	b.AnswerRefreshes(0, "__session="+fresh+"; Path=/; HttpOnly", "__client_uat=1; Path=/")
	w := harness.Serve(b.Require(harness.Greet), b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie()))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("got %d, want 401", w.Code)
	}
	(&renewing{b, fresh}).private(t, "pending", w.Result().Header)
}

// If a handler sets a cookie of the same name, the handler's counts, as it does without this package.
func TestHandlerHasTheLastWordOnACookie(t *testing.T) {
	v := newRenewing(t)
	w := harness.Serve(v.Optional(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "__session=; Max-Age=0; Path=/") // signs out
		_, _ = w.Write(nil)
	})), v.asks())
	if got := w.Result().Header["Set-Cookie"]; len(got) != 3 || got[2] != "__session=; Max-Age=0; Path=/" {
		t.Errorf("cookies %q, want the handler's last", got)
	}
}

// Code that bypasses the wrapped writer, as some adapters do, finds the header set from the start.
func TestHeaderIsSetFromTheStart(t *testing.T) {
	v := newRenewing(t)
	w := httptest.NewRecorder()
	v.Optional(http.HandlerFunc(func(next http.ResponseWriter, _ *http.Request) {
		v.private(t, "past the writer", w.Header())
		cacheable(w.Header())
		next.WriteHeader(http.StatusEarlyHints)
		v.private(t, "past the writer, after hints", w.Header())
	})).ServeHTTP(w, v.asks())
}

// An informational answer that is not meant for caches has no header of ours.
func TestHintsCarryNothingOfOurs(t *testing.T) {
	v := newRenewing(t)
	w := harness.Serve(v.Optional(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
	})), v.asks())
	if got := w.Result().Header; w.Code != http.StatusEarlyHints || len(got) > 0 { // which the recorder treats as the response
		t.Errorf("got %d with %v, want nothing", w.Code, got)
	}
}

// Where no cookie is set, the handler gets the server's own writer.
func TestWriterIsTheServersOwn(t *testing.T) {
	a := harness.NewApp(t)
	for name, r := range map[string]*http.Request{
		"nobody": harness.Request("GET", "/"), "bearer": harness.Request("GET", "/", harness.WithBearer(a.Clerk.Token(clerktest.Claims{}))),
		"cookies": harness.Request("GET", "/", a.SignedIn(), harness.Headers("Sec-Fetch-Dest: script")),
	} {
		r.Header.Set("If-None-Match", `"1"`)
		w := httptest.NewRecorder()
		ran := false
		a.Optional(a.Optional(http.HandlerFunc(func(got http.ResponseWriter, r *http.Request) {
			ran = true
			if got != http.ResponseWriter(w) {
				t.Errorf("%s: the handler writes to %T, want %T", name, got, http.ResponseWriter(w))
			}
			if r.Header.Get("If-None-Match") == "" {
				t.Errorf("%s: the request's If-None-Match was removed", name)
			}
			w.Header().Set("Cache-Control", "public")
		}))).ServeHTTP(w, r)
		if got := w.Header(); !ran || len(got) != 1 || got.Get("Cache-Control") != "public" {
			t.Errorf("%s: ran %t, header %v, want the handler's alone", name, ran, got)
		}
	}
}

// A caller of AuthenticateRequest gets the same with Respond.
func TestRespond(t *testing.T) {
	v := newRenewing(t)
	for name, handler := range waysOut(t) {
		if name == "panic" || strings.HasPrefix(name, "hints") {
			continue // the recorder does not know informational answers
		}
		w := httptest.NewRecorder()
		r := v.asks()
		state := v.AuthenticateRequest(r)
		next, done := state.Respond(w)
		if again, _ := state.Respond(next); done || next == http.ResponseWriter(w) || again == nil {
			t.Fatalf("%s: Respond returned done %t and %T, want a wrapped writer, also the second time", name, done, next)
		}
		state.Header["Set-Cookie"][0] = "theirs=2"
		state.Header.Del("Set-Cookie")
		handler(next, r)
		_, _ = next.Write(nil)
		v.private(t, name, w.Result().Header)
	}
	for name, state := range map[string]*clerkauth.RequestState{"zero": {}, "nobody": v.AuthenticateRequest(harness.Request("GET", "/"))} {
		w := httptest.NewRecorder()
		if next, done := state.Respond(w); done || next != http.ResponseWriter(w) || len(w.Header()) != 0 {
			t.Errorf("%s: got done %t, %T and header %v, want the writer itself and no header", name, done, next, w.Header())
		}
	}
	w := httptest.NewRecorder()
	state := v.AuthenticateRequest(v.Page(v.Expired(clerktest.Claims{})))
	if _, done := state.Respond(w); !done || w.Code != http.StatusTemporaryRedirect || w.Header().Get("Location") == "" {
		t.Errorf("done %t, %d %v, want the way to Clerk", done, w.Code, w.Header())
	}
}

// The error of a flush that is not supported is returned, and the response is still private.
func TestFlushThatIsNotSupported(t *testing.T) {
	v := newRenewing(t)
	w := httptest.NewRecorder()
	v.Optional(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); !errors.Is(err, http.ErrNotSupported) {
			t.Errorf("flush: got %v, want %v", err, http.ErrNotSupported)
		}
		cacheable(w.Header())
		w.WriteHeader(http.StatusOK)
	})).ServeHTTP(struct{ http.ResponseWriter }{w}, v.asks())
	v.private(t, "after a flush", w.Result().Header)
}

// A writer that has Flush only behind Unwrap is flushed all the same, after its header was made
// private.
func TestFlushThroughUnwrap(t *testing.T) {
	v := newRenewing(t)
	w := httptest.NewRecorder()
	v.Optional(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		cacheable(w.Header())
		if _, ok := w.(http.Flusher); ok {
			t.Error("the wrapped writer is a Flusher, want none as the one below is none")
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Errorf("flush: %v", err)
		}
	})).ServeHTTP(unwrapping{w}, v.asks())
	if !w.Flushed {
		t.Error("the writer below was not flushed")
	}
	v.private(t, "flushed", w.Result().Header)
}

// unwrapping is a writer of other middleware.
type unwrapping struct{ w http.ResponseWriter }

func (u unwrapping) Header() http.Header         { return u.w.Header() }
func (u unwrapping) Write(p []byte) (int, error) { return u.w.Write(p) }
func (u unwrapping) WriteHeader(status int)      { u.w.WriteHeader(status) }
func (u unwrapping) Unwrap() http.ResponseWriter { return u.w }
