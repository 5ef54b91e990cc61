package contract

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// Once requests /me with an expired session: however many middlewares the request passes, it is refreshed once, and a
// sign-in that returns from Clerk exchanges its nonce once.
func Once(t *testing.T, routes func(*clerkauth.Authenticator) http.Handler) {
	t.Helper()
	// With its first request fasthttp starts a goroutine that never ends, which must not be one of the bubble.
	_, auth := App(t, nil)
	Get(t.Context(), routes(auth), "/me", "")
	synctest.Test(t, func(t *testing.T) {
		clerk, auth := App(t, nil)
		app := routes(auth)
		browser := clerk.Browser(app)
		clerk.SignIn(browser.Jar, clerktest.Person{Claims: Ada})
		for _, tt := range []struct {
			name string
			dest string
			want clerktest.Endpoint
		}{
			{"a page that comes back from Clerk", "document", clerktest.BackendHandshake},
			{"a script whose session has expired", "empty", clerktest.BackendRefresh},
		} {
			clerk.ResetRequests()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/me", http.NoBody)
			r.RequestURI = ""
			r.Header.Set("Sec-Fetch-Dest", tt.dest)
			r.Header.Set("Sec-Fetch-Site", "same-origin")
			resp, err := browser.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			received := count(clerk.Requests(), tt.want)
			if resp.StatusCode != http.StatusOK || received != 1 {
				t.Errorf("%s: %d, and Clerk was asked %d times, want 200 and once", tt.name, resp.StatusCode, received)
			}
			time.Sleep(time.Hour) // of the bubble
		}
	})
}

func count(requests []clerktest.Request, endpoint clerktest.Endpoint) (n int) {
	for _, r := range requests {
		if r.Endpoint == endpoint {
			n++
		}
	}
	return n
}
