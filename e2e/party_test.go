package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const (
	partyCookie = "__Host-clerkauth_party"
	triedCookie = "__Host-clerkauth_tried"
)

// withoutAzp has the instance mint tokens that do not say for whom they are, from now on.
func (w *world) withoutAzp() {
	w.t.Helper()
	for _, s := range w.clerk.BrowserSessions() {
		s.SetClaims(clerktest.Claims{Subject: alice, Extra: map[string]any{"azp": clerktest.Absent}})
	}
}

// A browser that was signed in with a token for this app stays so when the instance mints tokens that do not say for
// whom they are. The cookie that vouches for it is out of reach of scripts and siblings.
func TestJourneyPartyCookieCarriesTokensWithoutAzp(t *testing.T) {
	t.Parallel()
	for name, withoutRefresh := range map[string]bool{"by refresh": false, "by handshake": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := build(t, setting{withoutRefresh: withoutRefresh})
			b := w.open()
			b.signIn(alice)
			b.visit(w.app + "/private")
			b.shows("/private", alice)
			checkPartyCookie(t, b.cookies(partyCookie))
			w.withoutAzp()
			for range 3 {
				w.expire()
				w.forget()
				b.visit(w.app + "/private")
				b.shows("/private", alice)
				if n := w.asked(clerktest.FrontendHandshake); n > 1 {
					t.Errorf("%d browser rounds for one page", n)
				}
				b.settle()
			}
		})
	}
}

func checkPartyCookie(t *testing.T, cookies []*network.Cookie) {
	t.Helper()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies %s, want one", len(cookies), partyCookie)
	}
	c := cookies[0]
	if c.Domain != appHost || c.Path != "/" || !c.Secure || !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax {
		t.Errorf("%+v, want it for %s alone, everywhere there, Secure, HttpOnly and SameSite=Lax", c, appHost)
	}
	const week = 7 * 24 * time.Hour
	if left := time.Until(time.Unix(int64(c.Expires), 0)); left < week-time.Hour || left > week+time.Hour {
		t.Errorf("it lives for another %v, want a week", left)
	}
}

// Without that cookie a token that does not say for whom it is signs nobody in, after one round and no more.
func TestJourneyTokenWithoutAzpAloneDoesNotLoop(t *testing.T) {
	t.Parallel()
	w := build(t, setting{withoutRefresh: true, change: func(c *clerkauth.Config) { c.SignInURL = "" }})
	b := w.open()
	b.visit(w.clerk.URL(clerktest.SignInPage) + "?redirect_url=" + w.app + "/")
	b.presses("button[value=" + alice + "]")
	b.shows("/", alice)
	b.visit(w.app + "/") // a cookie signs in, not the answer of a round: now it vouches
	b.shows("/", alice)
	w.withoutAzp()
	b.loses(partyCookie)
	b.settle()

	w.expire()
	w.forget()
	answer := b.visit(w.app + "/private")
	b.refused(http.StatusUnauthorized, answer, string(clerkauth.ReasonTokenMissingAzp))
	if n := w.asked(clerktest.FrontendHandshake); n != 1 {
		t.Errorf("%d browser rounds, want 1", n)
	}
	b.screenshot("-refused")

	w.forget()
	answer = b.visit(w.app + "/private")
	b.refused(http.StatusUnauthorized, answer, string(clerkauth.ReasonTokenMissingAzp))
	if n := w.asked(clerktest.FrontendHandshake); n > 1 {
		t.Errorf("%d browser rounds at the next visit", n)
	}
}
