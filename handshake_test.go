package clerkauth_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestHandshakeOfABrowser(t *testing.T) {
	b := harness.NewApp(t)
	w := httptest.NewRecorder()
	r := b.Page(b.Expired(clerktest.Claims{}), "__clerk_redirect_count=1")
	b.Optional(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the handler saw a request that a handshake answers")
	})).ServeHTTP(w, r)
	if w.Code != http.StatusTemporaryRedirect || w.Header().Get("Cache-Control") != "private, no-store" || w.Body.Len() != 0 {
		t.Errorf("got %d, %v, %q; want 307, no-store and no body", w.Code, w.Header(), w.Body)
	}
	u, err := url.Parse(w.Header().Get("Location"))
	if err != nil || u.Scheme+"://"+u.Host+u.Path != "https://clerk.example.com/v1/client/handshake" {
		t.Errorf("got a redirect to %v, %v; want the Frontend API's handshake", u, err)
	}
	if got, want := u.Query().Get("redirect_url"), "https://example.com/page?x=1"; got != want {
		t.Errorf("got the return URL %q, want %q", got, want)
	}
	if got, want := w.Header().Get("Set-Cookie"), "__clerk_redirect_count=2; SameSite=Lax; HttpOnly; Max-Age=2"; got != want {
		t.Errorf("cookie %q, want %q", got, want)
	}
}

// TestHandshakesAreCounted tests the response instead of a fourth handshake. See clerk/javascript
// #3259 and #7018.
func TestHandshakesAreCounted(t *testing.T) {
	b := harness.NewApp(t)
	for count, status := range map[string]int{
		"0": 307, "2": 307, "3": 401, "4": 401, "99": 401, "-1": 307, "2.5": 307, "x": 307, "": 307, "99999999999": 307,
	} {
		r := b.Page(b.Expired(clerktest.Claims{}), "__clerk_redirect_count="+count)
		r.Header.Set("Accept", "text/html")
		w := httptest.NewRecorder()
		b.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("count %q: got %d, want %d", count, w.Code, status)
		}
		if status == 401 && !strings.Contains(w.Body.String(), "publishable key and the secret key") {
			t.Errorf("count %q: the page does not say which keys to check: %s", count, w.Body)
		}
	}
}

// A sign-in page redirects people who are signed in there straight back. So the page that explains
// the problem must be shown first.
func TestHandshakesAreCountedWithASignInPage(t *testing.T) {
	b := harness.NewApp(t, func(c *clerkauth.Config) { c.SignInURL = "https://accounts.example.com/sign-in" })
	w := httptest.NewRecorder()
	b.Require(http.NotFoundHandler()).ServeHTTP(w, b.Page(b.Expired(clerktest.Claims{}), "__clerk_redirect_count=3"))
	if w.Code != http.StatusUnauthorized || w.Header().Get("Location") != "" {
		t.Errorf("got %d and Location %q, want 401 and none", w.Code, w.Header().Get("Location"))
	}
}

// TestHandshakesAreForDocuments has requests that could not follow a redirect to another site. See
// clerk/javascript #8045, where a POST ended in a 405.
func TestHandshakesAreForDocuments(t *testing.T) {
	b := harness.NewApp(t)
	old := b.Page(b.Expired(clerktest.Claims{}))
	old.Header.Del("Sec-Fetch-Dest")
	old.Header.Set("Accept", "text/html,application/xhtml+xml")
	post, head := b.Page(b.Expired(clerktest.Claims{})), b.Page(b.Expired(clerktest.Claims{}))
	post.Method, head.Method = http.MethodPost, http.MethodHead
	unlisted := b.Page(b.Expired(clerktest.Claims{}))
	unlisted.Host = "unlisted.example.com"
	for name, tt := range map[string]struct {
		r      *http.Request
		status clerkauth.Status
		reason clerkauth.Reason
	}{
		"a page":                    {b.Page(b.Expired(clerktest.Claims{})), clerkauth.StatusHandshake, clerkauth.ReasonTokenExpired},
		"a page in an old browser":  {old, clerkauth.StatusHandshake, clerkauth.ReasonTokenExpired},
		"a script":                  {b.Script(b.Expired(clerktest.Claims{})), clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired},
		"a write":                   {post, clerkauth.StatusSignedOut, clerkauth.ReasonTokenExpired},
		"HEAD":                      {head, clerkauth.StatusHandshake, clerkauth.ReasonTokenExpired},
		"a host that is not listed": {unlisted, clerkauth.StatusSignedOut, clerkauth.ReasonRequestHostNotAuthorized},
	} {
		t.Run(name, func(t *testing.T) {
			state := b.AuthenticateRequest(tt.r)
			harness.WantState(t, state, tt.status, tt.reason)
			if (state.Header.Get("Location") != "") != (tt.status == clerkauth.StatusHandshake) {
				t.Errorf("got %s with the header %v, want a Location exactly with a handshake", tt.status, state.Header)
			}
		})
	}
}

