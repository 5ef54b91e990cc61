package e2e_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// patience is how long a journey may take, on a machine that has much else to do.
const patience = time.Minute

// tab is a window of a browser that finds the hosts of a world.
type tab struct {
	t   *testing.T
	ctx context.Context //nolint:containedctx // it is the tab, as far as chromedp goes
}

// place is where a tab is, and what the page there says.
type place struct {
	URL string `json:"url"`
	Who string `json:"who"` // empty: it is none of the app's pages
}

// open starts a browser that has never been anywhere.
func (w *world) open(t *testing.T) *tab {
	t.Helper()
	return w.openWith(t, t.TempDir())
}

// openWith starts a browser with a profile.
func (w *world) openWith(t *testing.T, profile string) *tab {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		const missing = "needs a browser: install Debian's chromium"
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.UserDataDir(profile), chromedp.CombinedOutput(io.Discard), chromedp.WindowSize(900, 600),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-back-forward-cache", true), // or going back asks nobody, and tells chromedp nothing
		chromedp.Flag("host-resolver-rules", w.hosts))
	launcher, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	return newTab(t, launcher)
}

// another is a second tab of the same browser.
func (b *tab) another() *tab {
	b.t.Helper()
	return newTab(b.t, b.ctx)
}

func newTab(t *testing.T, parent context.Context) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // the first use has no deadline: it would be the browser's
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	return &tab{t, ctx}
}

// visit is a navigation by the address bar. It returns the status of the page where it ends.
func (b *tab) visit(url string) int {
	b.t.Helper()
	return b.arrive(chromedp.Navigate(url))
}

// press clicks what leads to another page.
func (b *tab) press(selector string) int {
	b.t.Helper()
	return b.arrive(chromedp.Click(chromedp.CSS(selector)))
}

func (b *tab) arrive(step chromedp.Action[chromedp.Void]) int {
	b.t.Helper()
	resp, err := chromedp.RunResponse(b.ctx, step)
	if err != nil {
		b.t.Fatalf("a navigation ends at %+v: %v", b.place(), err)
	}
	return int(resp.Status)
}

// text is what the page says in all.
func (b *tab) text() string {
	b.t.Helper()
	return evaluate[string](b, `document.body.innerText`)
}

// place is where the tab is.
func (b *tab) place() place {
	b.t.Helper()
	return evaluate[place](b, `({url: location.href, who: document.querySelector("#who")?.textContent ?? ""})`)
}

// expect says where the tab should be.
func (b *tab) expect(when string, want place) {
	b.t.Helper()
	if got := b.place(); got != want {
		b.t.Errorf("%s: at %+v, want %+v", when, got, want)
	}
}

// evaluate runs a script in the page and waits for what it promises.
func evaluate[T any](b *tab, script string, args ...any) T {
	b.t.Helper()
	result, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](fmt.Sprintf(script, args...), chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return result
}

// await waits until a condition holds in the page.
func (b *tab) await(condition string) {
	b.t.Helper()
	poll := chromedp.Poll[bool](condition, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(patience))
	if _, err := chromedp.Run(b.ctx, poll); err != nil {
		b.t.Fatalf("waiting for %s: %v", condition, err)
	}
}

// cookies are those that the browser would send to a page.
func (b *tab) cookies(url string) []*network.Cookie {
	b.t.Helper()
	got, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{URLs: []string{url}})
	if err != nil {
		b.t.Fatal(err)
	}
	return got.Cookies
}

// picture saves what the tab shows, where screenshots are wanted.
func (b *tab) picture() {
	b.t.Helper()
	dir := os.Getenv("E2E_SCREENSHOTS")
	if dir == "" {
		return
	}
	image, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.t.Fatal(err)
	}
	name := strings.NewReplacer("/", "_", " ", "_", ",", "").Replace(b.t.Name()) + ".png"
	//nolint:gosec // G703: whoever runs the tests says where
	if err := os.WriteFile(filepath.Join(dir, name), image, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// signIn goes the whole way: the app's page, the instance's, and back.
func (w *world) signIn(b *tab, path string) {
	b.t.Helper()
	b.visit(w.home + path)
	if at := b.place().URL; !strings.HasPrefix(at, w.app.signIn+"?") {
		b.t.Fatalf("the first visit ends at %s, want the sign-in page", at)
	}
	b.press(`button[value="` + alice + `"]`)
	b.expect("back from the sign-in page", w.signedIn(path))
}
