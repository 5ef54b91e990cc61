package e2e_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long the browser may take over one thing. It is there so that a test ends, not to be reached.
const patience = 90 * time.Second

// program finds Chromium. Where a test must not be skipped, it fails.
func program(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "no Chromium: install Debian's package chromium"
	if os.Getenv("CI") != "" {
		t.Fatal(missing)
	}
	t.Skip(missing)
	return ""
}

// start starts a Chromium that knows the hosts of a loopback and no others. Cookies are blocked if told so.
func start(t *testing.T, n *loopback, cookies bool) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program(t)),
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", n.rules()),
		chromedp.Flag("ignore-certificate-errors-spki-list", n.fingerprint),
		chromedp.WindowSize(900, 700),
	)
	if !cookies {
		options = append(options, chromedp.UserDataDir(profileWithoutCookies(t)))
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	return newTab(t, ctx, "")
}

// profileWithoutCookies is a profile whose owner has told the browser to take no cookies at all.
func profileWithoutCookies(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "clerkauth-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeWhenLeft(t, dir) })
	const block = 2
	preferences, err := json.Marshal(map[string]any{
		"profile": map[string]any{"default_content_setting_values": map[string]int{"cookies": block}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "Default"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "Default", "Preferences"), preferences, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// removeWhenLeft removes a profile. Processes of the browser outlive it for a moment and write there.
func removeWhenLeft(t *testing.T, dir string) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	end := time.Now().Add(patience)
	for {
		err := os.RemoveAll(dir)
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Errorf("the profile stays: %v", err)
			return
		}
		<-again.C
	}
}

// screenshot keeps what a tab shows, in the directory that E2E_SCREENSHOTS names.
func (b *tab) screenshot(of string) {
	b.t.Helper()
	dir := os.Getenv("E2E_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := run(b, chromedp.FullScreenshot(100))
	if err == nil {
		name := strings.NewReplacer("/", "-", ",", "", " ", "_").Replace(b.t.Name()) + b.name + of + ".png"
		err = os.WriteFile(filepath.Join(dir, name), picture, 0o600)
	}
	if err != nil {
		b.t.Errorf("screenshot: %v", err)
	}
}
