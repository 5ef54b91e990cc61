package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// A round through the instance leaves no trace in the browser's history: back and forward show pages.
func TestJourneyBackAndForwardAfterHandshake(t *testing.T) {
	t.Parallel()
	for name, development := range map[string]bool{"production": false, "development": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := build(t, setting{development: development, withoutRefresh: true})
			b := w.open()
			b.signIn(alice)
			b.visit(w.app + "/")
			b.shows("/", alice)
			w.expire()
			w.forget()
			b.presses("#private")
			b.shows("/private", alice)
			w.renewed("the link", 1, 0)

			w.forget()
			b.steps(-1)
			b.shows("/", alice)
			b.steps(1)
			b.shows("/private", alice)
			w.renewed("back and forward", 0, 0)
			b.settle()

			w.expire()
			w.forget()
			b.steps(-1)
			b.shows("/", alice)
			b.steps(-1) // to where the sign-in page sent the browser
			b.shows("/private", alice)
			must(b, "reloading", chromedp.Reload())
			b.shows("/private", alice)
			b.steps(1)
			b.shows("/", alice)
			w.renewed("back, reloaded, forward", 1, 0) // whichever page was the first that the browser had not kept
		})
	}
}
