package clerkauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestExpiredSessionIsRefreshed(t *testing.T) {
	b := harness.NewApp(t)
	fresh := b.Clerk.Token(clerktest.Claims{SessionID: "sess_2a"})
	b.AnswerRefreshes(0, "__session="+fresh+"; Path=/")
	for name, r := range map[string]*http.Request{
		"page":   b.Page(b.Expired(clerktest.Claims{SessionID: "sess_2a"}), b.RefreshCookie()),
		"script": b.Script(b.Expired(clerktest.Claims{SessionID: "sess_2a"}), b.RefreshCookie()),
	} {
		t.Run(name, func(t *testing.T) {
			b.Clerk.ResetRequests()
			b.Now = b.Now.Add(11 * time.Second) // a success is shared for ten seconds
			state := b.AuthenticateRequest(r)
			harness.WantState(t, state, clerkauth.StatusSignedIn, "")
			if state.Token() != fresh || harness.SetCookies(state)["__session"] == nil {
				t.Errorf("the token is not the refreshed one, or no cookie is set: %v", state.Header)
			}
			for _, sent := range b.Clerk.Requests() {
				if sent.Endpoint == clerktest.BackendRefresh && sent.Path != "/v1/sessions/sess_2a/refresh" {
					t.Errorf("the refresh was sent to %s, want /v1/sessions/sess_2a/refresh", sent.Path)
				}
			}
			if n := harness.Requests(b.Clerk, clerktest.BackendRefresh); n != 1 {
				t.Errorf("asked %d times, want 1", n)
			}
		})
	}
}

func TestNotRefreshed(t *testing.T) {
	b := harness.NewApp(t)
	b.AnswerRefreshes(0, "__session="+b.Clerk.Token(clerktest.Claims{})+"; Path=/")
	post := b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie())
	post.Method = http.MethodPost
	post.Header.Del("Sec-Fetch-Site")
	bearer := httptest.NewRequest(http.MethodGet, "https://example.com/", nil)
	bearer.Header.Set("Authorization", "Bearer "+b.Expired(clerktest.Claims{}))
	bearer.Header.Set("Cookie", b.RefreshCookie())
	two := b.Script(b.Expired(clerktest.Claims{SessionID: "sess_2a"}), b.RefreshCookie())
	two.Header.Add("Cookie", "__session="+b.Expired(clerktest.Claims{SessionID: "sess_2b"}))
	party := b.PartyCookie(clerktest.Claims{})
	tests := []struct {
		name   string
		r      *http.Request
		reason clerkauth.Reason
		detail string // its end; empty: it does not mention a refresh
	}{
		{"a write that anybody could have sent", post, clerkauth.ReasonTokenExpired, "non-eligible-non-get"},
		{"no refresh cookie", b.Script(b.Expired(clerktest.Claims{})), clerkauth.ReasonTokenExpired, "non-eligible-no-refresh-cookie"},
		{"the plain refresh cookie", b.Script(b.Expired(clerktest.Claims{}), "__refresh=rt_1"), clerkauth.ReasonTokenExpired, "non-eligible-no-refresh-cookie"},
		{"expired tokens of two sessions", two, clerkauth.ReasonTokenExpired, "non-eligible-several-sessions"},
		{"a session id that is a path", b.Script(b.Expired(clerktest.Claims{SessionID: "sess_../../users"}), b.RefreshCookie()), clerkauth.ReasonTokenExpired, "expired-session-token-missing-sid-claim"},
		{"no azp", b.Script(b.Expired(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}}), b.RefreshCookie()), clerkauth.ReasonTokenMissingAZP, ""},
		{"no azp, with a party cookie", b.Script(b.Expired(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}}), b.RefreshCookie(), party), clerkauth.ReasonTokenExpired, "non-eligible-no-azp"},
		{"another origin's azp", b.Script(b.Expired(clerktest.Claims{AuthorizedParty: "https://evil.example"}), b.RefreshCookie()), clerkauth.ReasonTokenInvalidParties, ""},
		{"a forged signature", b.Script(b.Clerk.Forge(clerktest.Claims{IssuedAt: b.Now.Add(-time.Hour)}), b.RefreshCookie()), clerkauth.ReasonTokenSignature, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			state := b.AuthenticateRequest(tt.r)
			harness.WantState(t, state, clerkauth.StatusSignedOut, tt.reason)
			detail := ""
			if err := errors.Unwrap(state.Err); err != nil {
				detail = err.Error()
			}
			if refresh := "not refreshed: "; !strings.HasSuffix(detail, tt.detail) || strings.Contains(detail, refresh+tt.detail) != (tt.detail != "") {
				t.Errorf("detail %q, want %q at its end", detail, refresh+tt.detail)
			}
		})
	}
	if b.AuthenticateRequest(bearer).Status == clerkauth.StatusSignedIn {
		t.Error("a bearer token was refreshed with a cookie")
	}
	if n := harness.Requests(b.Clerk, clerktest.BackendRefresh); n != 0 {
		t.Errorf("the Backend API was asked %d times, want 0", n)
	}
}

