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

// Cookies planted for a year cost a visitor, whose session must be renewed, one page at most, as
// Clerk's counter does. A session cookie that is no token costs nothing after the browser has
// dropped its own, as when it is closed.
func TestPlantedForAYear(t *testing.T) {
	for _, tt := range []struct {
		name    string
		planted func(*traveller)
		lost    bool // the first page
	}{
		{"Clerk's counter", func(v *traveller) { v.plant("example.com", "__clerk_redirect_count", "9") }, true},
		{"a session that is none", func(v *traveller) { v.plantSessions("garbage") }, false},
		{"a forged session", func(v *traveller) { v.plantSessions(v.clerk.Forge(bob.Claims)) }, false},
		{"another instance's session", func(v *traveller) { v.plantSessions("eyJhbGciOiJSUzI1NiJ9.e30.AAAA") }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := harness.Noon
			v := returning(t, &now, func(w *scene) { w.WithoutRefresh = true })
			tt.planted(v)
			now = now.Add(time.Hour)
			if tt.lost {
				v.visit("/me")
			}
			v.want("a page", v.visit("/me"), 200, "hello user_2alice", 1)
			now = now.Add(time.Hour)
			v.want("an hour later", v.visit("/me"), 200, "hello user_2alice", 1)
		})
	}
}

// plantSessions plants a session instead of the browser's own.
func (v *traveller) plantSessions(token string) {
	for _, c := range v.clerk.Cookies(token) {
		if strings.HasPrefix(c.Name, "__session") {
			v.plant("", c.Name, "")
			v.plant("example.com", c.Name, token)
		}
	}
}

// A token of this instance, for a sibling subdomain, costs a visitor who is signed out one handshake, not one for every page.
func TestPlantedTokenOfASignedOutVisitor(t *testing.T) {
	for name, planted := range map[string]clerktest.Claims{"another origin's": {AuthorizedParty: "https://evil.example.com"}, "one that is not for sessions": {Extra: map[string]any{"sub": 5}}} {
		now := harness.Noon
		w := production(&now)
		w.Origins = []string{"https://app.example.com"}
		v := newTraveller(t, w)
		v.plantSessions(v.clerk.Token(planted))
		v.want(name+": the first page", v.visit("/public/"), 200, harness.Stranger, 1)
		for range 3 {
			now = now.Add(time.Minute)
			v.want(name+": a later page", v.visit("/public/"), 200, harness.Stranger, 0)
		}
		v.clerk.Close()
	}
}

// A refresh cookie planted beside the visitor's own is gone after the next page load, so that
// images and scripts' requests are refreshed again.
func TestPlantedRefreshCookie(t *testing.T) {
	now := harness.Noon
	v := returning(t, &now, func(w *scene) { w.Origins = []string{"https://app.example.com"} })
	now = now.Add(time.Hour)
	v.visit("/me") // a handshake or a refresh: either way it has a refresh cookie
	refresh := strings.Replace(v.clerk.Cookies("x")[1].Name, "__session", "__refresh", 1)
	if v.cookie(refresh) == "" {
		t.Fatal("no refresh cookie was set, so that nothing is tested")
	}
	now = now.Add(time.Minute * 2)
	v.plant("example.com", refresh, "rt_planted")
	v.visit("/me")
	now = now.Add(time.Minute * 2)
	v.want("an image", v.visit("/me", harness.With("Sec-Fetch-Dest", "image"), harness.With("Sec-Fetch-Site", "same-origin")), 200, "hello user_2alice", 0)
}

// Where Clerk's own result is refused too, the application is configured wrongly: a page with an
// unusable cookie makes one handshake, and says why.
func TestWrongSetupMakesOneHandshake(t *testing.T) {
	for _, live := range []bool{true, false} {
		now := harness.Noon
		w := development(&now)
		if live {
			w = production(&now)
		}
		w.config = func(c *clerkauth.Config) { c.Audience = []string{"another"} }
		v := newTraveller(t, w)
		v.clerk.SignIn(v.browser.Jar, alice)
		party := harness.PartyName
		if !live {
			v.visit("/") // to get a development browser
			party = strings.TrimPrefix(party, "__Host-")
		}
		now = now.Add(time.Hour)
		for _, c := range v.clerk.Cookies(v.clerk.Token(alice.Claims)) {
			v.plant("", c.Name, c.Value)
		}
		v.plant("", party+"AAAAAAAA", "v2.1.x")
		got := v.visit("/me")
		if reason := got.header.Get("X-Clerk-Auth-Reason"); got.status != http.StatusUnauthorized || handshakesIn(v.sent) != 1 || reason != string(clerkauth.ReasonTokenVerificationFailed) {
			t.Errorf("live %t: got %d %q after %q, want the reason after one handshake", live, got.status, reason, v.sent)
		}
	}
}
