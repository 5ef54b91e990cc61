package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// shoot takes screenshots of the quickstart's page as Ada sees it, in light and dark.
func shoot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	app, stop, err := startQuickstart(ctx)
	if err != nil {
		return err
	}
	defer stop()
	cookies, err := signIn(ctx, app)
	if err != nil {
		return err
	}
	there, err := signedIn(ctx, app, cookies)
	if err != nil {
		return err
	}
	for _, theme := range []string{"dark", "light"} {
		if err := screenshot(ctx, there, theme); err != nil {
			return fmt.Errorf("%s: %w", theme, err)
		}
	}
	return nil
}

// startQuickstart builds and runs the quickstart. It returns its address, and a function that stops it.
func startQuickstart(ctx context.Context) (app *url.URL, stop func(), err error) {
	built, err := os.MkdirTemp("", "pictures")
	if err != nil {
		return nil, nil, err
	}
	program := filepath.Join(built, "quickstart")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./examples/quickstart").CombinedOutput(); err != nil { //nolint:gosec // our own directory
		return nil, nil, fmt.Errorf("%w: %s", err, out)
	}
	cmd := exec.CommandContext(ctx, program, "-addr", "127.0.0.1:8080") //nolint:gosec // just built
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(built)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if line := strings.TrimSpace(lines.Text()); strings.HasPrefix(line, "http://") {
			app, err = url.Parse(line)
			return app, stop, err
		}
	}
	stop()
	return nil, nil, errors.New("the quickstart did not say where it is")
}

// signIn signs Ada in, and returns the cookies that her browser has at the app.
func signIn(ctx context.Context, app *url.URL) ([]*http.Cookie, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar}
	page, err := visit(ctx, client, http.MethodGet, app.String()+"/me", "")
	if err != nil {
		return nil, err
	}
	form := url.Values{"user": {"user_ada"}, "redirect_url": {app.String() + "/"}}
	if _, err := visit(ctx, client, http.MethodPost, page.Scheme+"://"+page.Host+"/sign-in", form.Encode()); err != nil {
		return nil, err
	}
	return jar.Cookies(app), nil
}

// visit is a browser's request. It returns the final URL.
func visit(ctx context.Context, client *http.Client, method, address, form string) (*url.URL, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "text/html")
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s", method, address, resp.Status)
	}
	return resp.Request.URL, nil
}

// signedIn serves the app to every client as to the browser that has these cookies: a headless browser cannot press the
// button on the sign-in page.
func signedIn(ctx context.Context, app *url.URL, cookies []*http.Cookie) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(app)
		p.Out.Header.Del("Cookie")
		for _, c := range cookies {
			p.Out.AddCookie(c)
		}
	}}
	server := &http.Server{Handler: proxy, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	context.AfterFunc(ctx, func() { _ = server.Close() })
	return "http://" + listener.Addr().String() + "/", nil
}

// screenshot takes a picture of a page with Chromium.
func screenshot(ctx context.Context, page, theme string) error {
	profile, err := os.MkdirTemp("", "pictures")
	if err != nil {
		return err
	}
	defer os.RemoveAll(profile) //nolint:errcheck // it is temporary
	file, err := filepath.Abs(filepath.Join(dir, "quickstart-"+theme+".png"))
	if err != nil {
		return err
	}
	scheme := map[string]string{"dark": "0", "light": "1"}[theme]
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", //nolint:gosec // our own arguments
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--user-data-dir="+profile,
		"--window-size=1100,720", "--blink-settings=preferredColorScheme="+scheme, "--screenshot="+file, page)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return reduce(file)
}
