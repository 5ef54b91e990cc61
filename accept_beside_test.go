package clerkauth_test

import (
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// What a request comes to is one thing: who was accepted first is nobody once somebody else was decided about.
func TestMachineAndSessionAreNeverBoth(t *testing.T) {
	a := harness.NewApp(t)
	key := a.Clerk.APIKey(clerktest.MachineClaims{Subject: "user_2machine"})
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m, machine := clerkauth.MachineFromContext(r.Context())
		s, session := clerkauth.FromContext(r.Context())
		if machine && session {
			t.Errorf("a machine %s and a session of %s", m.Subject, s.UserID)
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
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

// Requests for the proxied Frontend API pass, as with Authorize: there is no session that a check could be about.
func TestAcceptLetsTheProxyPass(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.ProxyURL = "https://example.com/__clerk" })
	h := a.Accept(clerkauth.Sessions(clerkauth.Role("org:admin")), clerkauth.APIKeys())(harness.Greet)
	if w := harness.Serve(h, harness.Request(http.MethodGet, "https://example.com/__clerk/v1/client", harness.AsServer)); w.Code != http.StatusOK {
		t.Errorf("%d", w.Code)
	}
	if w := harness.Serve(h, harness.Request(http.MethodGet, "https://example.com/admin", harness.AsServer)); w.Code != http.StatusUnauthorized {
		t.Errorf("another path: %d", w.Code)
	}
}
