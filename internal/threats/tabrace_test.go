package threats_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// racingTab is a tab whose answers are slow: the browser has an answer's cookies only when the tab
// goes on.
type racingTab struct {
	tab
	received []setLater
	trail    []string
}

// lateJar sends the browser's cookies, and keeps received ones for the tab.
type lateJar struct {
	http.CookieJar
	tab *racingTab
}

func (j lateJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.tab.received = append(j.tab.received, setLater{u, cookies})
}

func (b *racingTab) over() bool { return b.status != 0 && b.status/100 != 3 && b.received == nil }

// move stores the cookies of a received response in the browser, or else sends the next request.
func (b *racingTab) move() {
	jar := b.browser.Jar
	if b.received != nil {
		for _, c := range b.received {
			jar.SetCookies(c.at, c.cookies)
		}
		b.received = nil
		return
	}
	b.browser.Jar = lateJar{jar, b}
	b.step()
	b.browser.Jar = jar
	b.trail = append(b.trail, fmt.Sprint(b.status))
}

// Tabs are signed in while the Backend API cannot be reached, in whatever order requests and
// answers are sent: each is redirected for a nonce first and then for a token, whatever the others
// have counted meanwhile.
func TestTabsInAnOutage(t *testing.T) {
	harness.Long(t)
	rng := rand.New(rand.NewPCG(19, 1)) //nolint:gosec // not for secrets
	for _, live := range []bool{true, false} {
		now := harness.Noon
		w := development(&now)
		if live {
			w = production(&now)
		}
		v := newTraveller(t, w)
		v.clerk.Fault(clerktest.BackendHandshake, clerktest.Down)
		v.clerk.Fault(clerktest.BackendRefresh, clerktest.Down)
		for n := range 120 {
			now = now.Add(8 * time.Hour)
			v.plant("", "__clerk_redirect_count", "") // it would have expired by then
			paths := [][]string{{"/a", "/b"}, {"/a", "/a"}, {"/a", "/b", "/c"}, {"/a", "/a", "/b", "/c"}}[n%4]
			if n%8 < 4 { // a new browser: the others have tokens that have expired
				v.browser.Jar = v.clerk.Browser(nil).Jar
				v.clerk.SignIn(v.browser.Jar, alice)
			}
			tabs, order := v.race(paths, rng)
			for i, b := range tabs {
				if b.status != http.StatusOK || b.body != "hello user_2alice" {
					t.Errorf("live %t, %q in the order %v: tab %d got %q, want 200 \"hello user_2alice\" at the end", live, paths, order, i, b.trail)
				}
			}
		}
	}
}

// race opens tabs at once. Requests and answers follow each other in a random order.
func (v *traveller) race(paths []string, rng *rand.Rand) (tabs []*racingTab, order []int) {
	for _, path := range paths {
		tabs = append(tabs, &racingTab{tab: tab{traveller: v, at: v.origin + path}})
	}
	for open := slices.Clone(tabs); len(open) > 0 && len(order) < 300; {
		i := rng.IntN(len(open))
		order = append(order, slices.Index(tabs, open[i]))
		if open[i].move(); open[i].over() {
			open = slices.Delete(open, i, i+1)
		}
	}
	return tabs, order
}
