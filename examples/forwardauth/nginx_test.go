package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

func nginx(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/nginx") // not on everybody's PATH
	}
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal("nginx is not installed: Debian package nginx")
	case err != nil:
		t.Skip("nginx is not installed: Debian package nginx")
	}
	return program
}

// runNginx runs nginx with nginx.conf at other addresses, until the test is over, even if its process crashes: then
// the pipe that the shell reads breaks. It listens when runNginx returns.
func runNginx(t *testing.T, program, addr, forwardauth, app string) {
	t.Helper()
	site, err := os.ReadFile("nginx.conf")
	if err != nil {
		t.Fatal(err)
	}
	conf := string(site)
	for documented, here := range map[string]string{
		"listen 127.0.0.1:8080;": "listen " + addr + ";", "http://127.0.0.1:4180/": "http://" + forwardauth + "/",
		"http://127.0.0.1:3000;": "http://" + app + ";",
	} {
		if !strings.Contains(conf, documented) {
			t.Fatalf("nginx.conf does not say %q", documented)
		}
		conf = strings.ReplaceAll(conf, documented, here)
	}
	dir := t.TempDir()
	var temporary strings.Builder
	for _, of := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "%s_temp_path %s;\n", of, filepath.Join(dir, of))
	}
	conf = "daemon off; master_process off; pid " + filepath.Join(dir, "pid") + "; error_log stderr;\nevents { }\nhttp {\naccess_log off;\n" +
		temporary.String() + conf + "}\n"
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil { //nolint:gosec // in a folder of the test
		t.Fatal(err)
	}
	const script = `"$0" "$@" & child=$!; cat >/dev/null; kill "$child"; wait "$child"`
	cmd := exec.CommandContext(t.Context(), "sh", "-c", script, program, "-e", "stderr", "-p", dir, "-c", path) //nolint:gosec // our own arguments
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Cancel = stdin.Close
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // ended, as it should be
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr); err == nil {
			_ = conn.Close()
			return
		}
	}
	t.Fatal("nginx does not listen")
}

func TestBehindNginx(t *testing.T) {
	s := newSite(t)
	if r := s.send(http.MethodGet, s.base+"/data", "", script...); r.status != http.StatusUnauthorized ||
		r.header.Get("X-Clerk-Auth-Reason") == "" || r.header.Get("Www-Authenticate") == "" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("a script of nobody: %d %v", r.status, r.header)
	}
	s.signIn()

	origin := append([]string{"Origin", s.base}, script...)
	for name, tt := range map[string]struct {
		method string
		header []string
		status int
		want   string
	}{
		"a write of our page":     {http.MethodPost, origin, 200, "POST /data [user_2alice] x=1"},
		"somebody else's name":    {http.MethodPost, append([]string{"X-Clerk-User-Id", "user_evil", "X-Clerk-Session-Id", "sess_evil"}, origin...), 200, "POST /data [user_2alice] x=1"},
		"a write of another site": {http.MethodPost, []string{"Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"}, 403, ""},
		"a write that says it is not": {http.MethodPost, []string{
			"Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site",
			"X-Original-Method", "GET", "X-Original-Url", s.base + "/data", "X-Forwarded-Method", "GET", "X-Http-Method-Override", "GET",
		}, 403, ""},
		"a WebSocket of another site": {http.MethodGet, []string{
			"Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site",
			"Connection", "Upgrade", "Upgrade", "websocket", "Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ==",
		}, 403, ""},
	} {
		before := s.reached.Load()
		r := s.send(tt.method, s.base+"/data", "x=1", tt.header...)
		if r.status != tt.status || tt.want != "" && r.body != tt.want {
			t.Errorf("%s: %d %q, want %d %q", name, r.status, r.body, tt.status, tt.want)
		}
		if got := r.header.Get("X-Clerk-Auth-Reason"); tt.status == http.StatusForbidden && got != string(clerkauth.ReasonCrossOriginRequest) {
			t.Errorf("%s: reason %q, want %s", name, got, clerkauth.ReasonCrossOriginRequest)
		}
		if came := s.reached.Load() != before; came != (tt.status == http.StatusOK) {
			t.Errorf("%s: came to the app: %t", name, came)
		}
	}
}

func TestBrowserStaysSignedInBehindNginx(t *testing.T) {
	s := newSite(t)
	s.signIn()

	s.expire()
	before := s.cookies("__session")
	maps.Copy(before, s.cookies("__refresh_"))
	if r := s.send(http.MethodGet, s.base+"/data", "", script...); r.status != http.StatusOK || r.body != "GET /data [user_2alice] " ||
		r.header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("a script's GET after expiry: %d %q %v, want it refreshed", r.status, r.body, r.header)
	}
	after := s.cookies("__")
	for name, value := range before {
		if after[name] == value || after[name] == "" {
			t.Errorf("%s was not renewed", name)
		}
	}

	s.expire()
	if r := s.send(http.MethodPost, s.base+"/data", "", append([]string{"Origin", s.base}, script...)...); r.status != http.StatusUnauthorized ||
		r.header.Get("X-Clerk-Auth-Reason") != "session-token-expired-refresh-non-eligible-non-get" {
		t.Errorf("a POST after expiry: %d %v", r.status, r.header)
	}
	s.drop("__refresh_")
	if r := s.send(http.MethodGet, s.base+"/page", "", navigation...); r.at != s.base+"/page" || r.body != "GET /page [user_2alice] " {
		t.Errorf("a visit after expiry ends at %s with %d %q, want a handshake and the page", r.at, r.status, r.body)
	}
	for _, session := range s.clerk.BrowserSessions() {
		session.SignOut()
	}
	s.expire()
	if r := s.send(http.MethodGet, s.base+"/page", "", navigation...); !strings.HasPrefix(r.at, s.clerk.URL(clerktest.SignInPage)) {
		t.Errorf("signed out elsewhere: ends at %s, want the sign-in page", r.at)
	}
}

func TestNginxSaysWhenNobodyKnows(t *testing.T) {
	s := newSite(t)
	s.clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	r := s.send(http.MethodGet, s.base+"/data", "", "Authorization", "Bearer "+s.clerk.Token(clerktest.Claims{}))
	if r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" || s.reached.Load() != 0 {
		t.Errorf("%d %v, and %d requests came to the app; want 503 and none", r.status, r.header, s.reached.Load())
	}
}

// A browser gets every cookie, however the app's request was answered, and large ones too.
func TestNginxHandsOnEveryCookie(t *testing.T) {
	program, addr := nginx(t), freePort(t)
	forwardauth := forNginx(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := range nginxCookies {
			w.Header().Add("Set-Cookie", fmt.Sprintf("c%d=%s; Path=/", i, strings.Repeat("x", 1500)))
		}
		if strings.HasSuffix(r.Header.Get("X-Original-Url"), "/round") {
			http.Redirect(w, r, "https://clerk.example.com/", http.StatusTemporaryRedirect)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	runNginx(t, program, addr, serve(t, forwardauth), serve(t, http.NotFoundHandler()))
	stay := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for path, want := range map[string]int{"/round": http.StatusTemporaryRedirect, "/": http.StatusNotFound} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := stay.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		names := map[string]bool{}
		for _, c := range resp.Cookies() {
			names[c.Name] = len(c.Value) == 1500
		}
		if resp.StatusCode != want || len(names) != nginxCookies || !names["c0"] || !names[fmt.Sprintf("c%d", nginxCookies-1)] {
			t.Errorf("%s: %d with %d cookies, want %d with %d", path, resp.StatusCode, len(names), want, nginxCookies)
		}
	}
}
