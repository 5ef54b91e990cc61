package e2e_test

import (
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// chromium is a window of Debian's Chromium, driven by the DevTools protocol.
type chromium struct {
	ctx context.Context //nolint:containedctx // for chromedp it is the window
}

func openChromium(t *testing.T, n *internet, profile string) driver {
	t.Helper()
	path := program(t, "chromium", "chromium")
	sockets, err := os.MkdirTemp("", "e2e") // not in the test's own: a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(sockets) })
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(profile), chromedp.CombinedOutput(io.Discard), chromedp.Env("TMPDIR="+sockets),
		chromedp.WindowSize(900, 600),
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.IgnoreCertErrors,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-back-forward-cache", true)) // or going back sends no request, and no event to chromedp
	if n != nil {
		options = append(options, chromedp.ProxyServer("https="+n.proxy.Listener.Addr().String()))
	}
	launcher, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	return newWindow(t, launcher)
}

// another opens a second tab of the same Chromium.
func (b *tab) another() *tab {
	b.t.Helper()
	return &tab{newWindow(b.t, b.chromium()), b.t}
}

// chromium returns the window for what only the DevTools protocol has.
func (b *tab) chromium() context.Context {
	b.t.Helper()
	c, ok := b.driver.(chromium)
	if !ok {
		b.t.Fatalf("the driver is a %T, want Chromium", b.driver)
	}
	return c.ctx
}

func newWindow(t *testing.T, parent context.Context) driver {
	t.Helper()
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil { // without a deadline, which would end the browser
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(ctx, longestWait)
	t.Cleanup(cancel)
	return chromium{ctx}
}

func (c chromium) navigate(url string) error {
	_, err := chromedp.RunResponse(c.ctx, chromedp.Navigate(url))
	return err
}

func (c chromium) click(selector string) error {
	_, err := chromedp.RunResponse(c.ctx, chromedp.Click(chromedp.CSS(selector)))
	return err
}

func (c chromium) reload() error {
	_, err := chromedp.RunResponse(c.ctx, chromedp.Reload())
	return err
}

func (c chromium) evaluate(script string) ([]byte, error) {
	raw, err := chromedp.Run(c.ctx, chromedp.Evaluate[[]byte](script, chromedp.EvalAwaitPromise))
	if err == nil && len(raw) == 0 {
		raw = []byte("null") // undefined
	}
	return raw, err
}

func (c chromium) await(condition string) error {
	poll := chromedp.Poll[bool](condition, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(longestWait))
	_, err := chromedp.Run(c.ctx, poll)
	return err
}

func (c chromium) screenshot() ([]byte, error) {
	return chromedp.Run(c.ctx, chromedp.CaptureScreenshot())
}

// cookies returns those that Chromium would send to a page.
func (b *tab) cookies(url string) []*network.Cookie {
	b.t.Helper()
	got, err := chromedp.Call(b.chromium(), network.GetCookies, network.GetCookiesParams{URLs: []string{url}})
	if err != nil {
		b.t.Fatal(err)
	}
	return got.Cookies
}
