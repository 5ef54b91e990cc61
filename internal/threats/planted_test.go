package threats_test

import (
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/harness"
)

// What a sibling subdomain plants for a year costs a visitor one page at most, whose session has to be renewed: Clerk's
// counter, a session cookie that is none where the browser has dropped its own, as it does when it is closed.
func TestPlantedForAYear(t *testing.T) {
	for _, tt := range []struct {
		name    string
		planted func(*traveller)
	}{
		{"Clerk's counter", func(v *traveller) { v.plant("example.com", "__clerk_redirect_count", "9") }},
		{"a session that is none", func(v *traveller) { v.plantSessions("garbage") }},
		{"a forged session", func(v *traveller) { v.plantSessions(v.clerk.Forge(bob.Claims)) }},
		{"another instance's session", func(v *traveller) { v.plantSessions("eyJhbGciOiJSUzI1NiJ9.e30.AAAA") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := harness.Noon
			v := returning(t, &now, func(w *scene) { w.WithoutRefresh = true })
			tt.planted(v)
			now = now.Add(time.Hour)
			v.visit("/me")
			v.want("the second page", v.visit("/me"), 200, "hello user_2alice", 1)
			now = now.Add(time.Hour)
			v.want("an hour later", v.visit("/me"), 200, "hello user_2alice", 1)
		})
	}
}

// plantSessions plants a session in place of the browser's own.
func (v *traveller) plantSessions(token string) {
	for _, c := range v.clerk.Cookies(token) {
		if strings.HasPrefix(c.Name, "__session") {
			v.plant("", c.Name, "")
			v.plant("example.com", c.Name, token)
		}
	}
}

// A refresh cookie that a sibling subdomain plants beside the visitor's own is gone after the next page load, so that
// images and scripts' requests are refreshed again.
func TestPlantedRefreshCookie(t *testing.T) {
	now := harness.Noon
	v := returning(t, &now, func(w *scene) { w.Origins = []string{"https://app.example.com"} })
	now = now.Add(time.Hour)
	v.visit("/me") // a handshake or a refresh: either way it has a refresh cookie
	refresh := strings.Replace(v.clerk.Cookies("x")[1].Name, "__session", "__refresh", 1)
	if v.cookie(refresh) == "" {
		t.Fatal("no refresh cookie")
	}
	now = now.Add(time.Minute * 2)
	v.plant("example.com", refresh, "rt_planted")
	v.visit("/me")
	now = now.Add(time.Minute * 2)
	v.want("an image", v.visit("/me", harness.With("Sec-Fetch-Dest", "image"), harness.With("Sec-Fetch-Site", "same-origin")), 200, "hello user_2alice", 0)
}