// TestRefreshedTokenIsJudged has refreshed tokens that must sign nobody in: a page starts a
// handshake, a script is refused.
func TestRefreshedTokenIsJudged(t *testing.T) {
	b := harness.NewApp(t)
	for name, cookie := range map[string]string{
		"another origin": "__session=" + b.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://evil.example"}),
		"no azp":         "__session=" + b.WithoutAZP(clerktest.Claims{}),
		"expired":        "__session=" + b.Expired(clerktest.Claims{}),
		"forged":         "__session=" + b.Clerk.Forge(clerktest.Claims{}),
		"a lookalike":    "__sessionx=" + b.Clerk.Token(clerktest.Claims{}),
		"a deletion":     "__session=; Max-Age=0",
	} {
		t.Run(name, func(t *testing.T) {
			b.AnswerRefreshes(0, cookie)
			state := b.AuthenticateRequest(b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie()))
			harness.WantState(t, state, clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired)
			state = b.AuthenticateRequest(b.Page(b.Expired(clerktest.Claims{}), b.RefreshCookie()))
			harness.WantState(t, state, clerkauth.StatusHandshake, clerkauth.ReasonTokenExpired)
			if got, want := state.Header.Get("X-Clerk-Auth-Reason"), "session-token-expired-refresh-invalid-session-token"; got != want {
				t.Errorf("reason %q, want %q", got, want)
			}
		})
	}
}

func TestOneRefreshForManyRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := harness.NewApp(t)
		if err := b.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.AnswerRefreshes(time.Second, "__session="+b.Clerk.Token(clerktest.Claims{})+"; Path=/")
		token := b.Expired(clerktest.Claims{})
		var tabs sync.WaitGroup
		for range 20 {
			tabs.Go(func() {
				harness.WantState(t, b.AuthenticateRequest(b.Script(token, b.RefreshCookie())), clerkauth.StatusSignedIn, "")
			})
		}
		tabs.Wait()
		if n := harness.Requests(b.Clerk, clerktest.BackendRefresh); n != 1 {
			t.Errorf("asked %d times, want 1", n)
		}
	})
}

func TestFailingBackendAPICostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := harness.NewApp(t)
		if err := b.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		b.Clerk.Fault(clerktest.BackendRefresh, clerktest.Hang)
		for i := range 10 {
			state := b.AuthenticateRequest(b.Page(b.Expired(clerktest.Claims{}), b.RefreshCookie()))
			harness.WantState(t, state, clerkauth.StatusHandshake, clerkauth.ReasonTokenExpired)
			if took, want := time.Since(start), 2*time.Second; took != want {
				t.Errorf("after %d requests: %s were spent, want %s", i+1, took, want)
			}
		}
		b.Clerk.Fault(clerktest.BackendRefresh, nil)
		b.AnswerRefreshes(time.Second, "__session="+b.Clerk.Token(clerktest.Claims{}))
		b.Now = b.Now.Add(11 * time.Second)
		script := b.AuthenticateRequest(b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie())) // requests a refresh, and does not wait
		harness.WantState(t, script, clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired)
		time.Sleep(time.Second) // of the bubble
		synctest.Wait()
		harness.WantState(t, b.AuthenticateRequest(b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie())), clerkauth.StatusSignedIn, "")
	})
}
