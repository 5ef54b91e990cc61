package clerkauth_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// returning is Alice's browser at a production application where she was signed in before.
func returning(t *testing.T, now *time.Time, change func(*scene)) *traveller {
	t.Helper()
	w := production(now)
	if change != nil {
		change(&w)
	}
	v := newTraveller(t, w)
	v.clerk.SignIn(v.browser.Jar, alice)
	v.visit("/me")
	v.want("Alice at first", v.visit("/me"), 200, "hello user_2alice", 0)
	if v.cookie(partyPrefix(&w)) == "" {
		t.Fatal("no party cookie")
	}
	return v
}

func partyPrefix(w *scene) string {
	if w.Development {
		return "clerkauth_party_"
	}
	return "__Host-clerkauth_party_"
}

// thiefsNonce is the nonce of a handshake of Bob's own browser, and when he signed in.
func (v *traveller) thiefsNonce(now time.Time) (nonce, uat string) {
	v.Helper()
	thief := &traveller{T: v.T, clerk: v.clerk, browser: v.clerk.Browser(http.NotFoundHandler()), origin: v.origin}
	v.clerk.SignIn(thief.browser.Jar, bob)
	thief.once(http.MethodGet, v.clerk.URL(clerktest.FrontendHandshake)+"?format=nonce&redirect_url="+v.origin+"/me")
	if nonce = thief.cookie("__clerk_handshake_nonce"); nonce == "" {
		v.Fatal("the thief has no nonce")
	}
	return nonce, strconv.FormatInt(now.Unix(), 10)
}

// A returning visitor is never silently somebody else: a sibling subdomain plants the nonce of a handshake of its own
// beside a __client_uat, or beside nothing.
func TestPlantedNonceReplacesNoSession(t *testing.T) {
	for _, tt := range []struct {
		name    string
		uat     bool
		expired bool
		sent    int
	}{
		{"beside a good session", false, false, 0},
		{"beside a good session and a __client_uat", true, false, 2},
		{"beside an expired session", false, true, 2},
		{"beside an expired session and a __client_uat", true, true, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := noon
			v := returning(t, &now, func(w *scene) { w.WithoutRefresh = true })
			now = now.Add(2 * time.Second)
			if tt.expired {
				now = now.Add(time.Hour)
			}
			nonce, uat := v.thiefsNonce(now)
			v.plant("example.com", "__clerk_handshake_nonce", nonce)
			if tt.uat {
				v.plant("example.com", "__client_uat", uat, v.suffixedUAT(), uat)
			}
			v.want("the page", v.visit("/me"), 200, "hello user_2alice", tt.sent)
			v.want("the next page", v.visit("/me"), 200, "hello user_2alice", 0)
		})
	}
}

// suffixedUAT is the name of __client_uat that is this instance's own.
func (v *traveller) suffixedUAT() string {
	return strings.Replace(v.clerk.Cookies("x")[1].Name, "__session", "__client_uat", 1)
}

// The sibling frames the application under a Content-Security-Policy that blocks the hop to Clerk: Chromium keeps the
// cookies of the redirect. Then it plants nonce and __client_uat, and opens the page.
func TestBlockedHopThenPlantedNonce(t *testing.T) {
	now := noon
	v := returning(t, &now, func(w *scene) { w.WithoutRefresh = true })
	now = now.Add(2 * time.Second)
	nonce, uat := v.thiefsNonce(now)
	v.plant("example.com", "__client_uat", uat, v.suffixedUAT(), uat)
	blocked := v.once(http.MethodGet, "/me", with("Sec-Fetch-Dest", "iframe"), with("Sec-Fetch-Site", "same-site"), with("Accept", "text/html"))
	if blocked.status != http.StatusTemporaryRedirect {
		t.Fatalf("the framed page: %d", blocked.status)
	}
	v.plant("example.com", "__clerk_handshake_nonce", nonce)
	v.want("the page", v.visit("/me"), 200, "hello user_2alice", 2)
}

