package clerkauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestPendingSession(t *testing.T) {
	a := newApp(t)
	allowing := newAppOf(t, a.clerk, func(c *clerkauth.Config) { c.AllowPending = true })
	token := a.clerk.Token(clerktest.Claims{Pending: true, Subject: "user_new"})
	for carrier, carry := range map[string]edit{"bearer": withBearer(token), "cookie": a.withCookies(token)} {
		state := a.AuthenticateRequest(asking("GET", "/", carry))
		if got := reasonOf(t, state); got != clerkauth.ReasonSessionPending {
			t.Errorf("%s: %q, want %q", carrier, got, clerkauth.ReasonSessionPending)
		}
		if p := state.Pending; p == nil || p.UserID != "user_new" || !p.Pending {
			t.Errorf("%s: Pending is %+v, want the session", carrier, p)
		}
		if w := serve(a.Optional(greet), asking("GET", "/", carry)); w.Body.String() != stranger {
			t.Errorf("%s: FromContext finds a pending session: %q", carrier, w.Body)
		}
		state = allowing.AuthenticateRequest(asking("GET", "/", carry))
		if got := reasonOf(t, state); got != "" || !state.Session.Pending || state.Pending != nil {
			t.Errorf("%s with AllowPending: %q, session %+v, want signed in, and to be seen as pending", carrier, got, state.Session)
		}
	}
	if _, err := a.VerifyToken(t.Context(), token); err == nil || reasonOfError(t, err) != clerkauth.ReasonSessionPending {
		t.Errorf("VerifyToken: %v, want %q", err, clerkauth.ReasonSessionPending)
	}
	if s, err := allowing.VerifyToken(t.Context(), token); err != nil || !s.Pending {
		t.Errorf("VerifyToken with AllowPending: %+v, %v; want the session", s, err)
	}
	// A token that is wrong in another way names no session, pending or not.
	expired := a.clerk.Token(clerktest.Claims{Pending: true, ExpiresAt: noon.Add(-time.Hour)})
	if state := a.AuthenticateRequest(asking("GET", "/", withBearer(expired))); reasonOf(t, state) != clerkauth.ReasonTokenExpired || state.Pending != nil {
		t.Errorf("expired and pending: %v with %+v, want %q and no session", state.Err, state.Pending, clerkauth.ReasonTokenExpired)
	}
}

