package e2e_test

import (
	"fmt"
	"testing"
)

// Somebody who is signed in stays so, however often the token runs out.
func TestJourneyStaysSignedInAcrossTokenLifetimes(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]setting{
		"production, by refresh":    {},
		"production, by handshake":  {withoutRefresh: true},
		"development, by refresh":   {development: true},
		"development, by handshake": {development: true, withoutRefresh: true},
	} {
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
