package e2e_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/clerkauth/clerkauth/clerktest"
)

// together holds requests to an endpoint until n of them are there.
func together(n int) clerktest.Fault {
	var mu sync.Mutex
	all := make(chan struct{})
	return func(honest http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			if n--; n == 0 {
				close(all)
			}
			mu.Unlock()
			select {
			case <-all:
			case <-r.Context().Done():
			}
			honest.ServeHTTP(w, r)
		})
	}
}

// Two tabs come at once after the token has expired, and share one jar of cookies: what one round brings, the other's
// overwrites. Both show who is signed in.
func TestJourneyTwoTabsAtOnce(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]setting{
		"production, by refresh":    {},
		"production, by handshake":  {withoutRefresh: true},
		"development, by handshake": {development: true, withoutRefresh: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := build(t, s)
			first := w.open()
			first.signIn(alice)
			second := first.another()
			w.expire()
			w.forget()
			if s.withoutRefresh { // without refreshes both make rounds, whichever comes first
				w.clerk.Fault(clerktest.FrontendHandshake, together(2))
			}
			var wait sync.WaitGroup
			for _, b := range []*tab{first, second} {
				wait.Go(func() {
					if _, err := run(b, chromedp.Navigate(w.app+"/private?tab="+b.name)); err != nil {
						t.Errorf("tab%s: %v\n%s", b.name, err, b.describe())
					}
				})
			}
			wait.Wait()
			first.shows("/private", alice)
			second.shows("/private", alice)
			if rounds := w.asked(clerktest.FrontendHandshake); s.withoutRefresh && (rounds < 2 || rounds > 4) || !s.withoutRefresh && rounds != 0 {
				t.Errorf("%d browser rounds", rounds)
			}
			w.forget()
			first.visit(w.app + "/private")
			second.visit(w.app + "/private")
			first.shows("/private", alice)
			second.shows("/private", alice)
			w.renewed("afterwards", 0, 0)
		})
	}
}
