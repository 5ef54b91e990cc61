package threats_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// Real account changes work, each after a few redirects and without a loop.
func TestHonestChanges(t *testing.T) {
	impersonated := bob
	impersonated.Claims.Extra = map[string]any{"act": map[string]any{"sub": "user_2support"}}
	for _, live := range []bool{true, false} {
		now := harness.Noon
		sent := func(production, development int) int { // in development each handshake result is removed from the address
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
			now = now.Add(2 * time.Minute) // in development the application notices when the token has expired
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

// Clerk's script writes the session cookie of the tab in front. Each tab shows its own account.
func TestTwoAccountsInTwoTabs(t *testing.T) {
	now := harness.Noon
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

// Two tabs confirm a change at the same time, and both are signed in.
func TestTwoTabsConfirmAtOnce(t *testing.T) {
	for _, same := range []bool{true, false} {
		now := harness.Noon
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
			t.Errorf("same page %t: got %q and %q after %d steps, want Bob in both after 6 at most", same, a.body, b.body, steps)
		}
	}
}

// Clerk's result counts, even if the cookie was of one session, the result is of another and this
// browser had a third.
func TestConfirmedThirdSession(t *testing.T) {
	now := harness.Noon
	v := returning(t, &now, nil)
	now = now.Add(5 * time.Second)
	v.clerk.SignIn(v.browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_2carol"}})
	for _, c := range v.clerk.SignIn(nil, bob).Cookies() {
		v.plant("", c.Name, c.Value)
	}
	v.want("the page", v.visit("/me"), 200, "hello user_2carol", 2)
}

// A confirmation whose nonce could not be exchanged is tried once more, and is still a confirmation.
// A page that had to do without a nonce once uses one the next time.
func TestConfirmationOutlivesAnOutage(t *testing.T) {
	for begins := range 2 {
		now := harness.Noon
		v := returning(t, &now, nil)
		now = now.Add(5 * time.Second)
		v.clerk.SignIn(v.browser.Jar, bob)
		exchanged := 0
		v.clerk.Fault(clerktest.BackendHandshake, func(honest http.Handler) http.Handler {
			if exchanged++; exchanged > begins {
				return clerktest.Down(honest)
			}
			return honest
		})
		v.want("another account", v.visit("/me"), 200, "hello user_2bob", 4)
		if n := handshakesIn(v.sent); n != 3 {
			t.Errorf("%d handshakes, want 3", n)
		}
	}
}

// A confirmed sign-out signs out. The browser keeps its party cookie.
func TestConfirmedSignOut(t *testing.T) {
	now := harness.Noon
	v := returning(t, &now, func(w *scene) { w.WithoutRefresh = true })
	party := v.cookie("__Host-clerkauth_party_")
	now = now.Add(5 * time.Second)
	v.clerk.BrowserSessions()[0].SignOut()
	planted := v.clerk.SignIn(nil, bob)
	for _, c := range planted.Cookies() {
		v.plant("", c.Name, c.Value) // instead of Alice's: the worst case
	}
	got := v.visit("/me")
	if got.status != http.StatusUnauthorized || got.sent != 2 {
		t.Errorf("got %d %q after %q, want 401 after the handshake and the way on", got.status, got.body, v.sent)
	}
	if v.cookie("__Host-clerkauth_party_") != party {
		t.Error("the party cookie was changed or deleted by the sign-out")
	}
}

// Where no handshake is possible, nothing is confirmed. Where the handshakes are used up, the page
// is signed out.
func TestConfirmationWithoutHandshakes(t *testing.T) {
	now := harness.Noon
	v := returning(t, &now, nil)
	now = now.Add(5 * time.Second)
	for _, c := range v.clerk.SignIn(nil, bob).Cookies() {
		v.plant("", c.Name, c.Value)
	}
	script := v.request(v.origin+"/me", harness.With("Sec-Fetch-Dest", "empty"), harness.With("Sec-Fetch-Site", "same-origin"))
	if got := harness.Reason(t, v.auth.AuthenticateRequest(script)); got != "" {
		t.Errorf("a fetch: got %s, want signed in: an account switch within a page looks the same", got)
	}
	for range 3 {
		if got := v.once(http.MethodGet, "/me"); got.status != http.StatusTemporaryRedirect {
			t.Fatalf("got %d, want %d", got.status, http.StatusTemporaryRedirect)
		}
	}
	if got := v.once(http.MethodGet, "/me"); got.status != http.StatusUnauthorized || got.header.Get("X-Clerk-Auth-Reason") != "session-changed" {
		t.Errorf("the fourth time: got %d %v, want 401 session-changed", got.status, got.header)
	}
	long := v.request(v.origin + "/me?" + strings.Repeat("x", 9<<10))
	if state := v.auth.AuthenticateRequest(long); state.Status != clerkauth.StatusSignedOut || harness.Reason(t, state) != clerkauth.ReasonSessionChanged {
		t.Errorf("a long address: got %s %v, want signed out", state.Status, state.Err)
	}
}
