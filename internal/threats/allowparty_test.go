package threats_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// AllowParty may look into a database, and its answer may change meanwhile: a decision calls it once for each origin.
func TestAllowPartyIsCalledOncePerOrigin(t *testing.T) {
	const customer = "https://customer.test"
	calls := map[string]int{}
	a := harness.NewApp(t, harness.SignIn, func(c *clerkauth.Config) {
		c.AuthorizedParties = nil
		c.AllowParty = func(_ context.Context, origin, _ string) bool { calls[origin]++; return origin == customer }
	})
	claims := clerktest.Claims{AuthorizedParty: customer}
	expired := harness.All(a.WithCookies(a.Expired(claims)), harness.Headers("Cookie: "+a.NewRefreshCookie()))
	called := 0
	for kind, edit := range map[string]harness.Edit{
		"page":            harness.Headers("Sec-Fetch-Dest: document", "Sec-Fetch-Site: same-origin", "Referer: "+customer+"/"),
		"page elsewhere":  harness.Headers("Sec-Fetch-Dest: document", "Sec-Fetch-Site: cross-site", "Referer: https://other.test/"),
		"own write":       harness.Headers("Sec-Fetch-Site: same-origin", "Referer: "+customer+"/", "Origin: "+customer),
		"write elsewhere": harness.Headers("Sec-Fetch-Site: cross-site", "Referer: https://other.test/", "Origin: https://other.test"),
	} {
		for session, cookies := range map[string]harness.Edit{"signed in": a.WithCookies(a.Clerk.Token(claims)), "expired": expired, "signed out": harness.All()} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				for _, host := range []string{"customer.test", "stranger.test"} {
					clear(calls)
					a.AuthenticateRequest(harness.Request(method, "/page", harness.Host(host), edit, cookies))
					called += len(calls)
					for origin, n := range calls {
						if n > 1 {
							t.Errorf("%s, %s of a %s, to %s: AllowParty was called %d times with %s, want once", session, method, kind, host, n, origin)
						}
					}
				}
			}
		}
	}
	if called == 0 {
		t.Error("AllowParty was never called, so that nothing was tested")
	}
}
