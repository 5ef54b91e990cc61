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
			t.Errorf("%s: got %d with %q, want %d with %q", tt.name, w.Code, w.Body, tt.status, tt.want)
		}
	}
}

func TestTenantsWithImpossibleHosts(t *testing.T) {
	_, auth := tenant(t, "acme.example")
	refused := map[string]*clerkauth.Authenticator{"acme.example": nil}
	for _, key := range []string{
		"", "Acme.example", "acme.example:443", "acme.example:", "acme.example.", ".acme.example", "acme..example", " acme.example", "acme.example\n", "https://acme.example",
		"acme.example/", "acme.example/app", "*.acme.example", "*", "acme_example!", "-acme.example", "acme-.example", "[::1]", "::1", "[acme.example]", "bücher.example", "acme.example,zeta.example",
	} {
		refused[key] = auth
	}
	for host, auth := range refused {
		if _, err := tenants.Handler(map[string]*clerkauth.Authenticator{host: auth}, app); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", host)) {
			t.Errorf("%q: got %v, want an error that names it", host, err)
		}
	}
}

// A Host leads to its own tenant or to none, in any spelling.
func TestSpellingsOfAHost(t *testing.T) {
	_, auth := tenant(t, "acme.example")
	auths := map[string]*clerkauth.Authenticator{}
	for _, host := range []string{"acme.example", "www.acme.example", "kilo.example", "xn--bcher-kva.example", "127.0.0.1", "localhost"} {
		auths[host] = auth
	}
	h, err := tenants.Handler(auths, func(host string, _ *clerkauth.Authenticator) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, host) })
	})
	if err != nil {
		t.Fatal(err)
	}
	for spelt, want := range map[string]string{
		"acme.example": "acme.example", "ACME.Example": "acme.example", "acme.example:8080": "acme.example", "acme.example:": "acme.example", "acme.example.": "acme.example",
		"acme.example.:443": "acme.example", "WWW.acme.example": "www.acme.example", "127.0.0.1:80": "127.0.0.1", "localhost:3000": "localhost", "XN--bcher-kva.example": "xn--bcher-kva.example",
		"acme.example..": "", ".acme.example": "", "acme..example": "", "acme.example:80:80": "", "acme.example:http": "", "[acme.example]:80": "", "acme.example, www.acme.example": "",
		"acme.example@evil.test": "", "evil.test/acme.example": "", "\u212ailo.example": "", "bücher.example": "", "acme.example\x00": "", "acme.example\n": "", "a@acme.example": "", ".": "", ":80": "", "": "",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.Host = spelt
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Body.String(); want == "" && w.Code != http.StatusMisdirectedRequest || want != "" && got != want {
			t.Errorf("%q: got %d by %q, want %q", spelt, w.Code, got, want)
		}
	}
}
