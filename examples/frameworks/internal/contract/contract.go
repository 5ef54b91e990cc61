// Package contract is what every framework of this module must do with the same two routes: GET /me for signed-in people,
// GET /admin for admins of the active organization. Both respond with the user's ID.
package contract

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// Ada is an admin of the active organization, Grace a member.
var (
	Ada   = clerktest.Claims{Subject: "user_ada", Organization: clerkauth.Organization{ID: "org_a", Slug: "acme", Role: "org:admin"}}
	Grace = clerktest.Claims{Subject: "user_grace", Organization: clerkauth.Organization{ID: "org_a", Slug: "acme", Role: "org:member"}}
)

// App is an instance, and an Authenticator for it. Its keys have not been loaded yet.
func App(t *testing.T, change func(*clerkauth.Config)) (*clerktest.Instance, *clerkauth.Authenticator) {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{})
	cfg := clerk.Config()
	cfg.Logger = slog.New(slog.DiscardHandler)
	if change != nil {
		change(&cfg)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return clerk, auth
}

// Get requests a path with a token, or without one, in memory.
func Get(ctx context.Context, app http.Handler, path, token string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	return w
}

// Run requests everything that the routes must distinguish: 8 requests, of which 2 have no token, 3 are signed in and 1 is
// sent while the keys cannot be fetched.
func Run(t *testing.T, routes func(*clerkauth.Authenticator) http.Handler, change func(*clerkauth.Config)) {
	t.Helper()
	clerk, auth := App(t, change)
	down, cut := App(t, change)
	down.Fault(clerktest.BackendJWKS, clerktest.Down)
	up, out := routes(auth), routes(cut)
	otherOrigin := Ada
	otherOrigin.AuthorizedParty = "https://blog.example.com"
	tests := []struct {
		name        string
		app         http.Handler
		path, token string
		status      int
		want        string // in the body
	}{
		{"nobody", up, "/me", "", http.StatusUnauthorized, string(clerkauth.ReasonSessionTokenAndUATMissing)},
		{"nobody as admin", up, "/admin", "", http.StatusUnauthorized, string(clerkauth.ReasonSessionTokenAndUATMissing)},
		{"token of another origin", up, "/me", clerk.Token(otherOrigin), http.StatusUnauthorized, string(clerkauth.ReasonTokenInvalidParties)},
		{"forged", up, "/admin", clerk.Forge(Ada), http.StatusUnauthorized, string(clerkauth.ReasonTokenSignature)},
		{"member", up, "/me", clerk.Token(Grace), http.StatusOK, Grace.Subject},
		{"member as admin", up, "/admin", clerk.Token(Grace), http.StatusForbidden, "role org:admin"},
		{"admin", up, "/admin", clerk.Token(Ada), http.StatusOK, Ada.Subject},
		{"no keys", out, "/me", down.Token(Ada), http.StatusServiceUnavailable, string(clerkauth.ReasonKeysUnavailable)},
	}
	for _, tt := range tests {
		w := Get(t.Context(), tt.app, tt.path, tt.token)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: %d with %q, want %d with %q", tt.name, w.Code, w.Body, tt.status, tt.want)
		}
		if tt.status != http.StatusOK && strings.Contains(w.Body.String(), "user_") {
			t.Errorf("%s: the handler has answered: %q", tt.name, w.Body)
		}
	}
}
