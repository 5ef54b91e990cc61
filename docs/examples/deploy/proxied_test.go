package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// proxied is the app behind a proxy that terminates TLS, configured as docs/deploy.md says.
type proxied struct {
	clerk  *clerktest.Instance
	ahead  time.Duration // of the real time
	app    *httptest.Server
	dir    string // of the proxy, with its certificate
	addr   string // where the proxy listens
	client *http.Client
	seen   int // requests that reached the app
}

func newProxied(t *testing.T) *proxied {
	t.Helper()
	p := &proxied{dir: t.TempDir()}
	p.clerk = clerktest.New(t, clerktest.Options{Now: func() time.Time { return time.Now().Add(p.ahead) }})
	cfg := p.clerk.Config()
	cfg.Logger = slog.New(slog.DiscardHandler)
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /account", auth.Require(http.HandlerFunc(account)))
	mux.Handle("GET /socket", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") && strings.EqualFold(r.Header.Get("Connection"), "upgrade") {
			fmt.Fprint(w, "upgrade")
		}
	})))
	mux.HandleFunc("GET /assets/app.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=86400")
		fmt.Fprint(w, "// app")
	})
	p.app = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.seen++
		auth.Optional(mux).ServeHTTP(w, r)
	}))
	t.Cleanup(p.app.Close)
	p.certify(t)
	return p
}

// certify writes httptest's certificate, which is for example.com, where the proxy finds it.
func (p *proxied) certify(t *testing.T) {
	t.Helper()
	own := httptest.NewTLSServer(nil)
	defer own.Close()
	pair := own.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	private := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	for name, content := range map[string][]byte{"cert.pem": certificate, "key.pem": private, "both.pem": append(certificate, private...)} {
		if err := os.WriteFile(filepath.Join(p.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	p.client = own.Client()
	p.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	p.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, p.addr)
	}
}

// configuration is a block of docs/deploy.md, with this machine's addresses and files in the place of the page's.
func (p *proxied) configuration(t *testing.T, language string, number int) string {
	t.Helper()
	page, err := os.ReadFile("../../deploy.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllSubmatch(page, -1)
	if len(blocks) <= number {
		t.Fatalf("docs/deploy.md has %d blocks of %s, want more than %d", len(blocks), language, number)
	}
	text := string(blocks[number][1])
	_, port, _ := net.SplitHostPort(p.addr)
	for old, new := range map[string]string{
		"127.0.0.1:8080":                 p.app.Listener.Addr().String(),
		"listen 443 ssl":                 "listen " + p.addr + " ssl",
		"bind :443 ssl":                  "bind " + p.addr + " ssl",
		"/etc/ssl/example.com.pem":       p.dir + "/cert.pem",
		"/etc/ssl/example.com.key":       p.dir + "/key.pem",
		"/etc/haproxy/example.com.pem":   p.dir + "/both.pem",
		"/var/cache/nginx/assets":        p.dir + "/assets",
		"example.com {\n\treverse_proxy": "https://example.com:" + port + " {\n\tbind 127.0.0.1\n\ttls " + p.dir + "/cert.pem " + p.dir + "/key.pem\n\treverse_proxy",
	} {
		text = strings.ReplaceAll(text, old, new)
	}
	return text
}

// start runs a proxy until the test ends, and waits until it listens.
func (p *proxied) start(t *testing.T, program, pkg, configuration string, arguments ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatalf("%s is not installed: Debian package %s", program, pkg)
	case err != nil:
		t.Skipf("%s is not installed: Debian package %s", program, pkg)
	}
	file := filepath.Join(p.dir, "configuration")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(p.dir, "log")
	out, err := os.Create(log) //nolint:gosec // the test's own directory
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()

	cmd := exec.CommandContext(t.Context(), path, append(arguments, file)...) //nolint:gosec // a proxy, and our own arguments
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, out, out
	cmd.Env = append(os.Environ(), "HOME="+p.dir, "XDG_DATA_HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for deadline := time.After(20 * time.Second); ; {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.addr)
		if err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(log) //nolint:gosec // the test's own directory
			t.Fatalf("%s ended:\n%s", program, text)
		case <-deadline:
			t.Fatalf("%s does not listen", program)
		case <-time.Tick(20 * time.Millisecond):
		}
	}
}

// answer is a response, as the client behind the proxy gets it.
type answer struct {
	status  int
	header  http.Header
	cookies []*http.Cookie
	body    string
}

// get asks with cookies and lines of the header.
func (p *proxied) get(t *testing.T, path string, cookies []*http.Cookie, lines ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com"+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	for _, c := range cookies {
		r.AddCookie(c)
	}
	resp, err := p.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, resp.Cookies(), string(body)}
}