func TestObserveSeesEachDecisionOnce(t *testing.T) {
	a := newApp(t)
	token := a.clerk.Token(clerktest.Claims{})
	for name, tc := range map[string]struct {
		ask  func()
		want clerkauth.Event
	}{
		"Optional":            {func() { serve(a.Optional(greet), asking("GET", "/", withBearer(token))) }, clerkauth.Event{Status: clerkauth.SignedIn, Carrier: clerkauth.CarrierBearer}},
		"Require":             {func() { serve(a.Require(greet), asking("GET", "/", a.withCookies(token))) }, clerkauth.Event{Status: clerkauth.SignedIn, Carrier: clerkauth.CarrierCookie}},
		"AuthenticateRequest": {func() { a.AuthenticateRequest(asking("GET", "/")) }, clerkauth.Event{Reason: clerkauth.ReasonSessionTokenAndUATMissing}},
		"refused":             {func() { serve(a.Require(greet), asking("GET", "/", withBearer("x"))) }, clerkauth.Event{Reason: clerkauth.ReasonTokenInvalid, Carrier: clerkauth.CarrierBearer}},
		"VerifyToken":         {func() { _, _ = a.VerifyToken(t.Context(), token) }, clerkauth.Event{Status: clerkauth.SignedIn, Carrier: clerkauth.CarrierBearer}},
		"VerifyToken refused": {func() { _, _ = a.VerifyToken(t.Context(), "x") }, clerkauth.Event{Reason: clerkauth.ReasonTokenInvalid, Carrier: clerkauth.CarrierBearer}},
		"two headers": {
			func() { serve(a.Require(greet), asking("GET", "/", with("Authorization", "Bearer x", "Bearer x"))) },
			clerkauth.Event{Reason: clerkauth.ReasonMultipleAuthorization},
		},
		"cross-origin": {func() {
			serve(a.Require(greet), asking("POST", "/", a.withCookies(token), headers("Sec-Fetch-Site: same-site")))
		}, clerkauth.Event{Reason: clerkauth.ReasonCrossOriginRequest, Carrier: clerkauth.CarrierCookie}},
	} {
		a.events()
		tc.ask()
		events := a.events()
		if len(events) != 1 {
			t.Errorf("%s: %d events, want 1", name, len(events))
			continue
		}
		got := events[0]
		if (got.Err != nil) != (got.Reason != "") {
			t.Errorf("%s: error %v beside the reason %q", name, got.Err, got.Reason)
		}
		got.CacheHit, got.Err = false, nil
		if got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestErrorHandlerReplacesTheAnswer(t *testing.T) {
	var seen *clerkauth.Error
	a := newApp(t, func(c *clerkauth.Config) {
		c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
			seen = err
			if state, ok := clerkauth.StateFromContext(r.Context()); !ok || !errors.Is(state.Err, err) {
				t.Error("the decision is not in the request's context")
			}
			if len(w.Header()) > 0 {
				t.Errorf("header %v was set before", w.Header())
			}
			if r.Header.Get("X-Default") != "" {
				clerkauth.DefaultErrorHandler(w, r, err)
				return
			}
			http.Error(w, "go away", http.StatusTeapot)
		}
	})
	if w := serve(a.Require(greet), asking("GET", "/", withBearer("x"))); w.Code != http.StatusTeapot || seen.Reason != clerkauth.ReasonTokenInvalid || w.Header().Get("WWW-Authenticate") != "" {
		t.Errorf("%d for %v, want the handler's own answer", w.Code, seen)
	}
	if w := serve(a.Require(greet), asking("GET", "/", headers("X-Default: 1"))); w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("%d, want DefaultErrorHandler's", w.Code)
	}
	seen = nil
	if serve(a.Optional(greet), asking("GET", "/", withBearer("x"))); seen != nil {
		t.Error("Optional called ErrorHandler")
	}
	if serve(a.Require(greet), asking("GET", "/", a.signedIn())); seen != nil {
		t.Error("ErrorHandler was called for somebody signed in")
	}
}

// Odd requests reach handlers, from tests and from other servers than net/http's: they are refused, no more.
func TestOddRequestsDoNotPanic(t *testing.T) {
	a := newApp(t, signIn, doorConfig)
	for name, r := range map[string]*http.Request{
		"empty header": {Method: "GET", URL: asking("GET", "/").URL, Header: http.Header{}},
		"no header":    {Method: "POST", URL: asking("GET", "/").URL},
		"no method":    {URL: asking("GET", "/").URL, Header: http.Header{"Accept": {"text/html"}}},
		"nil values":   {Method: "GET", URL: asking("GET", "/").URL, Header: http.Header{"Authorization": nil, "Cookie": nil, "Accept": nil, "Origin": nil}},
		"no values":    {Method: "POST", URL: asking("GET", "/").URL, Header: http.Header{"Authorization": {}, "Cookie": {}, "Origin": {}, "Sec-Fetch-Site": {}}},
		"no path":      asking("GET", "https://example.com", with("Accept", "text/html"), func(r *http.Request) { r.URL.Path, r.RequestURI = "", "" }),
		"asterisk":     asking("OPTIONS", "*", with("Accept", "text/html")),
		"authority":    asking("CONNECT", "example.com:443", with("Accept", "text/html")),
	} {
		w := httptest.NewRecorder()
		a.Require(greet).ServeHTTP(w, r)
		if w.Code != 401 && w.Code != 302 {
			t.Errorf("%s: %d, want 401 or the way to sign in", name, w.Code)
		}
	}
}
