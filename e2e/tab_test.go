package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// A tab of a browser. What it cannot do fails the test.
type tab struct {
	t    *testing.T
	w    *world // nil: the app is a program of its own
	app  string // its origin
	ctx  context.Context
	name string // of its screenshot; empty: the browser's first
}

// open starts a browser in the world.
func (w *world) open() *tab {
	w.t.Helper()
	return w.openWith(true)
}

func (w *world) openWith(cookies bool) *tab {
	w.t.Helper()
	b := start(w.t, w.net, cookies)
	b.w, b.app = w, w.app
	return b
}

func newTab(t *testing.T, parent context.Context, name string) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(parent)
	t.Cleanup(func() {
		defer end()
		closing, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if err := chromedp.Cancel(closing); err != nil { // lets the browser end its processes before its profile goes
			t.Errorf("closing: %v", err)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // without a time limit, which would be the browser's
		t.Fatalf("opening a tab: %v", err)
	}
	b := &tab{t: t, ctx: ctx, name: name}
	t.Cleanup(func() { b.screenshot("") })
	return b
}

// another opens a second tab of the same browser.
func (b *tab) another() *tab {
	b.t.Helper()
	second := newTab(b.t, b.ctx, "-second-tab")
	second.w, second.app = b.w, b.app
	return second
}

// run does something in a tab, in good time.
func run[T any](b *tab, action chromedp.Action[T]) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, action)
}

// must is run, and the end of the test where it fails.
func must[T any](b *tab, what string, action chromedp.Action[T]) T {
	b.t.Helper()
	v, err := run(b, action)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.describe())
	}
	return v
}

// describe is what there is to see.
func (b *tab) describe() string {
	const script = "document.readyState + ': ' + location.href + '\\n' + (document.body ? document.body.innerText : '')"
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.EvaluateAsDevTools[string](script))
	if err != nil {
		return err.Error()
	}
	if b.w != nil {
		text += fmt.Sprintf("\nvisits: %v", b.w.seen())
	}
	return text
}

// visit goes to an address, and on to wherever it leads. The answer is the last one.
func (b *tab) visit(url string) *network.Response {
	b.t.Helper()
	return must(b, "visiting "+url, chromedp.NavigateResponse(url))
}

// shows waits until a page of the app is there, for somebody.
func (b *tab) shows(path, who string) {
	b.t.Helper()
	b.waits(fmt.Sprintf("body[data-path=%q][data-who=%q]", path, who))
}

// waits waits for an element. A page that the browser took out of its memory, as it was, counts as well.
func (b *tab) waits(selector string) {
	b.t.Helper()
	script := fmt.Sprintf("document.readyState === 'complete' && document.querySelector(%q) !== null", selector)
	b.until("waiting for "+selector, func() bool {
		there, err := run(b, chromedp.Evaluate[bool](script))
		return err == nil && there // an error: one page goes, the next is not there yet
	})
}

// until waits until something holds.
func (b *tab) until(what string, holds func() bool) {
	b.t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(patience); !holds(); <-again.C {
		if time.Now().After(end) {
			b.t.Fatalf("%s: not in %v\n%s", what, patience, b.describe())
		}
	}
}

// presses clicks something.
func (b *tab) presses(selector string) {
	b.t.Helper()
	must(b, "pressing "+selector, chromedp.Click(chromedp.CSS(selector)))
}

// submits clicks what leads to another page. The answer is that page's.
func (b *tab) submits(selector string) *network.Response {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	answer, err := chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector)))
	if err != nil {
		b.t.Fatalf("pressing %s: %v\n%s", selector, err, b.describe())
	}
	return answer
}

func (b *tab) attribute(name string) string {
	b.t.Helper()
	return must(b, "reading "+name, chromedp.AttributeValue(chromedp.CSS("body"), name)).Value
}

func (b *tab) text() string {
	b.t.Helper()
	return must(b, "reading the page", chromedp.Text(chromedp.CSS("body")))
}

// quoted puts a string into a script.
func quoted(script, value string) string { return fmt.Sprintf(script, value) }

// does runs a script in the page and waits for what it promises.
func does[T any](b *tab, script string) T {
	b.t.Helper()
	return must(b, "running a script", chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// signIn goes to the app's private page, as nobody, and by the sign-in page of the instance comes back as a person.
func (b *tab) signIn(person string) {
	b.t.Helper()
	b.visit(b.app + "/private")
	b.presses("button[value=" + person + "]")
	b.shows("/private", person)
	b.settle()
}

// settle waits until the browser has forgotten the rounds it made, which two seconds do: a person is not so fast as to
// come to the next page before.
func (b *tab) settle() {
	b.t.Helper()
	b.until("forgetting rounds", func() bool { return len(b.cookies("__clerk_redirect_count")) == 0 })
}

// jar is all cookies that the app would be sent at its private page.
func (b *tab) jar() []*network.Cookie {
	b.t.Helper()
	return must(b, "reading cookies", func(ctx context.Context, t *chromedp.Target) (network.GetCookiesResult, error) {
		return cdp.Call(ctx, t, network.GetCookies, network.GetCookiesParams{URLs: []string{b.app + "/private"}})
	}).Cookies
}

// cookies are those of one name.
func (b *tab) cookies(name string) []*network.Cookie {
	b.t.Helper()
	return slices.DeleteFunc(b.jar(), func(c *network.Cookie) bool { return c.Name != name })
}

// loses lets the browser lose a cookie of the app, which it has.
func (b *tab) loses(name string) {
	b.t.Helper()
	if len(b.cookies(name)) == 0 {
		b.t.Fatalf("there is no cookie %s to lose", name)
	}
	must(b, "deleting a cookie", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, network.DeleteCookies, network.DeleteCookiesParams{Name: name, URL: b.app})
		return err
	}))
}

// refused checks that a page says what was refused, and why.
func (b *tab) refused(status int64, answer *network.Response, reason string) {
	b.t.Helper()
	text := b.text()
	if answer.Status != status || !strings.Contains(text, reason) {
		b.t.Errorf("at %s: %d and %q, want %d because of %s", answer.URL, answer.Status, text, status, reason)
	}
}

// steps goes through the browser's history: -1 is back. It does not wait: a page that the browser has kept as it was does
// not load.
func (b *tab) steps(by int64) {
	b.t.Helper()
	must(b, "going through the history", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		history, err := cdp.Call(ctx, t, page.GetNavigationHistory, cdp.Empty{})
		if err != nil {
			return err
		}
		entry := history.Entries[history.CurrentIndex+by]
		_, err = cdp.Call(ctx, t, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: entry.ID})
		return err
	}))
}
