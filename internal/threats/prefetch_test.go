package threats_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A prefetch counts no handshake, and ends all the same: in development, where its result returns
// without our cookie, and where a proxy removes cookies.
func TestPrefetchesEnd(t *testing.T) {
	for _, tt := range []struct {
		name  string
		live  bool
		front func(http.Handler) http.Handler
	}{
		{"development", false, nil},
		{"development, our cookie is not kept", false, withoutSetting("clerkauth_", "__Host-")},
		{"production, cookies are kept back", true, onlyCookies("__client_uat")},
		{"production, all but the session", true, onlyCookies("__session")},
	} {
		for _, purpose := range []string{"prefetch", "prefetch;prerender"} {
			now := harness.Noon
			w := development(&now)
			if tt.live {
				w = production(&now)
			}
			w.WithoutRefresh, w.front = true, tt.front
			v := newTraveller(t, w)
			v.clerk.SignIn(v.browser.Jar, alice)
			v.plant("", "__session", v.clerk.Token(clerktest.Claims{IssuedAt: now.Add(-time.Hour)}))
			got := v.visit("/me", harness.With("Sec-Purpose", purpose))
			if got.status/100 == 3 || handshakesIn(v.sent) > 3 {
				t.Errorf("%s, %s: got %d after %d handshakes, want no redirect after 3 at most", tt.name, purpose, got.status, handshakesIn(v.sent))
			}
			v.clerk.Close()
		}
	}
}

// So does one whose result is removed, while the Backend API cannot be reached and another page
// waits for a token.
func TestPrefetchesEndInAnOutage(t *testing.T) {
	now := harness.Noon
	w := production(&now)
	w.WithoutRefresh = true
	w.front = passingCookies(func(name string) bool { return !strings.HasPrefix(name, "__clerk_handshake") })
	v := newTraveller(t, w)
	v.clerk.Fault(clerktest.BackendHandshake, clerktest.Down)
	v.clerk.SignIn(v.browser.Jar, alice)
	v.plant("", "__session", v.clerk.Token(clerktest.Claims{IssuedAt: now.Add(-time.Hour)}), "__Host-clerkauth_handshake", fmt.Sprintf("AAAAAAAAAAAA.1.%d.t", now.Unix()))
	if v.visit("/me", harness.With("Sec-Purpose", "prefetch")); handshakesIn(v.sent) > 3 {
		t.Errorf("%d handshakes, want 3 at most", handshakesIn(v.sent))
	}
}
