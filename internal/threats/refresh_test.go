package threats_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// One old token of a session with made-up refresh cookies causes five refreshes a minute at most.
func TestMadeUpRefreshCookies(t *testing.T) {
	b := harness.NewApp(t)
	suffix := harness.Suffix(b.Clerk)
	b.Clerk.Fault(clerktest.BackendRefresh, clerktest.Status(http.StatusNotFound, nil))
	old := b.Expired(clerktest.Claims{SessionID: "sess_2a"})
	ask := func(i int) *clerkauth.RequestState {
		return b.AuthenticateRequest(b.Script(old, fmt.Sprintf("__refresh_%s=rt_made_up_%d", suffix, i)))
	}
	for i := range 500 {
		ask(i)
	}
	if n := harness.Requests(b.Clerk, clerktest.BackendRefresh); n != 5 {
		t.Errorf("%d questions, want 5", n)
	}
	if got := ask(501).Err; got == nil || errorStatus(got) != http.StatusServiceUnavailable {
		t.Errorf("what was not asked is %v, want 503", got)
	}
	b.AnswerRefreshes(0, "__session="+b.Clerk.Token(clerktest.Claims{SessionID: "sess_2b"})+"; Path=/")
	other := b.AuthenticateRequest(b.Script(b.Expired(clerktest.Claims{SessionID: "sess_2b"}), b.RefreshCookie()))
	harness.WantState(t, other, clerkauth.StatusSignedIn, "")
	b.Now = b.Now.Add(time.Minute + 30*time.Second) // a failure has the time of its answer, which is a moment later
	b.AnswerRefreshes(0, "__session="+b.Clerk.Token(clerktest.Claims{SessionID: "sess_2a"})+"; Path=/")
	harness.WantState(t, ask(502), clerkauth.StatusSignedIn, "")
}

func errorStatus(err error) int {
	if refusal, ok := err.(*clerkauth.Error); ok { //nolint:errorlint // RequestState.Err has one, never wrapped
		return refusal.StatusCode()
	}
	return 0
}

// A success is shared for ten seconds with requests that have the same cookies, and with no others.
func TestRefreshIsShared(t *testing.T) {
	b := harness.NewApp(t, harness.Parties("https://example.com", "https://other.example.com"))
	suffix := harness.Suffix(b.Clerk)
	b.AnswerRefreshes(0, "__session="+b.Clerk.Token(clerktest.Claims{})+"; Path=/")
	for _, tt := range []struct {
		after     time.Duration
		cookie    string
		host      string
		requested int
	}{
		{0, "rt_1", "example.com", 1},
		{9 * time.Second, "rt_1", "example.com", 1},
		{0, "rt_2", "example.com", 2},
		{0, "rt_2", "other.example.com", 3},
		{2 * time.Second, "rt_1", "example.com", 4},
	} {
		b.Now = b.Now.Add(tt.after)
		b.AnswerRefreshes(0, "__session="+b.Clerk.Token(clerktest.Claims{})+"; Path=/")
		r := b.Script(b.Expired(clerktest.Claims{}), "__refresh_"+suffix+"="+tt.cookie)
		r.Host = tt.host
		harness.WantState(t, b.AuthenticateRequest(r), clerkauth.StatusSignedIn, "")
		if n := harness.Requests(b.Clerk, clerktest.BackendRefresh); n != tt.requested {
			t.Errorf("%+v: asked %d times, want %d", tt, n, tt.requested)
		}
	}
}

// A refresh that returns another session is refused: the page makes a handshake, a script is refused.
func TestRefreshStaysInItsSession(t *testing.T) {
	b := harness.NewApp(t)
	b.AnswerRefreshes(0, "__session="+b.Clerk.Token(clerktest.Claims{SessionID: "sess_2other"})+"; Path=/")
	script := b.AuthenticateRequest(b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie()))
	harness.WantState(t, script, clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired)
	page := b.AuthenticateRequest(b.Page(b.Expired(clerktest.Claims{}), b.RefreshCookie()))
	harness.WantState(t, page, clerkauth.StatusHandshake, clerkauth.ReasonTokenExpired)
	if harness.SetCookies(page)["__session"] != nil || harness.SetCookies(script)["__session"] != nil {
		t.Error("the other session's cookie is set")
	}
}

// A refresh contains at most 8 KB of the request's header, and the short lines are among it.
func TestForwardedHeaderIsBounded(t *testing.T) {
	b := harness.NewApp(t)
	var told atomic.Int64
	var agent atomic.Value
	b.Clerk.Fault(clerktest.BackendRefresh, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var body struct {
				Headers map[string][]string `json:"request_headers"`
			}
			_ = json.NewDecoder(r.Body).Decode(&body)
			for name, values := range body.Headers {
				told.Add(int64(len(name) + len(strings.Join(values, ", "))))
			}
			agent.Store(strings.Join(body.Headers["user-agent"], ""))
			w.WriteHeader(http.StatusNotFound)
		})
	})
	r := b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie())
	r.Header.Set("User-Agent", "Mozilla/5.0")
	r.Header.Set("X-Large", strings.Repeat("x", 1<<20))
	for i := range 100 {
		r.Header.Set(fmt.Sprintf("X-Some-%d", i), strings.Repeat("y", 200))
	}
	b.AuthenticateRequest(r)
	if n := told.Load(); n == 0 || n > 8<<10 || agent.Load() != "Mozilla/5.0" {
		t.Errorf("the refresh has %d bytes of the header and the user agent %q, want 1 to 8192 bytes and \"Mozilla/5.0\"", n, agent.Load())
	}
}

// If Clerk has signed the visitor out, a script gets 401 every time: to send no more refreshes is
// not an outage.
func TestRefusedRefreshStaysRefused(t *testing.T) {
	b := harness.NewApp(t)
	b.Clerk.Fault(clerktest.BackendRefresh, clerktest.Status(http.StatusNotFound, nil))
	expired, app := b.Expired(clerktest.Claims{}), b.Require(harness.Greet)
	for i := range 20 {
		if w := harness.Serve(app, b.Script(expired, b.RefreshCookie())); w.Code != http.StatusUnauthorized {
			t.Errorf("request %d got %d %s, want 401", i+1, w.Code, w.Header().Get("X-Clerk-Auth-Reason"))
		}
		b.Now = b.Now.Add(3 * time.Second)
	}
	if n := harness.Requests(b.Clerk, clerktest.BackendRefresh); n > 10 {
		t.Errorf("%d refreshes in a minute, want 10 at most", n)
	}
}
