package e2e_test

import (
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// renewals returns how often tokens were renewed since the last call, by a handshake and without one.
func (s *site) renewals() (handshakes, refreshes int) {
	for _, r := range s.clerk.Requests() {
		switch r.Endpoint {
		case clerktest.FrontendHandshake:
			handshakes++
		case clerktest.BackendRefresh:
			refreshes++
		}
	}
	s.clerk.ResetRequests()
	return handshakes, refreshes
}

// No clock is set ahead here: the page waits until its token expires.
func TestStaysSignedInOverThreeTokenLifetimes(t *testing.T) {
	const short = 5 * time.Second
	for _, c := range []struct {
		name                  string
		in                    setting
		refresh, secret       bool
		handshakes, refreshes int
	}{
		{"production, by refresh", production, true, true, 0, 1},
		{"production, by nonce", production, false, true, 1, 0},
		{"development, by nonce", development, false, true, 1, 0},
		{"development, by token", development, false, false, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := c.in(t, clerktest.Options{TokenLifetime: short, WithoutRefresh: !c.refresh}, func(cfg *clerkauth.Config) {
				cfg.ClockSkew = -1
				if !c.secret {
					cfg.SecretKey = ""
				}
			})
			b := s.open(t)
			s.signIn(b, "/private?a=1")
			for i := range 3 {
				before := evaluate[string](b, `document.querySelector("#who").dataset.expires`)
				s.renewals()
				b.await(`Date.now() >= document.querySelector("#who").dataset.expires`)
				b.reload()
				b.expect("reloaded", s.signedIn("/private?a=1"))
				if after := evaluate[string](b, `document.querySelector("#who").dataset.expires`); after <= before {
					t.Errorf("lifetime %d: the token still expires at %s, want later", i+1, after)
				}
				if handshakes, refreshes := s.renewals(); handshakes != c.handshakes || refreshes != c.refreshes {
					t.Errorf("lifetime %d: %d handshakes and %d refreshes, want %d and %d", i+1, handshakes, refreshes, c.handshakes, c.refreshes)
				}
			}
			b.picture()
		})
	}
}

func TestWriteAfterExpirySaysSoAndIsNotRedirected(t *testing.T) {
	t.Parallel()
	s := production(t, clerktest.Options{WithoutRefresh: true}, nil)
	b := s.open(t)
	s.signIn(b, "/private")
	type answer struct {
		Status     int    `json:"status"`
		Redirected bool   `json:"redirected"`
		Reason     string `json:"reason"`
	}
	const write = `fetch("/write", {method: "POST"}).then(r =>
		({status: r.status, redirected: r.redirected, reason: r.headers.get("X-Clerk-Auth-Reason") ?? ""}))`
	if got, want := evaluate[answer](b, write), (answer{Status: http.StatusOK}); got != want {
		t.Errorf("in time: got %+v, want %+v", got, want)
	}
	s.expire()
	s.renewals()
	late := answer{http.StatusUnauthorized, false, string(clerkauth.ReasonTokenExpired) + "-refresh-non-eligible-no-refresh-cookie"}
	if got := evaluate[answer](b, write); got != late {
		t.Errorf("too late: got %+v, want %+v", got, late)
	}
	const submit = `void document.body.insertAdjacentHTML("beforeend", '<form method="post" action="/write"><button id="write">Write</button></form>')`
	evaluate[any](b, submit)
	b.press("#write")
	if status := s.app.status("/write"); status != http.StatusUnauthorized {
		t.Errorf("a form, too late: got %d, want 401", status)
	}
	if at := b.place().URL; at != s.home+"/write" {
		t.Errorf("a form sent too late leads to %s, want %s/write", at, s.home)
	}
	b.picture()
	if handshakes, refreshes := s.renewals(); handshakes+refreshes != 0 || s.app.writes.Load() != 1 {
		t.Errorf("%d handshakes, %d refreshes, %d writes; want the one write in time", handshakes, refreshes, s.app.writes.Load())
	}
	b.visit(s.home + "/private")
	if got, want := evaluate[answer](b, write), (answer{Status: http.StatusOK}); got != want {
		t.Errorf("after a page: got %+v, want %+v", got, want)
	}
}

func TestTwoTabsAtOnceStaySignedIn(t *testing.T) {
	for _, c := range []struct {
		name                          string
		refresh                       bool
		mostHandshakes, mostRefreshes int
	}{
		{"by refresh", true, 0, 2},
		{"by handshake", false, 3, 0}, // the results share a cookie: one tab may use the other's, which then makes another handshake
	} {
		t.Run(c.name, func(t *testing.T) {
			s := production(t, clerktest.Options{WithoutRefresh: !c.refresh}, nil)
			first := s.open(t)
			s.signIn(first, "/private?tab=1")
			second := first.another()
			second.visit(s.home + "/private?tab=2")
			second.expect("the second tab", s.signedIn("/private?tab=2"))
			second.await(handshakesUncounted)
			s.expire()
			s.renewals()
			errs := make([]error, 2)
			var both sync.WaitGroup
			for i, b := range []*tab{first, second} {
				both.Go(func() { errs[i] = b.driver.reload() })
			}
			both.Wait()
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			first.expect("after expiry", s.signedIn("/private?tab=1"))
			second.expect("after expiry", s.signedIn("/private?tab=2"))
			handshakes, refreshes := s.renewals()
			if handshakes+refreshes == 0 || handshakes > c.mostHandshakes || refreshes > c.mostRefreshes {
				t.Errorf("%d handshakes and %d refreshes for two tabs, want 1 to %d and %d", handshakes, refreshes, c.mostHandshakes, c.mostRefreshes)
			}
			second.picture()
		})
	}
}

// handshakesUncounted is true when earlier handshakes no longer count towards a loop.
const handshakesUncounted = `performance.now() > 2500`
