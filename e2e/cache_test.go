package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// A request with an expired session gets a new one with any response. A caching proxy must not give
// it to the next visitor.

// cached is an app behind a caching proxy.
type cached struct {
	clerk     *clerktest.Instance
	ahead     atomic.Int64 // how far the clock is ahead of the real time
	proxy     string       // its address
	forwarded atomic.Int64 // requests that reached the app
}

func newCached(t *testing.T, run func(t *testing.T, backend string) string) *cached {
	t.Helper()
	c := &cached{}
	c.clerk = clerktest.New(t, clerktest.Options{Now: func() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }})
	auth, err := clerkauth.New(c.clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", auth.Optional(c.site(t)))
	// Nothing protects these: they show that the proxy stores what it can, including cookies.
	mux.HandleFunc("/unprotected", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Header().Set("Set-Cookie", "__session=leaked")
		fmt.Fprint(w, "text")
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.forwarded.Add(1)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c.proxy = run(t, server.Listener.Addr().String())
	return c
}

// site serves what a proxy would like to store.
func (c *cached) site(t *testing.T) http.Handler {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.js"), []byte("export {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	set := func(next http.Handler, pairs ...string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				w.Header().Set(pairs[i], pairs[i+1])
			}
			next.ServeHTTP(w, r)
		})
	}
	files := http.StripPrefix("/assets", http.FileServer(http.Dir(dir)))
	public := []string{"Cache-Control", "public, max-age=31536000, immutable"}
	text := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "text") })
	mux.Handle("/assets/", set(files, public...))
	mux.Handle("/nothing", set(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), public...))
	mux.Handle("/page", set(text, public...))
	mux.Handle("/expires", set(text, "Expires", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)))
	mux.Handle("/accel", set(text, "X-Accel-Expires", "3600"))
	mux.Handle("/surrogate", set(text, "Surrogate-Control", "max-age=3600", "CDN-Cache-Control", "max-age=3600", public[0], public[1]))
	mux.Handle("/late", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=3600")
		w.Header().Del("Set-Cookie")
		_ = http.NewResponseController(w).Flush()
		fmt.Fprint(w, "late")
	}))
	return mux
}

// answer is the part of a response that is compared.
type answer struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	reached bool // the app got the request: the response is not from the cache
}

// get sends a request to the proxy.
func (c *cached) get(t *testing.T, path string, cookies []*http.Cookie, header ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+c.proxy+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "example.com"
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	before := c.forwarded.Load()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	return answer{resp.StatusCode, resp.Header, resp.Cookies(), c.forwarded.Load() != before}
}

func TestCachingProxiesKeepNoSession(t *testing.T) {
	for name, run := range map[string]func(*testing.T, string) string{"Apache": apache, "nginx": nginx} {
		t.Run(name, func(t *testing.T) {
			c := newCached(t, run)
			c.get(t, "/unprotected", nil)
			if a := c.get(t, "/unprotected", nil); a.reached || len(a.cookies) == 0 {
				t.Fatalf("the proxy does not cache cookies (reached the app: %t, cookies %v), so that the test shows nothing", a.reached, a.cookies)
			}
			for _, path := range []string{
				"/assets/app.js", "/assets/none.js", "/nothing", "/page", "/expires", "/accel", "/surrogate", "/late", "/assets/app.js?again",
			} {
				c.visit(t, path, true, "If-None-Match", `"1"`, "If-Modified-Since", "Thu, 01 Jan 2099 00:00:00 GMT")
			}
			c.visit(t, "/assets/app.js?script", false, "Sec-Fetch-Dest", "script")
			if c.get(t, "/assets/app.js", nil).reached {
				t.Error("the proxy does not cache a public file any more")
			}
		})
	}
}

