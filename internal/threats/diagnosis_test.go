package threats_test

import (
	"errors"
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

// If the server's clock is wrong, the page says so, in every way in which a handshake result is sent.
func TestPageOfAWrongClock(t *testing.T) {
	harness.Long(t)
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
					t.Errorf("live %t, secret key %t, %s: got %d after %q, want 401 about the clock after 3 handshakes at most: %s", live, secret, off, got.status, v.sent, got.body)
				}
			}
		}
	}
}

// smallCookies drops the cookies that browsers do not keep (RFC 6265bis section 5.7).
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

// A session token may be larger than browsers keep as a cookie. In development the page says so. In
// production the visitor is signed in, and the log says so.
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
					t.Errorf("live %t, %d bytes of claims: got %d %q, want signed in: %t", live, size, got.status, got.body, in)
				}
				if size == 3500 && v.cookie("__client_uat") == "" {
					t.Errorf("live %t, %d bytes of claims: no __client_uat, so that a sign-in page redirects without end", live, size)
				}
				if handshakesIn(v.sent) > 1 {
					t.Errorf("live %t, %d bytes of claims: %d handshakes, want 1 at most", live, size, handshakesIn(v.sent))
				}
			}
			if text := log.String(); strings.Count(text, "larger than browsers keep") != 1 || !strings.Contains(text, "limit=4096") || !strings.Contains(text, "custom claims") {
				t.Errorf("live %t, %d: logged %q, want one warning with the limit and where to make it smaller", live, size, text)
			}
			v.clerk.Close()
		}
	}
}

// Outages of the Backend API are logged with the address, the status and the field to check.
func TestBackendOutagesAreLogged(t *testing.T) {
	for status, want := range map[int]string{401: "SecretKey", 503: "Backend API failed", 429: "Backend API failed"} {
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
			b.Clerk.Close()
		}
	}
}

// Browsers keep a cookie whose name and value have 4096 bytes together, and no larger one.
func TestLargestCookie(t *testing.T) {
	for size, warned := range map[int]bool{4096: false, 4097: true} {
		var log harness.Log
		b := harness.NewApp(t, func(c *clerkauth.Config) { c.Logger = log.Logger() })
		b.AnswerNonces(harness.Directives(sized(t, b.Clerk, size-len("__session")))...)
		harness.WantState(t, b.AuthenticateRequest(b.Returning("__clerk_handshake_nonce="+harness.Nonce)), clerkauth.StatusSignedIn, "")
		if got := strings.Contains(log.String(), "larger than browsers keep"); got != warned {
			t.Errorf("%d bytes: warned %t, want %t: %s", size, got, warned, log.String())
		}
	}
}

// The details say why a handshake result is not valid, and what was tried before.
func TestDetailsOfAnswers(t *testing.T) {
	detail := func(s *clerkauth.RequestState) string { return fmt.Sprint(errors.Unwrap(s.Err)) }
	says := func(what, got string, wants ...string) {
		t.Helper()
		for _, want := range wants {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q does not say %q", what, got, want)
			}
		}
	}
	b := harness.NewApp(t)
	b.AnswerNonces(harness.Directives(b.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://www.example.com"}))...)
	back := func() *clerkauth.RequestState {
		return b.AuthenticateRequest(b.Returning("__client_uat=1", "__clerk_handshake_nonce="+harness.Nonce))
	}
	says("a token for another origin", detail(back()), "handshake result", "token-invalid-authorized-parties", `"https://www.example.com"`)
	says("the same again", detail(back()), "a moment ago")
	b.Clerk.Fault(clerktest.BackendHandshake, clerktest.Status(503, nil))
	says("a nonce that nobody could exchange", detail(b.AuthenticateRequest(b.Returning("__client_uat=1", "__clerk_handshake_nonce="+harness.Nonce+"2"))), "handshake_payload answered 503", "no session cookie")
	b.Authenticator = b.Replica(func(c *clerkauth.Config) { c.SecretKey = "" })
	says("a nonce without a secret key", detail(back()), "SecretKey")
	b.Authenticator = b.Replica(func(c *clerkauth.Config) { c.Issuers, c.PublishableKey = []string{b.Clerk.Issuer()}, "" })
	says("without a publishable key", detail(b.AuthenticateRequest(b.Returning("__client_uat=1"))), "no handshake is possible", "PublishableKey")
	cookie := b.Clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}})
	if got := detail(b.AuthenticateRequest(b.Script(cookie))); strings.Contains(got, "InsecureAllowBearer") {
		t.Errorf("the detail for a cookie speaks of bearer tokens: %q", got)
	}
}

// A session token from the future means a wrong clock, with or without a handshake result. An
// expired one may not.
func TestCountedOutByTheClock(t *testing.T) {
	b := harness.NewApp(t)
	for name, tt := range map[string]struct {
		claims clerktest.Claims
		clock  bool
	}{
		"from the future": {clerktest.Claims{IssuedAt: b.Now.Add(time.Hour)}, true},
		"expired":         {clerktest.Claims{IssuedAt: b.Now.Add(-time.Hour)}, false},
	} {
		r := b.Page(b.Clerk.Token(tt.claims), "__clerk_redirect_count=3")
		r.Header.Set("Accept", "text/html")
		w := harness.Serve(b.Require(harness.Greet), r)
		if got := strings.Contains(w.Body.String(), "clock of this server"); got != tt.clock || w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d, speaks of the clock %t, want %t", name, w.Code, got, tt.clock)
		}
		if deleted := strings.Join(w.Result().Header["Set-Cookie"], "\n"); !strings.Contains(deleted, "__clerk_redirect_count=;") {
			t.Errorf("%s: __clerk_redirect_count is not deleted: Set-Cookie %q", name, deleted)
		}
	}
}

// A refresh returns a token that was just issued. If it has expired already, the clock is wrong.
func TestRefreshTellsOfTheClock(t *testing.T) {
	var log harness.Log
	b := harness.NewApp(t)
	b.Authenticator = b.Replica(func(c *clerkauth.Config) {
		c.Logger, c.Now = log.Logger(), func() time.Time { return b.Now.Add(70 * time.Second) }
		c.JWTKey = b.Clerk.JWTKey()
	})
	b.AnswerRefreshes(0, "__session="+b.Clerk.Token(clerktest.Claims{})+"; Path=/")
	state := b.AuthenticateRequest(b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie()))
	harness.WantState(t, state, clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired)
	if got := fmt.Sprint(errors.Unwrap(state.Err)); !strings.Contains(got, "invalid-session-token: the token expired") {
		t.Errorf("detail %q, want why the new token was refused", got)
	}
	if !strings.Contains(log.String(), "clock of this machine is wrong") || !strings.Contains(log.String(), "1m10s") {
		t.Errorf("logged %q, want how far the clock is off", log.String())
	}
}
