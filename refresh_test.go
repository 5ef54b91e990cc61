package clerkauth_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// refreshes makes the Backend API answer every refresh with these cookies, after a while.
func (b *bound) refreshes(after time.Duration, cookies ...string) {
	b.clerk.Fault(clerktest.BackendRefresh, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(after):
			case <-r.Context().Done():
				return
			}
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			_ = json.NewEncoder(w).Encode(map[string]any{"object": "cookies", "cookies": cookies})
		})
	})
}

// expired is a session token that ran out an hour ago.
func (b *bound) expired(c clerktest.Claims) string {
	c.IssuedAt = b.now.Add(-time.Hour)
	return b.clerk.Token(c)
}

// refreshCookie is the refresh cookie of this instance.
func (b *bound) refreshCookie() string {
	_, suffix, _ := strings.Cut(b.clerk.Cookies("x")[1].Name, "__session_")
	return "__refresh_" + suffix + "=rt_1"
}

// newRefreshCookie is another one at each call: what one brought is shared for a while with whoever brings it again.
func (b *bound) newRefreshCookie() string {
	b.made++
	return b.refreshCookie() + strconv.Itoa(b.made)
}

func TestExpiredSessionIsRefreshed(t *testing.T) {
	b := newBound(t, nil)
	fresh := b.clerk.Token(clerktest.Claims{SessionID: "sess_2a"})
	b.refreshes(0, "__session="+fresh+"; Path=/")
	for name, r := range map[string]*http.Request{
		"page":   b.page(b.expired(clerktest.Claims{SessionID: "sess_2a"}), b.refreshCookie()),
		"script": b.script(b.expired(clerktest.Claims{SessionID: "sess_2a"}), b.refreshCookie()),
	} {
		t.Run(name, func(t *testing.T) {
			b.clerk.ResetRequests()
			b.now = b.now.Add(11 * time.Second) // a success is shared for ten seconds
			state := b.auth.AuthenticateRequest(r)
			wantState(t, state, clerkauth.SignedIn, "")
			if state.Token() != fresh || setCookies(state)["__session"] == nil {
				t.Errorf("token and cookies are not the new ones: %v", state.Header)
			}
			for _, asked := range b.clerk.Requests() {
				if asked.Endpoint == clerktest.BackendRefresh && asked.Path != "/v1/sessions/sess_2a/refresh" {
					t.Errorf("asked %s", asked.Path)
				}
			}
			if n := b.asked(clerktest.BackendRefresh); n != 1 {
				t.Errorf("asked %d times, want 1", n)
			}
		})
	}
}

func TestNotRefreshed(t *testing.T) {
	b := newBound(t, nil)
	b.refreshes(0, "__session="+b.clerk.Token(clerktest.Claims{})+"; Path=/")
	post := b.script(b.expired(clerktest.Claims{}), b.refreshCookie())
	post.Method = http.MethodPost
	post.Header.Del("Sec-Fetch-Site")
	bearer := httptest.NewRequest(http.MethodGet, "https://example.com/", nil)
	bearer.Header.Set("Authorization", "Bearer "+b.expired(clerktest.Claims{}))
	bearer.Header.Set("Cookie", b.refreshCookie())
	two := b.script(b.expired(clerktest.Claims{SessionID: "sess_2a"}), b.refreshCookie())
	two.Header.Add("Cookie", "__session="+b.expired(clerktest.Claims{SessionID: "sess_2b"}))
	party := b.party(clerktest.Claims{})
	tests := []struct {
		name   string
		r      *http.Request
		reason clerkauth.Reason
		detail string
	}{
		{"a write that anybody could have sent", post, clerkauth.ReasonTokenExpired, "non-eligible-non-get"},
		{"no refresh cookie", b.script(b.expired(clerktest.Claims{})), clerkauth.ReasonTokenExpired, "non-eligible-no-refresh-cookie"},
		{"the plain refresh cookie", b.script(b.expired(clerktest.Claims{}), "__refresh=rt_1"), clerkauth.ReasonTokenExpired, "non-eligible-no-refresh-cookie"},
		{"expired tokens of two sessions", two, clerkauth.ReasonTokenExpired, "non-eligible-several-sessions"},
		{"a session id that is a path", b.script(b.expired(clerktest.Claims{SessionID: "sess_../../users"}), b.refreshCookie()), clerkauth.ReasonTokenExpired, "expired-session-token-missing-sid-claim"},
		{"no azp", b.script(b.expired(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}}), b.refreshCookie()), clerkauth.ReasonTokenMissingAzp, ""},
		{"no azp, and vouched for", b.script(b.expired(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}}), b.refreshCookie(), party), clerkauth.ReasonTokenExpired, "non-eligible-no-azp"},
		{"another origin's azp", b.script(b.expired(clerktest.Claims{AuthorizedParty: "https://evil.example"}), b.refreshCookie()), clerkauth.ReasonTokenInvalidParties, ""},
		{"a forged signature", b.script(b.clerk.Forge(clerktest.Claims{IssuedAt: b.now.Add(-time.Hour)}), b.refreshCookie()), clerkauth.ReasonTokenSignature, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state := b.auth.AuthenticateRequest(tt.r)
			wantState(t, state, clerkauth.SignedOut, tt.reason)
			detail := ""
			if err := errors.Unwrap(state.Err); err != nil {
				detail = err.Error()
			}
			if detail != tt.detail {
				t.Errorf("detail %q, want %q", detail, tt.detail)
			}
		})
	}
	if b.auth.AuthenticateRequest(bearer).Status == clerkauth.SignedIn {
		t.Error("a bearer token was refreshed with somebody's cookie")
	}
	if n := b.asked(clerktest.BackendRefresh); n != 0 {
		t.Errorf("the Backend API was asked %d times, want 0", n)
	}
}

