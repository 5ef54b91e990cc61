package threats_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// Every loop ends after three redirects of the application at most, with or without cookies. See
// Shopify/shopify_app #677, clerk/javascript #2688 and #5981.
func TestEveryLoopEnds(t *testing.T) {
	const foreign = "https://partner.example/page"
	organizations := func(c *clerkauth.Config) {
		c.OrganizationSync.OrganizationPatterns = []string{"/orgs/:slug", "/public/orgs/:slug"}
	}
	tests := []struct {
		name     string
		live     bool
		signedIn bool
		change   func(*traveller, *scene) // without a traveller: before the application is made
		path     string
		edits    []harness.Edit
		status   int
		body     string
		atMost   int
	}{
		{name: "development, a browser without cookies", path: "/me", change: func(v *traveller, _ *scene) {
			if v != nil {
				v.browser.Jar = nil
			}
		}, status: 401, body: "keeps no cookies", atMost: 2},
		{name: "development, a browser without cookies, a public page", path: "/public/", change: func(v *traveller, _ *scene) {
			if v != nil {
				v.browser.Jar = nil
			}
		}, status: 200, body: harness.Stranger, atMost: 2},
		{name: "development, in a frame of another site without cookies", path: "/me", change: func(v *traveller, _ *scene) {
			if v != nil {
				v.browser.Jar = nil
			}
		}, edits: []harness.Edit{harness.With("Sec-Fetch-Dest", "iframe"), harness.With("Sec-Fetch-Site", "cross-site"), harness.With("Accept", "text/html")}, status: 401, body: "keeps no cookies", atMost: 2},
		{name: "development, our cookie alone is not kept", path: "/me", signedIn: true, change: func(_ *traveller, w *scene) {
			w.front = withoutSetting("__Host-clerkauth_handshake", "clerkauth_handshake", "__clerk_redirect_count")
		}, status: 401, body: "keeps no cookies", atMost: 3},
		{name: "development, a proxy that passes __clerk_db_jwt", path: "/me", change: func(_ *traveller, w *scene) {
			w.front = onlyCookies("__clerk_db_jwt")
		}, status: 401, body: "keeps no cookies", atMost: 2},
		{name: "development, a cookie of our name that a sibling planted", path: "/me", signedIn: true, change: func(v *traveller, w *scene) {
			if v == nil {
				w.front = withoutSetting("__client_uat")
				return
			}
			v.plant("", "clerkauth_handshake", strings.Repeat("x", 600))
		}, status: 401, body: "in a loop of redirects", atMost: 3},
		{name: "development, __client_uat is withheld", path: "/me", signedIn: true, change: func(_ *traveller, w *scene) {
			w.front = withoutSetting("__client_uat")
		}, status: 401, body: "in a loop of redirects", atMost: 3}, // three, and each handshake result is removed from the address
		{name: "development, an organization of others", path: "/orgs/others", signedIn: true, change: func(_ *traveller, w *scene) {
			w.config = organizations
		}, status: 200, body: "hello user_2alice", atMost: 3},
		{name: "development, the Referer of another site", path: "/me", signedIn: true, change: func(_ *traveller, w *scene) {
			w.front = withoutSetting("__clerk_redirect_count")
		}, edits: []harness.Edit{harness.With("Referer", foreign)}, status: 200, body: "hello user_2alice", atMost: 2},
		{name: "production, a proxy that passes __session", live: true, signedIn: true, path: "/me", change: func(_ *traveller, w *scene) {
			w.front = onlyCookies("__session")
		}, status: 401, body: "cookies that this application set do not come back", atMost: 3},
		{name: "production, a proxy that passes __client_uat", live: true, signedIn: true, path: "/me", change: func(_ *traveller, w *scene) {
			w.front = onlyCookies("__client_uat")
		}, status: 401, body: "cookies that this application set do not come back", atMost: 3},
		{name: "production, a proxy that passes __client_uat, a public page", live: true, signedIn: true, path: "/public/", change: func(_ *traveller, w *scene) {
			w.front = onlyCookies("__client_uat")
		}, status: 200, body: harness.Stranger, atMost: 3},
		{name: "production, a cookie that is never there", live: true, signedIn: true, path: "/me", change: func(_ *traveller, w *scene) {
			w.front = withoutSetting("__session")
		}, status: 200, body: "hello user_2alice", atMost: 1}, // the handshake result itself signs in, each time
		{name: "production, a proxy that keeps answers back, an organization of others", live: true, signedIn: true, path: "/orgs/others", change: func(v *traveller, w *scene) {
			if v != nil {
				v.plant("", "__session", v.clerk.Token(clerktest.Claims{}))
			}
			w.config = organizations
			w.front = passingCookies(func(name string) bool { return !strings.HasPrefix(name, "__clerk_handshake") })
		}, status: 200, body: "hello user_2clerktest", atMost: 3},
		{name: "a page under ProxyURL's path", signedIn: true, path: "/public/__clerk/page", change: func(_ *traveller, w *scene) {
			w.config = func(c *clerkauth.Config) { c.ProxyURL = "/public/__clerk" }
		}, status: 200, body: harness.Stranger, atMost: 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			now := harness.Noon
			w := development(&now)
			if tt.live {
				w = production(&now)
			}
			if tt.change != nil {
				tt.change(nil, &w)
			}
			v := newTraveller(t, w)
			if tt.signedIn {
				v.clerk.SignIn(v.browser.Jar, alice)
			}
			if tt.name == "production, a proxy that passes __session" {
				now = now.Add(time.Hour) // the browser's token expired long ago
				v.plant("", "__session", v.clerk.Token(clerktest.Claims{IssuedAt: harness.Noon}))
			}
			if tt.change != nil {
				tt.change(v, &w)
			}
			got := v.visit(tt.path, tt.edits...)
			if got.status != tt.status || !strings.Contains(got.body, tt.body) || got.sent > tt.atMost {
				t.Errorf("got %d %q after %d redirects %q, want %d %q after at most %d", got.status, got.body, got.sent, v.sent, tt.status, tt.body, tt.atMost)
			}
			if handshakes := handshakesIn(v.sent); handshakes > 3 {
				t.Errorf("%d handshakes, want 3 at most", handshakes)
			}
			if got := v.visit(tt.path, tt.edits...); got.status != tt.status || handshakesIn(v.sent) > 3 {
				t.Errorf("again: got %d after %q, want %d", got.status, v.sent, tt.status)
			}
		})
	}
}

