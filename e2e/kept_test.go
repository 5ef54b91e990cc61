package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

// lifetimes are the ways in which a token is renewed.
func lifetimes() map[string]setting {
	return map[string]setting{
		"production, by refresh":    {},
		"production, by handshake":  {withoutRefresh: true},
		"development, by refresh":   {development: true},
		"development, by handshake": {development: true, withoutRefresh: true},
	}
}

// Somebody who is signed in stays so, however often the token runs out.
func TestJourneyStaysSignedInAcrossTokenLifetimes(t *testing.T) {
	t.Parallel()
	for name, s := range lifetimes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := build(t, s)
			b := w.open()
			b.signIn(alice)
			session := b.attribute("data-session")
			for i := range 3 {
				when := fmt.Sprintf("after lifetime %d", i+1)
				expired := b.attribute("data-expires")
				w.expire()
				w.forget()
				answer := b.visit(w.app + "/private?a=1&b=%2F")
				b.shows("/private", alice)
				if got := b.attribute("data-session"); got != session {
					t.Errorf("%s: session %s, want %s", when, got, session)
				}
				if b.attribute("data-expires") == expired {
					t.Errorf("%s: still the token of before", when)
				}
				if want := w.app + "/private?a=1&b=%2F"; answer.URL != want {
					t.Errorf("%s: ends at %s, want %s", when, answer.URL, want)
				}
				if s.withoutRefresh {
					w.renewed(when, 1, 0)
				} else {
					w.renewed(when, 0, 1)
				}
				w.forget()
				b.visit(w.app + "/")
				b.shows("/", alice)
				w.renewed(when+", a page more", 0, 0)
				b.settle()
			}
		})
	}
}

// A session that ended elsewhere ends here with its token: the next page after that knows.
func TestJourneySignOutElsewhereIsNoticed(t *testing.T) {
	t.Parallel()
	for name, s := range lifetimes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := build(t, s)
			b := w.open()
			b.signIn(alice)
			for _, session := range w.clerk.BrowserSessions() {
				session.SignOut()
			}
			w.expire()
			answer := b.visit(w.app + "/")
			b.shows("/", nobody)
			if answer.URL != w.app+"/" {
				t.Errorf("ends at %s", answer.URL)
			}
			answer = b.visit(w.app + "/private")
			if page := w.clerk.URL(clerktest.SignInPage) + "?"; !strings.HasPrefix(answer.URL, page) {
				t.Errorf("the private page leads to %s, want the sign-in page", answer.URL)
			}
		})
	}
}
