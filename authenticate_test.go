package clerkauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestPendingSession(t *testing.T) {
	a := harness.NewApp(t)
	allowing := harness.NewAppOf(t, a.Clerk, func(c *clerkauth.Config) { c.AllowPending = true })
	token := a.Clerk.Token(clerktest.Claims{Pending: true, Subject: "user_new"})
	for source, carry := range map[string]harness.Edit{"bearer": harness.WithBearer(token), "cookie": a.WithCookies(token)} {
		state := a.AuthenticateRequest(harness.Request("GET", "/", carry))
		if got := harness.Reason(t, state); got != clerkauth.ReasonSessionPending {
			t.Errorf("%s: got %q, want %q", source, got, clerkauth.ReasonSessionPending)
		}
		if p := state.Pending; p == nil || p.UserID != "user_new" || !p.Pending {
			t.Errorf("%s: got Pending %+v, want the session", source, p)
		}
		if w := harness.Serve(a.Optional(harness.Greet), harness.Request("GET", "/", carry)); w.Body.String() != harness.Stranger {
			t.Errorf("%s: FromContext finds a pending session: got %q, want nobody", source, w.Body)
		}
		state = allowing.AuthenticateRequest(harness.Request("GET", "/", carry))
		if got := harness.Reason(t, state); got != "" || !state.Session.Pending || state.Pending != nil {
			t.Errorf("%s with AllowPending: got %q, session %+v; want signed in with Pending set", source, got, state.Session)
		}
	}
	if _, err := a.VerifyToken(t.Context(), token); err == nil || harness.ReasonOf(t, err) != clerkauth.ReasonSessionPending {
		t.Errorf("VerifyToken: got %v, want %q", err, clerkauth.ReasonSessionPending)
	}
	if s, err := allowing.VerifyToken(t.Context(), token); err != nil || !s.Pending {
		t.Errorf("VerifyToken with AllowPending: got %+v, %v; want the session", s, err)
	}
	// A token that is wrong in another way names no session, pending or not.
	expired := a.Clerk.Token(clerktest.Claims{Pending: true, ExpiresAt: harness.Noon.Add(-time.Hour)})
	if state := a.AuthenticateRequest(harness.Request("GET", "/", harness.WithBearer(expired))); harness.Reason(t, state) != clerkauth.ReasonTokenExpired || state.Pending != nil {
		t.Errorf("expired and pending: got %v with %+v, want %q and no session", state.Err, state.Pending, clerkauth.ReasonTokenExpired)
	}
}