func handshakesIn(locations []string) int {
	n := 0
	for _, l := range locations {
		if strings.Contains(l, "/v1/client/handshake?") {
			n++
		}
	}
	return n
}

// Handshakes that take longer than Clerk's own counter lives are counted all the same. A page is
// tried again after half a minute.
func TestSlowHandshakesAreCounted(t *testing.T) {
	for _, live := range []bool{true, false} {
		now := harness.Noon
		w := development(&now)
		if live {
			w = production(&now)
		}
		w.front = func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				now = now.Add(5 * time.Second)
				cookies := r.Cookies()
				r.Header.Del("Cookie")
				for _, c := range cookies {
					if c.Name != "__clerk_redirect_count" && !strings.HasPrefix(c.Name, "__session") {
						r.AddCookie(c)
					}
				}
				next.ServeHTTP(rw, r)
			})
		}
		v := newTraveller(t, w)
		v.clerk.SignIn(v.browser.Jar, alice)
		v.clerk.Fault(clerktest.BackendHandshake, clerktest.Status(http.StatusNotFound, nil))
		got := v.visit("/me")
		if got.status != http.StatusUnauthorized || handshakesIn(v.sent) != 3 || !strings.Contains(got.body, "in a loop of redirects") {
			t.Errorf("live %t: got %d %q after %q, want 401 after three handshakes", live, got.status, got.body, v.sent)
		}
		if v.visit("/me"); handshakesIn(v.sent) > 1 {
			t.Errorf("live %t: a second load makes more than one handshake: %q", live, v.sent)
		}
		if v.visit("/other"); handshakesIn(v.sent) != 3 {
			t.Errorf("live %t: another page makes %d handshakes, want 3: %q", live, handshakesIn(v.sent), v.sent)
		}
		now = now.Add(time.Minute)
		if v.visit("/me"); handshakesIn(v.sent) != 3 {
			t.Errorf("live %t: after a minute the page makes %d handshakes, want 3: %q", live, handshakesIn(v.sent), v.sent)
		}
	}
}

// Addresses with leftover handshake parameters can be kept, shared and opened again.
func TestBookmarkedReturnAddresses(t *testing.T) {
	for _, live := range []bool{true, false} {
		now := harness.Noon
		w := development(&now)
		if live {
			w = production(&now)
		}
		w.config = func(c *clerkauth.Config) { c.SignInURL = "https://accounts.example.com/sign-in" }
		v := newTraveller(t, w)
		v.clerk.SignIn(v.browser.Jar, alice)
		v.visit("/me")
		for _, query := range []string{"__clerkauth_state=AAAAAAAAAAAAAAAAAAAAAA", "__clerkauth_sent=1772625600", "__clerkauth_state=x&__clerkauth_state=y", "__clerkauth_sent=x"} {
			for _, age := range []time.Duration{0, time.Hour} {
				now = now.Add(age)
				got := v.visit("/me?a=b&" + query)
				if got.status != http.StatusOK || got.body != "hello user_2alice" || len(v.sent) > 2 {
					t.Errorf("live %t, %s: got %d %q after %q, want 200 \"hello user_2alice\" after 2 at most", live, query, got.status, got.body, v.sent)
				}
				if len(v.sent) == 0 || !strings.HasSuffix(v.sent[len(v.sent)-1], "/me?a=b") {
					t.Errorf("live %t, %s: the last redirect is not to /me?a=b without the parameters: %q", live, query, v.sent)
				}
				for _, l := range v.sent {
					if strings.Contains(l, "__clerkauth_") {
						t.Errorf("live %t: the parameters are sent along to %s", live, l)
					}
				}
			}
		}
		nobody := newTraveller(t, w)
		got := nobody.once(http.MethodGet, "/me?a=b&__clerkauth_state=x&__clerkauth_sent=1")
		if at := got.header.Get("Location"); at == "" || strings.Contains(at, "__clerkauth_") {
			t.Errorf("live %t: a signed-out visitor is redirected to %q, want a sign-in address without the parameters", live, at)
		}
	}
}

