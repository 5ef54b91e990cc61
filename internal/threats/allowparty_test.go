package threats_test

import (
	"context"
	"net/http"
	"strconv"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// AllowParty may look into a database, and its answer may change meanwhile: a decision asks about each origin once.
func TestAllowPartyIsAskedOncePerOrigin(t *testing.T) {
	const customer = "https://customer.test"
	calls := map[string]int{}
	a := harness.NewApp(t, harness.SignIn, func(c *clerkauth.Config) {
		c.AuthorizedParties = nil
		c.AllowParty = func(_ context.Context, origin, _ string) bool { calls[origin]++; return origin == customer }
	})
	claims := clerktest.Claims{AuthorizedParty: customer}
	expired := harness.All(a.WithCookies(a.Expired(claims)), harness.Headers("Cookie: "+a.NewRefreshCookie()))
	asked := 0
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
					asked += len(calls)
					for origin, n := range calls {
						if n > 1 {
							t.Errorf("%s, %s of a %s, to %s: AllowParty was asked %d times about %s, want once", session, method, kind, host, n, origin)
						}
					}
				}
			}
		}
	}
	if asked == 0 {
		t.Error("AllowParty was never asked, so that nothing was tested")
	}
}

// Only sixteen answers are kept, so that each origin of a request with very many costs no more than that.
func TestAllowPartyOfManyOrigins(t *testing.T) {
	calls := map[string]int{}
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.AllowParty = func(_ context.Context, origin, _ string) bool { calls[origin]++; return origin != "https://17.test" }
	})
	write := func(numbers ...int) clerkauth.Reason {
		clear(calls)
		r := harness.Request(http.MethodPost, harness.Origin, a.SignedIn(), harness.With("Origin", harness.Origin))
		for _, n := range numbers {
			r.Header.Add("Referer", "https://"+strconv.Itoa(n)+".test/")
		}
		return harness.Reason(t, a.AuthenticateRequest(r))
	}
	sixteen := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	if got := write(append(sixteen, 0, 1, 16, 0)...); got != "" || calls["https://1.test"] != 1 || calls["https://16.test"] != 1 || calls["https://0.test"] != 2 {
		t.Errorf("AuthenticateRequest(a write that names 17 origins twice) = %q with calls %v, want none, and two calls for the last origin alone", got, calls)
	}
	if got := write(append(sixteen, 0, 17)...); got != clerkauth.ReasonCrossOriginRequest {
		t.Errorf("AuthenticateRequest(a write that names 17 origins and one that is refused) = %q, want %q", got, clerkauth.ReasonCrossOriginRequest)
	}
}
