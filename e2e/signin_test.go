package e2e_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestFirstVisitLeadsThroughTheSignInPageAndBack(t *testing.T) {
	t.Parallel()
	w := production(t, clerktest.Options{}, nil)
	b := w.open(t)
	b.visit(w.home + "/")
	b.expect("a page for everybody", w.nobody("/"))
	b.press("#sign-in")
	b.expect("its link", place{URL: w.app.signIn})
	w.signIn(b, "/private?a=1&b=%2F")
	b.visit(w.home + "/")
	b.expect("the other page", w.signedIn("/"))
	b.picture()
}

func TestBackButtonAfterTheHandshakeShowsThePage(t *testing.T) {
	t.Parallel()
	w := production(t, clerktest.Options{WithoutRefresh: true}, nil)
	b := w.open(t)
	w.signIn(b, "/private?page=1")
	b.visit(w.home + "/private?page=2")
	w.expire()
	w.renewals()
	b.visit(w.home + "/private?page=3")
	b.expect("after expiry", w.signedIn("/private?page=3"))
	if handshakes, _ := w.renewals(); handshakes != 1 {
		t.Fatalf("%d handshakes, want the one that the way back must not lead through", handshakes)
	}
	for _, page := range []string{"2", "1"} {
		b.step(-1)
		b.expect("back", w.signedIn("/private?page="+page))
	}
	b.step(1)
	b.expect("forward", w.signedIn("/private?page=2"))
	w.expire()
	b.step(-1)
	b.expect("back, after another expiry", w.signedIn("/private?page=1"))
	b.reload()
	b.expect("back and reloaded, after another expiry", w.signedIn("/private?page=1"))
	b.picture()
}

// step goes back or forward in the tab's history, perhaps without any request.
func (b *tab) step(by int64) {
	b.t.Helper()
	before, err := chromedp.Run(b.chromium(), chromedp.NavigationEntries())
	if err != nil {
		b.t.Fatal(err)
	}
	to := before.Entries[before.CurrentIndex+by]
	if err := chromedp.Do(b.chromium(), chromedp.NavigateToHistoryEntry(to.ID)); err != nil {
		b.t.Fatal(err)
	}
}

func TestSignedOutElsewhereIsNoticedByTheNextNavigation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		in   setting
	}{{"production", production}, {"development", development}} {
		t.Run(c.name, func(t *testing.T) {
			w := c.in(t, clerktest.Options{}, nil)
			b := w.open(t)
			w.signIn(b, "/private")
			w.clerk.BrowserSessions()[0].SignOut()
			b.visit(w.home + "/private")
			b.expect("the token is still good", w.signedIn("/private"))
			w.expire()
			b.visit(w.home + "/")
			b.expect("the token has run out", w.nobody("/"))
			b.visit(w.home + "/private")
			if at := b.place().URL; !strings.HasPrefix(at, w.app.signIn+"?") {
				t.Errorf("a page for people ends at %s, want the sign-in page", at)
			}
			b.picture()
			for _, c := range b.cookies(w.home) {
				if strings.HasPrefix(c.Name, "__session") {
					t.Errorf("the cookie %s is still there after the sign-out", c.Name)
				}
			}
		})
	}
}

func TestPartyCookieIsOutOfReachInProduction(t *testing.T) {
	t.Parallel()
	w := production(t, clerktest.Options{}, nil)
	b := w.open(t)
	w.signIn(b, "/private")
	b.visit(w.home + "/private")
	const name = "__Host-clerkauth_party_" // followed by a tag
	find := func(url string) *network.Cookie {
		cookies := b.cookies(url)
		i := slices.IndexFunc(cookies, func(c *network.Cookie) bool { return strings.HasPrefix(c.Name, name) })
		if i < 0 {
			return nil
		}
		return cookies[i]
	}
	got := find(w.home)
	if got == nil {
		t.Fatalf("there is no cookie %s…", name)
	}
	lasts := time.Until(time.Unix(int64(got.Expires), 0))
	if got.Domain != "app."+domain || got.Path != "/" || !got.Secure || !got.HTTPOnly || got.SameSite != network.CookieSameSiteLax ||
		lasts < 6*24*time.Hour || lasts > 7*24*time.Hour {
		t.Errorf("%s is %+v for %s, want one of this host alone, out of reach of scripts, for a week", name, got, lasts)
	}
	if find(evilOrigin) != nil {
		t.Errorf("the cookie %s… is sent to a sibling subdomain", name)
	}
	if seen := evaluate[string](b, `document.cookie`); strings.Contains(seen, name) || !strings.Contains(seen, "__session=") {
		t.Errorf("scripts see the cookies %q, want __session and not the party cookie", seen)
	}

	// The party cookie keeps people signed in whose tokens no longer have azp.
	w.clerk.BrowserSessions()[0].SetClaims(clerktest.Claims{Subject: alice, Extra: map[string]any{"azp": clerktest.Absent}})
	w.expire()
	b.visit(w.home + "/private")
	b.expect("without azp", w.signedIn("/private"))
	b.picture()
}