func TestObserveSeesEachDecisionOnce(t *testing.T) {
	a := harness.NewApp(t)
	token := a.Clerk.Token(clerktest.Claims{})
	for name, tc := range map[string]struct {
		ask  func()
		want clerkauth.Event
	}{
		"Optional": {func() {
			harness.Serve(a.Optional(harness.Greet), harness.Request("GET", "/", harness.WithBearer(token)))
		}, clerkauth.Event{Status: clerkauth.StatusSignedIn, Type: clerkauth.SessionToken, TokenSource: clerkauth.TokenSourceBearer}},
		"Require":             {func() { harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", a.WithCookies(token))) }, clerkauth.Event{Status: clerkauth.StatusSignedIn, Type: clerkauth.SessionToken, TokenSource: clerkauth.TokenSourceCookie}},
		"AuthenticateRequest": {func() { a.AuthenticateRequest(harness.Request("GET", "/")) }, clerkauth.Event{Reason: clerkauth.ReasonSessionTokenAndUATMissing}},
		"refused":             {func() { harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", harness.WithBearer("x"))) }, clerkauth.Event{Reason: clerkauth.ReasonTokenInvalid, Type: clerkauth.SessionToken, TokenSource: clerkauth.TokenSourceBearer}},
		"VerifyToken":         {func() { _, _ = a.VerifyToken(t.Context(), token) }, clerkauth.Event{Status: clerkauth.StatusSignedIn, Type: clerkauth.SessionToken, TokenSource: clerkauth.TokenSourceBearer}},
		"VerifyToken refused": {func() { _, _ = a.VerifyToken(t.Context(), "x") }, clerkauth.Event{Reason: clerkauth.ReasonTokenInvalid, Type: clerkauth.SessionToken, TokenSource: clerkauth.TokenSourceBearer}},
		"two headers": {
			func() {
				harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", harness.With("Authorization", "Bearer x", "Bearer x")))
			},
			clerkauth.Event{Reason: clerkauth.ReasonMultipleAuthorization},
		},
		"cross-origin": {func() {
			harness.Serve(a.Require(harness.Greet), harness.Request("POST", "/", a.WithCookies(token), harness.Headers("Sec-Fetch-Site: same-site")))
		}, clerkauth.Event{Reason: clerkauth.ReasonCrossOriginRequest, Type: clerkauth.SessionToken, TokenSource: clerkauth.TokenSourceCookie}},
	} {
		a.Events()
		tc.ask()
		events := a.Events()
		if len(events) != 1 {
			t.Errorf("%s: %d events, want 1", name, len(events))
			continue
		}
		got := events[0]
		if reason := got.Reason; (got.Err == nil) != (reason == "") || got.Err != nil && harness.ReasonOf(t, got.Err) != reason {
			t.Errorf("%s: got the error %v with the reason %q, want the error's own reason", name, got.Err, reason)
		}
		got.CacheHit, got.Err = false, nil
		if got != tc.want {
			t.Errorf("%s: got %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestErrorHandlerReplacesTheAnswer(t *testing.T) {
	var seen *clerkauth.Error
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
			seen = err
			if state, ok := clerkauth.StateFromContext(r.Context()); !ok || !errors.Is(state.Err, err) {
				t.Error("the decision is not in the request's context")
			}
			if len(w.Header()) > 0 {
				t.Errorf("got the header %v before ErrorHandler runs, want none", w.Header())
			}
			if r.Header.Get("X-Default") != "" {
				clerkauth.DefaultErrorHandler(w, r, err)
				return
			}
			http.Error(w, "go away", http.StatusTeapot)
		}
	})
	if w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", harness.WithBearer("x"))); w.Code != http.StatusTeapot || seen.Reason != clerkauth.ReasonTokenInvalid || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("%d for %v, want the handler's own answer", w.Code, seen)
	}
	if w := harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", harness.Headers("X-Default: 1"))); w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("got %d, want DefaultErrorHandler's", w.Code)
	}
	seen = nil
	if harness.Serve(a.Optional(harness.Greet), harness.Request("GET", "/", harness.WithBearer("x"))); seen != nil {
		t.Error("Optional called ErrorHandler")
	}
	if harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", a.SignedIn())); seen != nil {
		t.Error("ErrorHandler was called for somebody signed in")
	}
}

// Tests, and servers other than net/http's, pass odd requests to handlers. They are refused, and nothing else happens.
func TestOddRequestsDoNotPanic(t *testing.T) {
	a := harness.NewApp(t, harness.SignIn, harness.ManyParties)
	for name, r := range map[string]*http.Request{
		"empty header": {Method: "GET", URL: harness.Request("GET", "/").URL, Header: http.Header{}},
		"no header":    {Method: "POST", URL: harness.Request("GET", "/").URL},
		"no method":    {URL: harness.Request("GET", "/").URL, Header: http.Header{"Accept": {"text/html"}}},
		"nil values":   {Method: "GET", URL: harness.Request("GET", "/").URL, Header: http.Header{"Authorization": nil, "Cookie": nil, "Accept": nil, "Origin": nil}},
		"no values":    {Method: "POST", URL: harness.Request("GET", "/").URL, Header: http.Header{"Authorization": {}, "Cookie": {}, "Origin": {}, "Sec-Fetch-Site": {}}},
		"no path":      harness.Request("GET", "https://example.com", harness.With("Accept", "text/html"), func(r *http.Request) { r.URL.Path, r.RequestURI = "", "" }),
		"asterisk":     harness.Request("OPTIONS", "*", harness.With("Accept", "text/html")),
		"authority":    harness.Request("CONNECT", "example.com:443", harness.With("Accept", "text/html")),
	} {
		w := httptest.NewRecorder()
		a.Require(harness.Greet).ServeHTTP(w, r)
		if w.Code != 401 && w.Code != 302 {
			t.Errorf("%s: got %d, want 401 or the way to sign in", name, w.Code)
		}
	}
}