// TestRefreshedTokenIsJudged has answers that must not sign in; the page then goes round, the script is refused.
func TestRefreshedTokenIsJudged(t *testing.T) {
	b := newBound(t, nil)
	for name, cookie := range map[string]string{
		"another origin": "__session=" + b.clerk.Token(clerktest.Claims{AuthorizedParty: "https://evil.example"}),
		"no azp":         "__session=" + b.without(clerktest.Claims{}),
		"expired":        "__session=" + b.expired(clerktest.Claims{}),
		"forged":         "__session=" + b.clerk.Forge(clerktest.Claims{}),
		"a lookalike":    "__sessionx=" + b.clerk.Token(clerktest.Claims{}),
		"a deletion":     "__session=; Max-Age=0",
	} {
		t.Run(name, func(t *testing.T) {
			b.refreshes(0, cookie)
			state := b.auth.AuthenticateRequest(b.script(b.expired(clerktest.Claims{}), b.refreshCookie()))
			wantState(t, state, clerkauth.SignedOut, clerkauth.ReasonTokenExpired)
			state = b.auth.AuthenticateRequest(b.page(b.expired(clerktest.Claims{}), b.refreshCookie()))
			wantState(t, state, clerkauth.Handshake, clerkauth.ReasonTokenExpired)
			if got, want := state.Header.Get("X-Clerk-Auth-Reason"), "session-token-expired-refresh-invalid-session-token"; got != want {
				t.Errorf("reason %q, want %q", got, want)
			}
		})
	}
}

func TestOneRefreshForManyRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBound(t, nil)
		if err := b.auth.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.refreshes(time.Second, "__session="+b.clerk.Token(clerktest.Claims{})+"; Path=/")
		token := b.expired(clerktest.Claims{})
		var tabs sync.WaitGroup
		for range 20 {
			tabs.Go(func() {
				wantState(t, b.auth.AuthenticateRequest(b.script(token, b.refreshCookie())), clerkauth.SignedIn, "")
			})
		}
		tabs.Wait()
		if n := b.asked(clerktest.BackendRefresh); n != 1 {
			t.Errorf("asked %d times, want 1", n)
		}
	})
}

func TestFailingBackendAPICostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBound(t, nil)
		if err := b.auth.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		b.clerk.Fault(clerktest.BackendRefresh, clerktest.Hang)
		for i := range 10 {
			state := b.auth.AuthenticateRequest(b.page(b.expired(clerktest.Claims{}), b.refreshCookie()))
			wantState(t, state, clerkauth.Handshake, clerkauth.ReasonTokenExpired)
			if took, want := time.Since(start), 2*time.Second; took != want {
				t.Errorf("after %d requests: %s were spent, want %s", i+1, took, want)
			}
		}
		b.clerk.Fault(clerktest.BackendRefresh, nil)
		b.refreshes(0, "__session="+b.clerk.Token(clerktest.Claims{}))
		b.now = b.now.Add(11 * time.Second)
		wantState(t, b.auth.AuthenticateRequest(b.script(b.expired(clerktest.Claims{}), b.refreshCookie())), clerkauth.SignedIn, "")
	})
}