// What confirms a session is of this browser, this page and ten minutes.
func TestConfirmationIsBoundToTheBrowser(t *testing.T) {
	now := noon
	v := returning(t, &now, func(w *scene) { w.WithoutRefresh = true })
	now = now.Add(2 * time.Second)
	nonce, uat := v.thiefsNonce(now)
	v.plant("example.com", "__clerk_handshake_nonce", nonce, "__client_uat", uat, v.suffixedUAT(), uat)
	first := v.once(http.MethodGet, "/me")
	back := returnOf(first.header.Get("Location"))
	if !strings.HasPrefix(back, "https://example.com/me?__clerkauth_state=") || first.header.Get("X-Clerk-Auth-Reason") != "session-changed" {
		t.Fatalf("sent to come back to %q, %v", back, first.header)
	}
	deleted := strings.Join(first.header["Set-Cookie"], "\n")
	for _, want := range []string{
		"__clerk_handshake=; Path=/; Max-Age=0; Secure", "__clerk_handshake=; Path=/; Domain=example.com; Max-Age=0; Secure",
		"__clerk_handshake_nonce=; Path=/; Max-Age=0; Secure", "__clerk_handshake_nonce=; Path=/; Domain=example.com; Max-Age=0; Secure",
	} {
		if !strings.Contains(deleted, want) {
			t.Errorf("cookies %q, want %q among them", first.header["Set-Cookie"], want)
		}
	}
	begun := now
	for name, tt := range map[string]struct {
		address string
		after   time.Duration
		edits   []edit
		want    bool
	}{
		"as it was sent":             {back, time.Minute, nil, true},
		"within the next period":     {back, 15 * time.Minute, nil, true},
		"later":                      {back, 25 * time.Minute, nil, false},
		"at another page":            {strings.Replace(back, "/me?", "/you?", 1), 0, nil, false},
		"twice":                      {back + "&__clerkauth_state=x", 0, nil, false},
		"cut":                        {back[:len(back)-1], 0, nil, false},
		"with another party cookie":  {back, 0, []edit{changeCookie("__Host-clerkauth_party_", "v2.9999999999.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")}, false},
		"with parameters rearranged": {strings.Replace(back, "?", "?b=1&", 1), 0, nil, false},
	} {
		now = begun.Add(tt.after)
		fresh, _ := v.thiefsNonce(now)
		r := v.request(tt.address, tt.edits...)
		r.Header.Set("Cookie", withoutCookie(r.Header.Get("Cookie"), "__clerk_handshake_nonce")+"; __clerk_handshake_nonce="+fresh)
		state := v.auth.AuthenticateRequest(r)
		if got := state.Status == clerkauth.SignedIn; got != tt.want {
			t.Errorf("%s: got %s %v, want signed in %t", name, state.Status, state.Err, tt.want)
		}
		if tt.want && state.Header.Get("Location") != "https://example.com/me" {
			t.Errorf("%s: sent on to %q", name, state.Header.Get("Location"))
		}
	}
}

// request is what the browser would send.
func (v *traveller) request(address string, edits ...edit) *http.Request {
	v.Helper()
	r := asking(http.MethodGet, address, with("Sec-Fetch-Dest", "document"), with("Sec-Fetch-Site", "same-site"))
	for _, c := range v.browser.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	for _, e := range edits {
		e(r)
	}
	return r
}

func withoutCookie(line, name string) string {
	var kept []string
	for pair := range strings.SplitSeq(line, "; ") {
		if !strings.HasPrefix(pair, name+"=") {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "; ")
}

func changeCookie(prefix, value string) edit {
	return func(r *http.Request) {
		pairs := strings.Split(r.Header.Get("Cookie"), "; ")
		for i, pair := range pairs {
			if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, prefix) {
				pairs[i] = name + "=" + value
			}
		}
		r.Header.Set("Cookie", strings.Join(pairs, "; "))
	}
}

// Honest changes get through, each after a few redirects and none in a loop.
func TestHonestChanges(t *testing.T) {
	impersonated := bob
	impersonated.Claims.Extra = map[string]any{"act": map[string]any{"sub": "user_2support"}}
	for _, live := range []bool{true, false} {
		now := noon
		sent := func(production, development int) int { // development takes each answer out of the address
			if live {
				return production
			}
			return development
		}
		w := development(&now)
		if live {
			w = production(&now)
		}
		w.People[0].Organizations = []clerkauth.Organization{{ID: "org_2beta", Slug: "beta", Role: "org:member"}}
		w.config = func(c *clerkauth.Config) { c.OrganizationSync.OrganizationPatterns = []string{"/orgs/:slug"} }
		v := newTraveller(t, w)
		v.clerk.SignIn(v.browser.Jar, w.People[0])
		v.visit("/me")
		v.visit("/me")
		now = now.Add(10 * time.Second)
		v.want("another organization", v.visit("/orgs/beta"), 200, "hello user_2alice", sent(1, 2))
		v.want("another organization, again", v.visit("/orgs/beta"), 200, "hello user_2alice", 0)
		now = now.Add(10 * time.Second)
		v.clerk.SignIn(v.browser.Jar, bob)
		if !live {
			now = now.Add(2 * time.Minute) // in development the application learns of it when the token has expired
		}
		v.want("another account", v.visit("/me"), 200, "hello user_2bob", 3)
		v.want("another account, again", v.visit("/me"), 200, "hello user_2bob", 0)
		now = now.Add(2 * time.Minute)
		v.clerk.SignIn(v.browser.Jar, impersonated)
		if !live {
			now = now.Add(2 * time.Minute)
		}
		v.want("impersonated", v.visit("/me"), 200, "hello user_2bob", 3)
		v.want("impersonated, again", v.visit("/me"), 200, "hello user_2bob", 0)
	}
}

