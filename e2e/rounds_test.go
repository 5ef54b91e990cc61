package e2e_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// A browser that takes no cookies cannot be signed in. It comes to a page that says so, and does not go round for ever.
func TestJourneyBlockedCookiesEndAtAPage(t *testing.T) {
	t.Parallel()
	w := build(t, setting{change: func(c *clerkauth.Config) { c.SignInURL = "" }})
	b := w.openWith(false)
	b.visit(w.clerk.URL(clerktest.SignInPage) + "?redirect_url=" + w.app + "/private")
	answer := b.submits("button[value=" + alice + "]")
	b.refused(http.StatusUnauthorized, answer, string(clerkauth.ReasonSessionTokenAndUATMissing))
	if answer.URL != w.app+"/private" {
		t.Errorf("signing in ends at %s", answer.URL)
	}
	if got := b.jar(); len(got) != 0 {
		t.Fatalf("the browser keeps cookies: %v", got)
	}
}

// Where the keys are not all of one instance, no round can bring what the app accepts. The browser comes to a page that
// says which keys to look at.
func TestJourneyKeysOfAnotherInstanceEndAtAPage(t *testing.T) {
	t.Parallel()
	for name, development := range map[string]bool{"production": false, "development": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := build(t, setting{development: development, change: func(c *clerkauth.Config) {
				other := clerktest.New(t, clerktest.Options{Development: development})
				c.SecretKey, c.HTTPClient = other.SecretKey(), other.Config().HTTPClient
				c.SignInURL = ""
			}})
			b := w.open()
			b.visit(w.clerk.URL(clerktest.SignInPage) + "?redirect_url=" + w.app + "/private")
			answer := b.submits("button[value=" + alice + "]")
			text := b.text()
			for _, want := range []string{"publishable key", "secret key"} {
				if answer.Status != http.StatusUnauthorized || !strings.Contains(text, want) {
					t.Errorf("%d and %q, want 401 and %q", answer.Status, text, want)
				}
			}
			if rounds := w.asked(clerktest.FrontendHandshake); rounds > 3 {
				t.Errorf("%d browser rounds, want 3 at most", rounds)
			}
		})
	}
}
