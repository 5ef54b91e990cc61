package clerkauth_test

import (
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A request has one identity: the person or machine accepted first no longer counts after another
// decision.
func TestMachineAndSessionAreNeverBoth(t *testing.T) {
	a := harness.NewApp(t)
	key := a.Clerk.APIKey(clerktest.MachineClaims{Subject: "user_2machine"})
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, machine := clerkauth.MachineFromContext(r.Context())
		s, session := clerkauth.FromContext(r.Context())
		if machine && session {
			t.Errorf("one request has two identities: machine %s and a session of %s", m.Subject, s.UserID)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	replaced := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+a.Clerk.Token(clerktest.Claims{}))
			next.ServeHTTP(w, r)
		})
	}
	for name, h := range map[string]http.Handler{
		"Require":  a.Accept(clerkauth.APIKeys())(replaced(a.Require(both))),
		"Optional": a.Accept(clerkauth.APIKeys())(replaced(a.Optional(both))),
		"NewContext": a.Accept(clerkauth.APIKeys())(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			both(w, r.WithContext(clerkauth.NewContext(r.Context(), &clerkauth.Session{UserID: "user_2other"})))
		})),
	} {
		if w := harness.Serve(h, harness.Request(http.MethodGet, "/", harness.WithBearer(key))); w.Code != http.StatusNoContent {
			t.Errorf("%s: got %d, want 204", name, w.Code)
		}
	}
}

// Requests for the proxied Frontend API pass, as with Authorize: there is no session to check.
func TestAcceptLetsTheProxyPass(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.ProxyURL = "https://example.com/__clerk" })
	h := a.Accept(clerkauth.Sessions(clerkauth.Role("org:admin")), clerkauth.APIKeys())(harness.Greet)
	if w := harness.Serve(h, harness.Request(http.MethodGet, "https://example.com/__clerk/v1/client", harness.AsServer)); w.Code != http.StatusOK {
		t.Errorf("got %d, want 200", w.Code)
	}
	if w := harness.Serve(h, harness.Request(http.MethodGet, "https://example.com/admin", harness.AsServer)); w.Code != http.StatusUnauthorized {
		t.Errorf("another path: got %d, want 401", w.Code)
	}
}

// A refused machine is not redirected to the sign-in page: after signing in, it would get the same
// refusal.
func TestMachinesAreNotSentToSignIn(t *testing.T) {
	a := harness.NewApp(t, harness.SignIn)
	page := harness.Request("GET", "https://example.com/", a.SignedIn(), harness.Document)
	if w := harness.Serve(a.Optional(a.Accept(clerkauth.APIKeys())(who(t))), page); w.Code != 401 || w.Header().Get("Location") != "" {
		t.Errorf("signed in, without an API key: got %d to %q, want 401", w.Code, w.Header().Get("Location"))
	}
	page = harness.Request("GET", "https://example.com/", harness.Document)
	if w := harness.Serve(a.Accept(clerkauth.Sessions(), clerkauth.APIKeys())(who(t)), page); w.Code != 302 {
		t.Errorf("where people are accepted: got %d, want the sign-in page", w.Code)
	}
}

// Where people are accepted, a scheme without a token is treated as by Require.
func TestASchemeAloneWherePeopleAreAccepted(t *testing.T) {
	a := harness.NewApp(t)
	for _, edit := range []harness.Edit{harness.All(), a.SignedIn()} {
		w := harness.Serve(a.Accept(clerkauth.Sessions(), clerkauth.APIKeys())(who(t)), harness.Request("GET", "/", edit, harness.With("Authorization", "Bearer")))
		if w.Code != 401 || w.Header().Get("X-Clerk-Auth-Reason") != string(clerkauth.ReasonTokenInvalid) {
			t.Errorf("got %d %v, want 401 with the machine's reason", w.Code, w.Header())
		}
	}
}

// A machine that a test or an interceptor puts into the context is found, but it is no session, and
// Accept ignores it.
func TestNewMachineContext(t *testing.T) {
	a := harness.NewApp(t)
	put := func(m *clerkauth.Machine) harness.Edit {
		return func(r *http.Request) { *r = *r.WithContext(clerkauth.NewMachineContext(r.Context(), m)) }
	}
	person := func(r *http.Request) {
		*r = *r.WithContext(clerkauth.NewContext(r.Context(), a.Clerk.Session(clerktest.Claims{})))
	}
	billing := &clerkauth.Machine{Type: clerkauth.M2MToken, Subject: "mch_billing"}
	for name, tc := range map[string]struct {
		edit harness.Edit
		want string
	}{
		"a machine":                {put(billing), "machine m2m_token mch_billing"},
		"none":                     {put(nil), "nobody"},
		"a machine after a person": {harness.All(person, put(billing)), "machine m2m_token mch_billing"},
		"none after a person":      {harness.All(person, put(nil)), "nobody"},
		"a person after a machine": {harness.All(put(billing), person), "person user_2clerktest"},
		"none after a machine":     {harness.All(put(billing), put(nil)), "nobody"},
	} {
		if w := harness.Serve(who(t), harness.Request("GET", "/", tc.edit)); w.Body.String() != tc.want {
			t.Errorf("%s: got %s, want %s", name, w.Body, tc.want)
		}
		for middleware, h := range map[string]http.Handler{
			"Accept": a.Accept(clerkauth.M2MTokens())(who(t)), "Require": a.Require(who(t)), "both": a.Accept(clerkauth.Sessions(), clerkauth.M2MTokens())(who(t)),
		} {
			if w := harness.Serve(h, harness.Request("GET", "/", tc.edit)); w.Code != 401 {
				t.Errorf("%s: %s: got %d %s, want 401", name, middleware, w.Code, w.Body)
			}
		}
	}
}
