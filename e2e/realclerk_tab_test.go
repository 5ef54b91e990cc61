package e2e_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// loopback is a world whose browsers find this machine and nothing else: no CDN, no telemetry. The https origins are
// served by name.
func loopback(t *testing.T, origins map[string]http.Handler) *world {
	t.Helper()
	rules := []string{"MAP *.localhost 127.0.0.1", "MAP * ~NOTFOUND", "EXCLUDE localhost", "EXCLUDE 127.0.0.1"}
	for origin, h := range origins {
		rules = append([]string{serveTLS(t, origin, h)}, rules...)
	}
	return &world{hosts: strings.Join(rules, ", ")}
}

// openLoopback is a browser of such a world.
func openLoopback(t *testing.T) *tab {
	t.Helper()
	return loopback(t, nil).open(t)
}

// window is the tab for what only Chromium's protocol has.
func (b *tab) window() context.Context { return b.ctx }

// follow does what leads to another page.
func (b *tab) follow(step chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	b.arrive(step)
}

// fill types into a field of one of Clerk's components, as a person would.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.appears(selector)
	if err := chromedp.Do(b.window(), chromedp.SendKeys(chromedp.CSS(selector), text)); err != nil {
		b.t.Fatalf("%s: %v", selector, err)
	}
}

// choose presses something that does not lead to another page. Where it stands does not matter: what loads above moves it.
func (b *tab) choose(selector string) {
	b.t.Helper()
	b.appears(selector)
	evaluate[chromedp.Void](b, clicked, selector)
}

const clicked = "void document.querySelector(`%s`).click()"

// appears waits for an element.
func (b *tab) appears(selector string) {
	b.t.Helper()
	b.until("!!document.querySelector(`" + selector + "`)")
}

// until waits for something to hold in the page, and says what the page shows if it does not. A page that leads to another
// meanwhile ends one wait and begins the next.
func (b *tab) until(condition string) {
	b.t.Helper()
	var err error
	for start, tries := time.Now(), 0; tries < pages && time.Since(start) < soon; tries++ {
		poll := chromedp.Poll[bool](condition, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(soon))
		if _, err = chromedp.Run(b.window(), poll); err == nil {
			return
		}
	}
	b.t.Fatalf("waiting for %s: %v; the page says %q", condition, err, b.text())
}

// pages is how many pages may lead to one another.
const pages = 10

// soon is how long a step of a page may take.
const soon = 90 * time.Second
