package e2e_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// loopback is a site whose browsers reach this machine only: no CDN, no telemetry. The https
// origins are served by name.
func loopback(t *testing.T, origins map[string]http.Handler) *site {
	t.Helper()
	in := newInternet(t)
	for origin, h := range origins {
		in.serve(t, origin, h)
	}
	return &site{internet: in}
}

// openLoopback opens a browser of such a site.
func openLoopback(t *testing.T) *tab {
	t.Helper()
	return loopback(t, nil).open(t)
}

// follow runs a step that leads to another page.
func (b *tab) follow(step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	_, err := chromedp.RunResponse(b.chromium(), step)
	b.mustNavigate(err)
}

// fill types into a field of one of Clerk's components, as a person would.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.appears(selector)
	if err := chromedp.Do(b.chromium(), chromedp.SendKeys(chromedp.CSS(selector), text)); err != nil {
		b.t.Fatalf("typing into %s: %v", selector, err)
	}
}

// choose clicks an element that does not lead to another page. It works at any position: elements
// that load above may move it.
func (b *tab) choose(selector string) {
	b.t.Helper()
	b.appears(selector)
	evaluate[any](b, clicked, selector)
}

const clicked = "void document.querySelector(`%s`).click()"

// appears waits for an element.
func (b *tab) appears(selector string) {
	b.t.Helper()
	b.until("!!document.querySelector(`" + selector + "`)")
}

// until waits for a condition in the page, and reports what the page shows if it fails. If a page
// leads to another one meanwhile, the wait starts again.
func (b *tab) until(condition string) {
	b.t.Helper()
	var err error
	for start, tries := time.Now(), 0; tries < pages && time.Since(start) < soon; tries++ {
		poll := chromedp.Poll[bool](condition, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(soon))
		if _, err = chromedp.Run(b.chromium(), poll); err == nil {
			return
		}
	}
	b.t.Fatalf("waiting for %s: %v; the page says %q", condition, err, b.text())
}

// pages is the largest number of pages that may lead to one another.
const pages = 10

// soon is the longest time for a step of a page.
const soon = 90 * time.Second