// Clerk's script writes the session cookie of the tab that is looked at. Each tab shows its own account.
func TestTwoAccountsInTwoTabs(t *testing.T) {
	now := noon
	v := returning(t, &now, nil)
	for range 3 {
		now = now.Add(5 * time.Second)
		session := v.clerk.SignIn(v.browser.Jar, bob)
		for _, c := range session.Cookies() {
			v.plant("", c.Name, c.Value)
		}
		v.want("Bob's tab", v.visit("/me"), 200, "hello user_2bob", 2)
		v.want("Bob's tab, again", v.visit("/me"), 200, "hello user_2bob", 0)
		now = now.Add(5 * time.Second)
		session = v.clerk.SignIn(v.browser.Jar, alice)
		for _, c := range session.Cookies() {
			v.plant("", c.Name, c.Value)
		}
		v.want("Alice's tab", v.visit("/me"), 200, "hello user_2alice", 2)
	}
}

// Two tabs that have a change confirmed at the same time both get in.
func TestTwoTabsConfirmAtOnce(t *testing.T) {
	for _, same := range []bool{true, false} {
		now := noon
		v := returning(t, &now, nil)
		now = now.Add(5 * time.Second)
		session := v.clerk.SignIn(v.browser.Jar, bob)
		for _, c := range session.Cookies() {
			v.plant("", c.Name, c.Value)
		}
		a, b := &tab{traveller: v, at: v.origin + "/a"}, &tab{traveller: v, at: v.origin + "/b"}
		if same {
			b.at = a.at
		}
		steps := 0
		for moreA, moreB := true, true; moreA || moreB; steps++ {
			moreA, moreB = moreA && a.step(), moreB && b.step()
		}
		if a.body != "hello user_2bob" || b.body != "hello user_2bob" || steps > 6 {
			t.Errorf("same page %t: got %q and %q after %d steps", same, a.body, b.body, steps)
		}
	}
}

// What Clerk answers counts, even where the cookie was of one session, the answer is of another, and this browser had a
// third.
func TestConfirmedThirdSession(t *testing.T) {
	now := noon
	v := returning(t, &now, nil)
	now = now.Add(5 * time.Second)
	v.clerk.SignIn(v.browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_2carol"}})
	for _, c := range v.clerk.SignIn(nil, bob).Cookies() {
		v.plant("", c.Name, c.Value)
	}
	v.want("the page", v.visit("/me"), 200, "hello user_2carol", 2)
}

// A confirmed sign-out signs out, and this browser still knows whom it had.
func TestConfirmedSignOut(t *testing.T) {
	now := noon
	v := returning(t, &now, func(w *scene) { w.WithoutRefresh = true })
	party := v.cookie("__Host-clerkauth_party_")
	now = now.Add(5 * time.Second)
	v.clerk.BrowserSessions()[0].SignOut()
	planted := v.clerk.SignIn(nil, bob)
	for _, c := range planted.Cookies() {
		v.plant("", c.Name, c.Value) // in the place of Alice's: the worst case
	}
	got := v.visit("/me")
	if got.status != http.StatusUnauthorized || got.sent != 2 {
		t.Errorf("got %d %q after %q, want 401 after the handshake and the way on", got.status, got.body, v.sent)
	}
	if v.cookie("__Host-clerkauth_party_") != party {
		t.Error("the party cookie did not stay")
	}
}

// Where no handshake can be made at all, the rule is off; where the handshakes are used up, the page is signed out.
func TestConfirmationWithoutHandshakes(t *testing.T) {
	now := noon
	v := returning(t, &now, nil)
	now = now.Add(5 * time.Second)
	for _, c := range v.clerk.SignIn(nil, bob).Cookies() {
		v.plant("", c.Name, c.Value)
	}
	script := v.request(v.origin+"/me", with("Sec-Fetch-Dest", "empty"), with("Sec-Fetch-Site", "same-origin"))
	if got := reasonOf(t, v.auth.AuthenticateRequest(script)); got != "" {
		t.Errorf("a fetch: %s; an account switch within a page looks the same", got)
	}
	for range 3 {
		if got := v.once(http.MethodGet, "/me"); got.status != http.StatusTemporaryRedirect {
			t.Fatalf("got %d", got.status)
		}
	}
	if got := v.once(http.MethodGet, "/me"); got.status != http.StatusUnauthorized || got.header.Get("X-Clerk-Auth-Reason") != "session-changed" {
		t.Errorf("the fourth time: got %d %v, want 401 session-changed", got.status, got.header)
	}
	long := v.request(v.origin + "/me?" + strings.Repeat("x", 9<<10))
	if state := v.auth.AuthenticateRequest(long); state.Status != clerkauth.SignedOut || reasonOf(t, state) != clerkauth.ReasonSessionChanged {
		t.Errorf("a long address: %s %v, want signed out", state.Status, state.Err)
	}
}
