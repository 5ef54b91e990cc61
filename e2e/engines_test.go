package e2e_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// engine is a browser engine that the journeys are run in.
type engine struct {
	name string
	open func(*testing.T, *internet) driver
}

// engines are those that people use. WebKitGTK has Safari's engine, but not its network and cookies.
var engines = []engine{
	{"Chromium", func(t *testing.T, n *internet) driver { return openChromium(t, n, t.TempDir()) }},
	{"Firefox", openFirefox},
	{"WebKit", openWebKit},
}

// notShort skips a test under -short, which runs journeys in Chromium only.
func notShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("with -short there are journeys in Chromium only, and none of Clerk's scripts")
	}
}

// driver is what a journey needs of a browser.
type driver interface {
	navigate(url string) error   // and wait for the final page
	click(selector string) error // and wait for the page that it leads to
	reload() error
	evaluate(script string) ([]byte, error) // the result of the script, as JSON
	await(condition string) error           // until a condition is true in the page
	screenshot() ([]byte, error)
}

// program returns the path of a program. If it is missing, the test ends and names the Debian package.
func program(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if matches, _ := filepath.Glob(name); err != nil && len(matches) > 0 {
		return matches[0]
	}
	if err != nil {
		missing := fmt.Sprintf("needs %s: install Debian's %s", filepath.Base(name), debian)
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return path
}

// start starts a program that ends with the test, and so do all processes that it started.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	group(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = end(cmd) // it may have ended already
		_ = cmd.Wait()
	})
}

// within returns a context for a browser's commands.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), longestWait) // a test's own context ends before its cleanups
	t.Cleanup(cancel)
	return ctx
}

// eventually tries until it succeeds.
func eventually(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// quiet are preferences of Firefox that stop all requests except those of a journey.
var quiet = map[string]any{
	"dom.confirm_repost.testing.always_accept":          true, // forms are sent again on reload
	"marionette.port":                                   0,
	"app.normandy.enabled":                              false,
	"app.update.disabledForTesting":                     true,
	"browser.shell.checkDefaultBrowser":                 false,
	"browser.startup.page":                              0,
	"datareporting.policy.dataSubmissionEnabled":        false,
	"network.captive-portal-service.enabled":            false,
	"network.connectivity-service.enabled":              false,
	"services.settings.server":                          "data:,",
	"extensions.update.enabled":                         false,
	"extensions.getAddons.cache.enabled":                false,
	"browser.safebrowsing.malware.enabled":              false,
	"browser.safebrowsing.phishing.enabled":             false,
	"toolkit.telemetry.server":                          "data:,",
	"browser.newtabpage.enabled":                        false,
	"media.gmp-manager.updateEnabled":                   false,
	"dom.push.connection.enabled":                       false,
	"browser.topsites.contile.enabled":                  false,
	"browser.newtabpage.activity-stream.feeds.topsites": false,
}

func openFirefox(t *testing.T, n *internet) driver {
	t.Helper()
	notShort(t)
	firefox, certutil := program(t, "firefox-esr", "firefox-esr"), program(t, "certutil", "libnss3-tools")
	ctx, profile := within(t), t.TempDir()
	var preferences strings.Builder
	for name, value := range quiet {
		written, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&preferences, "user_pref(%q, %s);\n", name, written)
	}
	write(t, filepath.Join(profile, "user.js"), []byte(preferences.String()))
	// Service workers ignore acceptInsecureCerts: their https needs a trusted authority.
	authority := filepath.Join(profile, "authority.pem")
	write(t, authority, n.authority())
	add := exec.CommandContext(ctx, certutil, "-A", "-n", "e2e", "-t", "C,,", "-i", authority, "-d", "sql:"+profile) //nolint:gosec // Debian's
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("certutil: %v: %s", err, out)
	}
	browser := exec.CommandContext(ctx, firefox, "--headless", "--marionette", "--no-remote", "--profile", profile) //nolint:gosec // Debian's
	browser.Env = append(os.Environ(), "HOME="+profile)
	start(t, browser)
	var port []byte
	err := eventually(ctx, func() (err error) {
		//nolint:gosec // G304: the profile is the test's own
		if port, err = os.ReadFile(filepath.Join(profile, "MarionetteActivePort")); err == nil && len(port) == 0 {
			err = errors.New("there is no port yet")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := dialMarionette(ctx, net.JoinHostPort("127.0.0.1", strings.TrimSpace(string(port))))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.command(ctx, newSession, map[string]any{
		"acceptInsecureCerts": true,
		"proxy":               map[string]any{"proxyType": "manual", "sslProxy": n.proxy.Listener.Addr().String()},
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = m.command(context.Background(), quit, map[string]any{"flags": []string{"eForceQuit"}}) })
	return &webdriver{ctx, m}
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func openWebKit(t *testing.T, n *internet) driver {
	t.Helper()
	notShort(t)
	const debian = "webkit2gtk-driver"
	server, browser := program(t, "WebKitWebDriver", debian), program(t, "/usr/lib/*/webkit2gtk-4.1/MiniBrowser", debian)
	ctx, home := within(t), t.TempDir()
	env := append(os.Environ(), "HOME="+home, "XDG_RUNTIME_DIR="+home, "DISPLAY="+display(t))
	address := free(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	driver := exec.CommandContext(ctx, server, "--host="+host, "--port="+port) //nolint:gosec // Debian's
	driver.Env = env
	start(t, driver)
	h := &classic{base: "http://" + address}
	capabilities := map[string]any{"capabilities": map[string]any{"alwaysMatch": map[string]any{
		"acceptInsecureCerts": true,
		"webkitgtk:browserOptions": map[string]any{"binary": browser, "args": []string{
			"--automation", "--proxy=" + n.proxy.URL, "--ignore-host=localhost", "--ignore-host=127.0.0.1",
		}},
	}}}
	err = eventually(ctx, func() error {
		session, err := h.command(ctx, newSession, capabilities)
		if err != nil {
			return err
		}
		var made struct{ SessionID string }
		defer func() { h.session = made.SessionID }()
		return json.Unmarshal(session, &made)
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = h.command(context.Background(), deleteSession, map[string]any{}) })
	return &webdriver{ctx, h}
}

// display starts a virtual screen.
func display(t *testing.T) string {
	t.Helper()
	screen := exec.CommandContext(within(t), program(t, "Xvfb", "xvfb"), "-displayfd", "1", "-nolisten", "tcp") //nolint:gosec // Debian's
	out, err := screen.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, screen)
	var number int
	if _, err := fmt.Fscan(out, &number); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(":%d", number)
}

// free returns an address on which nothing listens.
func free(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only the address is needed
	return l.Addr().String()
}
