package threats_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// No browser is redirected to an address of more than 8 KB. What would need one is refused with its
// own reason.
func TestNoRedirectToALongAddress(t *testing.T) {
	const longest = 8 << 10
	primary := clerktest.New(t, clerktest.Options{})
	development := clerktest.New(t, clerktest.Options{Development: true})
	satellite := func(c *clerkauth.Config) {
		c.Satellite, c.SignInURL = &clerkauth.Satellite{Domain: "satellite.example"}, "https://example.com/sign-in"
	}
	for name, tc := range map[string]struct {
		clerk  *clerktest.Instance
		change func(*clerkauth.Config)
		cookie string
		target string // what precedes the part that is made longer
		code   int
		reason clerkauth.Reason
	}{
		"handshake":             {primary, func(*clerkauth.Config) {}, "__client_uat=1", "/?a=", 307, clerkauth.ReasonUATWithoutSessionToken},
		"handshake for a path":  {primary, func(*clerkauth.Config) {}, "__client_uat=1", "/", 307, clerkauth.ReasonUATWithoutSessionToken},
		"sign-in":               {primary, harness.SignIn, "", "/?a=", 302, clerkauth.ReasonSessionTokenAndUATMissing},
		"sign-in for a path":    {primary, harness.SignIn, "", "/", 302, clerkauth.ReasonSessionTokenAndUATMissing},
		"satellite":             {development, satellite, "__clerk_db_jwt=x", "/?__clerk_synced=false&a=", 307, clerkauth.ReasonSatelliteNeedsSync},
		"answer to a satellite": {development, func(*clerkauth.Config) {}, "__clerk_db_jwt=x", "/?__clerk_redirect_url=http%3A%2F%2Fexample.com%2F%3Fa%3D", 307, clerkauth.ReasonSessionTokenAndUATMissing},
		"development browser":   {development, func(*clerkauth.Config) {}, "", "/?a=", 307, clerkauth.ReasonDevBrowserMissing},
		"developer's browser":   {development, func(*clerkauth.Config) {}, "__client_uat=1; __clerk_db_jwt=$LONG", "/", 307, clerkauth.ReasonUATWithoutSessionToken},
	} {
		a := harness.NewAppOf(t, tc.clerk, tc.change)
		redirects := map[bool]bool{}
		for n := 1; n <= 20<<10; n += 511 {
			long := strings.Repeat("x", n)
			target := tc.target + long
			if strings.Contains(tc.cookie, "$LONG") {
				target = tc.target
			}
			r := harness.Request(http.MethodGet, target, harness.Document, harness.Headers("Cookie: "+strings.ReplaceAll(tc.cookie, "$LONG", long)))
			w := harness.Serve(a.Require(harness.Greet), r)
			location := w.Header().Get("Location")
			redirects[location != ""] = true
			switch {
			case location != "" && (len(location) > longest || w.Code != tc.code):
				t.Errorf("%s with %d bytes: %d to an address of %d bytes, want %d and at most %d", name, n, w.Code, len(location), tc.code, longest)
			case location == "" && (w.Code != http.StatusUnauthorized || w.Header().Get("X-Clerk-Auth-Reason") != string(tc.reason) || n < longest/2-1024):
				t.Errorf("%s with %d bytes: got %d %q, want 401 with %q, and no sooner than needed", name, n, w.Code, w.Header().Get("X-Clerk-Auth-Reason"), tc.reason)
			}
		}
		if !redirects[true] || !redirects[false] {
			t.Errorf("%s: redirects %v, want both kinds", name, redirects)
		}
	}
}
