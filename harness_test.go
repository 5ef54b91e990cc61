package clerkauth_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// app is a Clerk instance and an Authenticator of it, which is observed.
type app struct {
	*clerkauth.Authenticator

	clerk *clerktest.Instance

	mu       sync.Mutex
	observed []clerkauth.Event
}

// newApp is an app at https://example.com with live keys, at noon, with changes to its configuration.
func newApp(t *testing.T, changes ...func(*clerkauth.Config)) *app {
	t.Helper()
	return newAppOf(t, clerktest.New(t, clerktest.Options{Now: func() time.Time { return noon }}), changes...)
}

func newAppOf(t *testing.T, clerk *clerktest.Instance, changes ...func(*clerkauth.Config)) *app {
	t.Helper()
	a := &app{clerk: clerk}
	cfg := clerk.Config()
	cfg.Observe = func(_ context.Context, e clerkauth.Event) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.observed = append(a.observed, e)
	}
	for _, change := range changes {
		change(&cfg)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	a.Authenticator = auth
	return a
}

// events are the decisions since the last call.
func (a *app) events() []clerkauth.Event {
	a.mu.Lock()
	defer a.mu.Unlock()
	events := a.observed
	a.observed = nil
	return events
}

// edit changes a request.
type edit func(*http.Request)

func asking(method, target string, edits ...edit) *http.Request {
	r := httptest.NewRequest(method, target, http.NoBody)
	for _, e := range edits {
		e(r)
	}
	return r
}

// with sets a header to these values, or takes it away if there are none.
func with(name string, values ...string) edit {
	return func(r *http.Request) {
		r.Header.Del(name)
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
}

func withBearer(token string) edit { return with("Authorization", "Bearer "+token) }

// withCookies is what a browser sends that is signed in by token.
func (a *app) withCookies(token string) edit {
	return func(r *http.Request) {
		for _, c := range a.clerk.Cookies(token) {
			r.AddCookie(c)
		}
	}
}

// signedIn is what the browser of an honest user sends.
func (a *app) signedIn() edit { return a.withCookies(a.clerk.Token(clerktest.Claims{})) }

// greet is a handler that tells who is signed in.
var greet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	if session, ok := clerkauth.FromContext(r.Context()); ok {
		_, _ = w.Write([]byte("hello " + session.UserID))
		return
	}
	_, _ = w.Write([]byte("hello nobody"))
})

const (
	welcome  = "hello user_2clerktest"
	stranger = "hello nobody"
)

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// reasonOf is the reason of a decision; empty: signed in. It checks what holds for every decision.
func reasonOf(t *testing.T, s *clerkauth.RequestState) clerkauth.Reason {
	t.Helper()
	if in := s.Status == clerkauth.SignedIn; in != (s.Session != nil) || in != (s.Err == nil) || in != (s.Token() != "") {
		t.Fatalf("contradiction: status %v, session %v, error %v, token %t", s.Status, s.Session, s.Err, s.Token() != "")
	}
	if s.Err == nil {
		return ""
	}
	return reasonOfError(t, s.Err)
}

func reasonOfError(t *testing.T, err error) clerkauth.Reason {
	t.Helper()
	refusal, ok := errors.AsType[*clerkauth.Error](err)
	if !ok || refusal.Reason == "" {
		t.Fatalf("error is %T %v, want a *clerkauth.Error with a reason", err, err)
	}
	return refusal.Reason
}

// logged is everything that was logged.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// pieces are the parts of secrets long enough that none comes about by chance.
func pieces(secrets ...string) []string {
	const length = 12
	var all []string
	for _, s := range secrets {
		for i := 0; i+length <= len(s); i += length {
			all = append(all, s[i:i+length])
		}
	}
	return slices.Compact(all)
}

func leaks(text string, secrets []string) (string, bool) {
	i := slices.IndexFunc(secrets, func(s string) bool { return strings.Contains(text, s) })
	if i < 0 {
		return "", false
	}
	return secrets[i], true
}