// visit requests a path with an expired session, and then twice as a stranger.
func (c *cached) visit(t *testing.T, path string, renewed bool, header ...string) {
	t.Helper()
	cookies := c.clerk.SignIn(nil, clerktest.Person{}).Cookies()
	c.ahead.Add(int64(5 * time.Minute)) // the visitor's token expires
	a := c.get(t, path, cookies, header...)
	got := slices.ContainsFunc(a.cookies, func(c *http.Cookie) bool { return strings.HasPrefix(c.Name, "__session") && c.Value != "" })
	if got != renewed {
		t.Errorf("%s: the visitor gets a new session %t, want %t: %d %v", path, got, renewed, a.status, a.header)
	}
	for _, when := range []string{"first", "second"} {
		if a := c.get(t, path, nil); len(a.cookies) > 0 || strings.Contains(a.header.Get("Cache-Control"), "private") {
			t.Errorf("%s: the %s stranger gets the header %v, want no cookies and nothing private", path, when, a.header)
		}
	}
}

// installed returns the path of a program of a Debian package.
func installed(t *testing.T, path, pkg string) string {
	t.Helper()
	program, err := exec.LookPath(path)
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatalf("%s is not installed: Debian package %s", path, pkg)
	case err != nil:
		t.Skipf("%s is not installed: Debian package %s", path, pkg)
	}
	return program
}

// apache runs Apache with mod_cache as its manual configures it, before a backend.
func apache(t *testing.T, backend string) string {
	t.Helper()
	program := installed(t, "/usr/sbin/apache2", "apache2")
	dir := openDir(t)
	addr := freeAddr(t)
	var conf strings.Builder
	for _, module := range []string{"mpm_event", "authz_core", "proxy", "proxy_http", "cache", "cache_disk"} {
		fmt.Fprintf(&conf, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", module, module)
	}
	if os.Getuid() == 0 {
		conf.WriteString("User www-data\nGroup www-data\n")
	}
	fmt.Fprintf(&conf, `ServerName example.com
Listen %s
DefaultRuntimeDir %s
PidFile %s/pid
ErrorLog /dev/stderr
LogLevel error
CacheRoot %s/cache
CacheEnable disk /
CacheDefaultExpire 3600
CacheIgnoreNoLastMod On
ProxyPreserveHost On
ProxyPass / http://%s/
`, addr, dir, dir, dir, backend)
	runProxy(t, addr, dir, conf.String(), program, "-X", "-d", dir, "-f")
	return addr
}

// nginx runs nginx with a cache, before a backend. By default it stores no response with cookies;
// many people switch that off.
func nginx(t *testing.T, backend string) string {
	t.Helper()
	program := installed(t, "/usr/sbin/nginx", "nginx")
	dir := t.TempDir()
	addr := freeAddr(t)
	var temporary strings.Builder
	for _, of := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "%s_temp_path %s/%s;\n", of, dir, of)
	}
	runProxy(t, addr, dir, fmt.Sprintf(`daemon off; master_process off; pid %s/pid; error_log stderr;
events { }
http {
access_log off;
%s
proxy_cache_path %s/cache keys_zone=all:1m;
server {
	listen %s;
	location / {
		proxy_pass http://%s;
		proxy_set_header Host $http_host;
		proxy_cache all;
		proxy_cache_valid any 1h;
		proxy_ignore_headers Set-Cookie;
	}
}
}
`, dir, temporary.String(), dir, addr, backend), program, "-e", "stderr", "-p", dir, "-c")
	return addr
}

// openDir returns a directory for a server that drops its privileges.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "clerkauth") //nolint:usetesting // only root can read a test's own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // see above
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "cache"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "cache"), 0o777); err != nil { //nolint:gosec // as above
		t.Fatal(err)
	}
	return dir
}

func freeAddr(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// runProxy runs a program with a configuration until the test is over, even if the test's process
// crashes: then the pipe that the shell reads is closed. The program listens when runProxy returns.
func runProxy(t *testing.T, addr, dir, conf string, command ...string) {
	t.Helper()
	path := filepath.Join(dir, "proxy.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `"$0" "$@" & child=$!; cat >/dev/null; kill "$child"; wait "$child"`
	cmd := exec.CommandContext(t.Context(), "sh", append(append([]string{"-c", script}, command...), path)...) //nolint:gosec // our own arguments
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Cancel = stdin.Close
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // it was killed
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr); err == nil {
			_ = conn.Close()
			return
		}
	}
	t.Fatalf("%s does not listen", command[0])
}
