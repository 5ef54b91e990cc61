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
	s := production(t, clerktest.Options{}, nil)
	b := s.open(t)
	b.visit(s.home + "/")
	b.expect("a page for everybody", s.nobody("/"))
	b.press("#sign-in")
	b.expect("its link", place{URL: s.app.signIn})
	s.signIn(b, "/private?a=1&b=%2F")
	b.visit(s.home + "/")
	b.expect("the other page", s.signedIn("/"))
	b.picture()
}

func TestBackButtonAfterTheHandshakeShowsThePage(t *testing.T) {
	t.Parallel()
	s := production(t, clerktest.Options{WithoutRefresh: true}, nil)
	b := s.open(t)
	s.signIn(b, "/private?page=1")
	b.visit(s.home + "/private?page=2")
	s.expire()
	s.renewals()
	b.visit(s.home + "/private?page=3")
	b.expect("after expiry", s.signedIn("/private?page=3"))
	if handshakes, _ := s.renewals(); handshakes != 1 {
		t.Fatalf("%d handshakes, want the one that the way back must not lead through", handshakes)
	}
	for _, page := range []string{"2", "1"} {
		b.step(-1)
		b.expect("back", s.signedIn("/private?page="+page))
	}
	b.step(1)
	b.expect("forward", s.signedIn("/private?page=2"))
	s.expire()
	b.step(-1)
	b.expect("back, after another expiry", s.signedIn("/private?page=1"))
	b.reload()
	b.expect("back and reloaded, after another expiry", s.signedIn("/private?page=1"))
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
			s := c.in(t, clerktest.Options{}, nil)
			b := s.open(t)
			s.signIn(b, "/private")
			s.clerk.BrowserSessions()[0].SignOut()
			b.visit(s.home + "/private")
			b.expect("the token is still good", s.signedIn("/private"))
			s.expire()
			b.visit(s.home + "/")
			b.expect("the token has run out", s.nobody("/"))
			b.visit(s.home + "/private")
			if at := b.place().URL; !strings.HasPrefix(at, s.app.signIn+"?") {
				t.Errorf("a page for people ends at %s, want the sign-in page", at)
			}
			b.picture()
			for _, c := range b.cookies(s.home) {
				if strings.HasPrefix(c.Name, "__session") {
					t.Errorf("the cookie %s is still there after the sign-out", c.Name)
				}
			}
		})
	}
}

func TestPartyCookieIsOutOfReachInProduction(t *testing.T) {
	t.Parallel()
	s := production(t, clerktest.Options{}, nil)
	b := s.open(t)
	s.signIn(b, "/private")
	b.visit(s.home + "/private")
	const name = "__Host-clerkauth_party_" // followed by a tag
	find := func(url string) *network.Cookie {
		cookies := b.cookies(url)
		i := slices.IndexFunc(cookies, func(c *network.Cookie) bool { return strings.HasPrefix(c.Name, name) })
		if i < 0 {
			return nil
		}
		return cookies[i]
	}
	got := find(s.home)
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
	s.clerk.BrowserSessions()[0].SetClaims(clerktest.Claims{Subject: alice, Extra: map[string]any{"azp": clerktest.Absent}})
	s.expire()
	b.visit(s.home + "/private")
	b.expect("without azp", s.signedIn("/private"))
	b.picture()
}