// HEAD gets the response of its GET, ends in one place, and exchanges nothing.
func TestHeadUsesNothingUp(t *testing.T) {
	now := harness.Noon
	v := newTraveller(t, development(&now))
	v.clerk.SignIn(v.browser.Jar, alice)
	got := v.do(http.MethodHead, "/me", harness.With("Accept", "text/html"))
	if got.status != http.StatusUnauthorized || len(v.sent) != 1 {
		t.Errorf("curl -IL: got %d after %q, want 401 after one handshake", got.status, v.sent)
	}
	if n := harness.Requests(v.clerk, clerktest.BackendHandshake); n != 0 {
		t.Errorf("HEAD exchanged %d nonces, want none", n)
	}
	if left := v.cookie("clerkauth_handshake"); left != "" {
		t.Errorf("HEAD was counted: got %q, want none", left)
	}
	now = harness.Noon
	live := newTraveller(t, production(&now))
	live.clerk.SignIn(live.browser.Jar, alice)
	live.visit("/me")
	now = now.Add(time.Hour)
	live.clerk.Fault(clerktest.BackendRefresh, clerktest.Status(http.StatusNotFound, nil))
	live.plant("", "__clerk_handshake_nonce", harness.Nonce)
	exchanged := harness.Requests(live.clerk, clerktest.BackendHandshake)
	got = live.once(http.MethodHead, "/me", harness.With("Accept", "text/html"))
	if n := harness.Requests(live.clerk, clerktest.BackendHandshake); n != exchanged || got.header.Get("Location") != "" {
		t.Errorf("HEAD with a handshake result exchanged %d nonces and is redirected to %q, want neither", n-exchanged, got.header.Get("Location"))
	}
	live.browser.Jar.SetCookies(mustParse(t, live.origin), []*http.Cookie{{Name: "__clerk_handshake_nonce", Path: "/", MaxAge: -1}}) //nolint:gosec // a deletion
	got = live.once(http.MethodHead, "/me", harness.With("Accept", "text/html"))
	if n := harness.Requests(live.clerk, clerktest.BackendRefresh); n != 0 || len(got.header["Set-Cookie"]) != 0 {
		t.Errorf("HEAD requested %d refreshes and set %q, want neither", n, got.header["Set-Cookie"])
	}
	there, want := got.header.Get("Location"), live.once(http.MethodGet, "/me").header.Get("Location")
	if got.status != http.StatusTemporaryRedirect || returnOf(there) != returnOf(want) || returnOf(want) == "" {
		t.Errorf("HEAD: got %d to %q, want 307 with the return URL of GET, which is sent to %q", got.status, there, want)
	}
}

func mustParse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func returnOf(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return ""
	}
	return u.Query().Get("redirect_url")
}

// In development anybody's link can contain a handshake result. A browser that did not start a
// handshake makes one; the result is not trusted, and its nonce is not exchanged.
func TestUnrequestedAnswers(t *testing.T) {
	now := harness.Noon
	v := newTraveller(t, development(&now))
	v.clerk.SignIn(v.browser.Jar, alice)
	v.want("at first", v.visit("/me"), 200, "hello user_2alice", 2)
	theirs := v.clerk.SignIn(nil, bob)
	link := "/me?x=1&__clerk_handshake=" + v.clerk.Token(clerktest.Claims{RawPayload: handshakePayload(theirs.Cookies())})
	got := v.visit(link)
	v.want("a link with an answer of Bob's", got, 200, "hello user_2alice", 2)
	if !strings.HasSuffix(got.at, "/me?x=1") {
		t.Errorf("the visit ends at %s, want /me?x=1", got.at)
	}
}

// Two development applications on two ports of localhost share their cookies, and both work. Plain
// http under another name gets no Secure cookie.
func TestDevelopmentHosts(t *testing.T) {
	for _, origins := range [][]string{{"http://localhost:3000", "http://localhost:4000"}, {"http://lan-machine:3000", "http://lan-machine:4000"}} {
		now := harness.Noon
		w := development(&now)
		w.Origins = origins
		v := newTraveller(t, w)
		v.clerk.SignIn(v.browser.Jar, alice)
		for range 2 {
			for _, origin := range origins {
				v.origin = origin
				if got := v.visit("/me"); got.status != http.StatusOK || got.body != "hello user_2alice" || len(v.sent) > 2 {
					t.Errorf("%s: got %d %q after %q, want 200 \"hello user_2alice\" after 2 at most", origin, got.status, got.body, v.sent)
				}
				now = now.Add(time.Hour)
			}
		}
	}
	now := harness.Noon
	w := development(&now)
	w.Origins = []string{"http://lan-machine:3000"}
	v := newTraveller(t, w)
	b := &tab{traveller: v, at: v.origin + "/me"}
	if !b.step() || v.cookie("clerkauth_handshake") == "" {
		t.Error("plain http under another name: there is no handshake, or no cookie counts it")
	}
}
