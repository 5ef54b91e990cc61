package threats_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// The page of a clock that is off speaks of the clock, whichever of the ways the answer came.
func TestPageOfAWrongClock(t *testing.T) {
	for _, live := range []bool{true, false} {
		for _, secret := range []bool{true, false} {
			for _, off := range []time.Duration{-8 * time.Second, 70 * time.Second, 25 * time.Hour} {
				now := harness.Noon
				w := development(&now)
				if live {
					w = production(&now)
				}
				w.config = func(c *clerkauth.Config) {
					c.Now = func() time.Time { return now.Add(off) }
					if c.JWTKey, c.Logger = "", (&harness.Log{}).Logger(); !secret {
						c.SecretKey = ""
					}
				}
				v := newTraveller(t, w)
				v.clerk.SignIn(v.browser.Jar, alice)
				got := v.visit("/me", harness.With("Accept", "text/html"))
				if got.status != http.StatusUnauthorized || handshakesIn(v.sent) > 3 || !strings.Contains(got.body, "clock of this server") || strings.Contains(got.body, "publishable key") {
					t.Errorf("live %t, secret key %t, %s: got %d after %q: %s", live, secret, off, got.status, v.sent, got.body)
				}
			}
		}
	}
}

// smallCookies keeps from the browser what browsers do not keep: RFC 6265bis section 5.7.
func smallCookies(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		for name, values := range rec.Header() {
			for _, value := range values {
				if pair, _, _ := strings.Cut(value, ";"); name != "Set-Cookie" || len(pair)-1 <= 4096 {
					w.Header().Add(name, value)
				}
			}
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
}

// A session token that is larger than browsers keep as a cookie: people are told in development, and get in in production,
// where the log says so.
func TestTokensLargerThanCookies(t *testing.T) {
	for _, size := range []int{3500, 7000} { // of custom claims: the token is a third larger
		for _, live := range []bool{true, false} {
			now := harness.Noon
			var log harness.Log
			w := development(&now)
			if live {
				w = production(&now)
			}
			w.front = smallCookies
			w.config = func(c *clerkauth.Config) { c.Logger = log.Logger() }
			v := newTraveller(t, w)
			large := clerktest.Claims{Subject: "user_2alice", Extra: map[string]any{"x": strings.Repeat("x", size)}}
			v.clerk.SignIn(v.browser.Jar, clerktest.Person{Name: "Large", Claims: large})
			for range 4 {
				got := v.visit("/me", harness.With("Accept", "text/html"))
				in := live && size == 3500
				if in && (got.status != http.StatusOK || got.body != "hello user_2alice") ||
					!in && (got.status != http.StatusUnauthorized || !strings.Contains(got.body, "4096 bytes") || !strings.Contains(got.body, "custom claims") || strings.Contains(got.body, "circles")) {
					t.Errorf("live %t, %d: got %d %q", live, size, got.status, got.body)
				}
				if handshakesIn(v.sent) > 1 {
					t.Errorf("live %t, %d: %d handshakes", live, size, handshakesIn(v.sent))
				}
			}
			if text := log.String(); strings.Count(text, "larger than browsers keep") != 1 || !strings.Contains(text, "limit=4096") || !strings.Contains(text, "custom claims") {
				t.Errorf("live %t, %d: logged %q, want one warning with the limit and where to make it smaller", live, size, text)
			}
		}
	}
}

// The Backend API's outages are logged with the address, the status and the field to look at.
func TestBackendOutagesAreLogged(t *testing.T) {
	for status, want := range map[int]string{401: "SecretKey", 503: "does not answer", 429: "does not answer"} {
		for endpoint, path := range map[clerktest.Endpoint]string{clerktest.BackendHandshake: "/v1/clients/handshake_payload", clerktest.BackendRefresh: "/v1/sessions/…/refresh"} {
			var log harness.Log
			b := harness.NewApp(t, func(c *clerkauth.Config) { c.Logger = log.Logger() })
			b.Clerk.Fault(endpoint, clerktest.Status(status, nil))
			for range 3 {
				b.AuthenticateRequest(b.Returning("__clerk_handshake_nonce=" + harness.Nonce))
				b.AuthenticateRequest(b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie()))
			}
			text := log.String()
			if strings.Count(text, want) != 1 || !strings.Contains(text, path) || !strings.Contains(text, fmt.Sprint("status=", status)) || strings.Contains(text, harness.Nonce) || strings.Contains(text, "sess_") {
				t.Errorf("%s, %d: logged %q, want one line with address, status and %s", path, status, text, want)
			}
		}
	}
}