// A handshake counts even if its result could not be read: a token without azp gets no second one.
func TestNoSecondHandshakeForAMissingAZP(t *testing.T) {
	b := harness.NewApp(t)
	b.Clerk.Fault(clerktest.BackendHandshake, clerktest.Down)
	state := b.AuthenticateRequest(b.Page(b.WithoutAZP(clerktest.Claims{}), "__clerk_handshake_nonce="+harness.Nonce))
	harness.WantState(t, state, clerkauth.StatusSignedOut, clerkauth.ReasonTokenMissingAZP)
}

// TestPrimaryAnswersTheListOnly: a development primary domain redirects a browser, with its token,
// only to origins in the allowlist.
func TestPrimaryAnswersTheListOnly(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{"https://example.com", "https://satellite.example"}})
	auth := harness.New(t, clerk)
	for target, want := range map[string]bool{
		"https://satellite.example/page":          true,
		"https://evil.example/page":               false,
		"http://satellite.example/":               false,
		"https://satellite.example@evil.example/": false,
		"https://evil@satellite.example/":         false,
		"//satellite.example/":                    false,
		"javascript:alert(1)":                     false,
		"/page":                                   false,
	} {
		r := httptest.NewRequest(http.MethodGet, "https://example.com/sign-in?__clerk_redirect_url="+url.QueryEscape(target), nil)
		r.Header.Set("Sec-Fetch-Dest", "document")
		r.Header.Set("Cookie", "__clerk_db_jwt=dvb_1")
		state := auth.AuthenticateRequest(r)
		location := state.Header.Get("Location")
		if got := state.Status == clerkauth.StatusHandshake; got != want || got != strings.HasPrefix(location, "https://satellite.example/page?__clerk_db_jwt=dvb_1&__clerk_synced=true") {
			t.Errorf("%s: got %s and %q, want an answer: %t", target, state.Status, location, want)
		}
	}
}

// A sibling subdomain's WebSocket must not use up the refresh token either.
func TestCrossOriginUpgradeRefreshesNothing(t *testing.T) {
	b := harness.NewApp(t)
	r := b.Script(b.Expired(clerktest.Claims{}), b.RefreshCookie())
	r.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	r.Header.Set("Sec-Fetch-Site", "same-site")
	r.Header.Set("Origin", "https://evil.example.com")
	harness.WantState(t, b.AuthenticateRequest(r), clerkauth.StatusSignedOut, clerkauth.ReasonCrossOriginRequest)
	if n := harness.Requests(b.Clerk, clerktest.BackendRefresh); n != 0 {
		t.Errorf("got %d refreshes, want 0", n)
	}
}

// A person who is not allowed to do something is still signed in.
func TestFailedCheckSaysSignedIn(t *testing.T) {
	b := harness.NewApp(t)
	w := httptest.NewRecorder()
	b.Authorize(clerkauth.Role("admin"))(http.NotFoundHandler()).ServeHTTP(w, b.Script(b.Clerk.Token(clerktest.Claims{})))
	if got := w.Header().Get("X-Clerk-Auth-Status"); w.Code != http.StatusForbidden || got != "signed-in" {
		t.Errorf("got %d and %q, want 403 and signed-in", w.Code, got)
	}
}
