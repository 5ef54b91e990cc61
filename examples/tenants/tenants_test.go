package tenants_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/tenants"
)

func tenant(t *testing.T, domain string) (*clerktest.Instance, *clerkauth.Authenticator) {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{Domain: domain})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	return clerk, auth
}

// app says whose it is, and who is signed in.
func app(host string, auth *clerkauth.Authenticator) http.Handler {
	return auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		fmt.Fprintf(w, "%s: %s", host, session.UserID)
	}))
}

func TestEachHostBelievesItsOwnInstance(t *testing.T) {
	acme, acmeAuth := tenant(t, "acme.example")
	zeta, zetaAuth := tenant(t, "zeta.example")
	h, err := tenants.Handler(map[string]*clerkauth.Authenticator{"acme.example": acmeAuth, "zeta.example": zetaAuth}, app)
	if err != nil {
		t.Fatal(err)
	}
	ofAcme, ofZeta := acme.Token(clerktest.Claims{Subject: "user_ada"}), zeta.Token(clerktest.Claims{Subject: "user_grace"})
	tests := []struct {
		name, host, forwarded, token string
		status                       int
		want                         string
	}{
		{"its own token", "acme.example", "", ofAcme, http.StatusOK, "acme.example: user_ada"},
		{"the other's own token", "zeta.example", "", ofZeta, http.StatusOK, "zeta.example: user_grace"},
		{"with a port, in capitals", "ACME.example:8080", "", ofAcme, http.StatusOK, "acme.example: user_ada"},
		{"the other's token", "acme.example", "", ofZeta, http.StatusUnauthorized, "jwk-kid-mismatch"},
		{"its token at the other", "zeta.example", "", ofAcme, http.StatusUnauthorized, "jwk-kid-mismatch"},
		{"nobody", "acme.example", "", "", http.StatusUnauthorized, "session-token-and-uat-missing"},
		{"an unknown host", "other.example", "", ofAcme, http.StatusMisdirectedRequest, "no such host"},
		{"a host below a known one", "www.acme.example", "", ofAcme, http.StatusMisdirectedRequest, "no such host"},
		{"no host", "", "", ofAcme, http.StatusMisdirectedRequest, "no such host"},
		{"an unknown host, forwarded for a known one", "other.example", "acme.example", ofAcme, http.StatusMisdirectedRequest, "no such host"},
		{"a known host, forwarded for another", "acme.example", "zeta.example", ofZeta, http.StatusUnauthorized, "jwk-kid-mismatch"},
	}
	for _, tt := range tests {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.Host = tt.host
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-Host", tt.forwarded)
		}
		if tt.token != "" {
			r.Header.Set("Authorization", "Bearer "+tt.token)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: %d with %q, want %d with %q", tt.name, w.Code, w.Body, tt.status, tt.want)
		}
	}
}

func TestTenantsThatCouldNeverBeAskedFor(t *testing.T) {
	_, auth := tenant(t, "acme.example")
	for host, auth := range map[string]*clerkauth.Authenticator{"": auth, "Acme.example": auth, "acme.example:443": auth, "acme.example": nil} {
		if _, err := tenants.Handler(map[string]*clerkauth.Authenticator{host: auth}, app); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", host)) {
			t.Errorf("%q: %v, want an error that names it", host, err)
		}
	}
}
