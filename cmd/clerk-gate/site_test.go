package main

import (
	"context"
	"crypto/sha1" //nolint:gosec // for WebSockets
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// site is an app behind a gateway, with a browser, the gate and a Clerk instance.
type site struct {
	t      *testing.T
	kind   string            // of gateway
	addr   string            // of the gateway
	edit   map[string]string // replacements in its configuration, besides addresses
	base   string
	clerk  *clerktest.Instance
	ahead  atomic.Int64 // how far the clock is ahead
	client *http.Client

	gate         *httptest.Server
	gateConns    atomic.Int64                 // connections to the gate so far
	authRequests atomic.Int64                 // requests to the gate so far
	fault        atomic.Pointer[http.Handler] // answers instead of the gate

	app   *httptest.Server
	quiet bool // the app does not keep what it sees
	mu    sync.Mutex
	seen  []*http.Request // what reached the app
}

// newSite starts everything. start starts the gateway and returns when it listens.
func newSite(t *testing.T, kind string, start func(*testing.T, *site)) *site {
	t.Helper()
	s := &site{t: t, kind: kind, addr: freePort(t)}
	s.base = "http://" + s.addr
	var err error
	s.clerk, err = clerktest.Start(clerktest.Options{
		Development: true, Origins: []string{s.base},
		Now: func() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.clerk.Close)
	cfg := s.clerk.Config()
	cfg.SignInURL = s.clerk.URL(clerktest.SignInPage)
	g := newTestGate(t, kind, cfg)
	s.gate = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.authRequests.Add(1)
		if fault := s.fault.Load(); fault != nil {
			(*fault).ServeHTTP(w, r)
			return
		}
		g.ServeHTTP(w, r)
	}))
	s.gate.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.gateConns.Add(1)
		}
	}
	s.gate.Config.MaxHeaderBytes = headerLimit
	s.gate.Start()
	t.Cleanup(func() {
		s.gate.CloseClientConnections()
		s.gate.Close()
	})
	s.app = httptest.NewServer(http.HandlerFunc(s.serveApp))
	t.Cleanup(func() {
		s.app.CloseClientConnections()
		s.app.Close()
	})
	start(t, s)
	s.reset()
	return s
}

// newTestGate returns a gate with the defaults of the command line.
func newTestGate(t *testing.T, kind string, cfg clerkauth.Config) *gate {
	t.Helper()
	o, err := parseOptions([]string{"-gateway", kind}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.clerk = cfg
	g, err := newGate(o, slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// serveApp is an app that trusts the gateway. It answers with the header as a CGI-like server reads it.
func (s *site) serveApp(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if !s.quiet {
		s.mu.Lock()
		s.seen = append(s.seen, r.Clone(context.WithoutCancel(r.Context())))
		s.mu.Unlock()
	}
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		echoOnce(w, r.Header.Get("Sec-Websocket-Key"))
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	w.Header().Set("Set-Cookie", "app=1")
	fmt.Fprintf(w, "%s %s %s %s", r.Method, r.RequestURI, asCGI(r.Header)["HTTP_X_CLERK_USER_ID"], body) //nolint:gosec // no browser shows it
}

// echoOnce is a minimal WebSocket: it switches, and sends the first line back.
func echoOnce(w http.ResponseWriter, key string) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // RFC 6455 section 4.2.2 requires it
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))
	line, _ := buffered.ReadString('\n')
	_, _ = io.WriteString(conn, line)
}

// asCGI returns the header as the environment of a CGI program (RFC 3875 section 4.1.18). Some
// servers replace more characters than - by an underscore.
func asCGI(h http.Header) map[string][]string {
	env := map[string][]string{}
	for name, values := range h {
		key := "HTTP_" + strings.Map(func(c rune) rune {
			if c < '0' || c > '9' && c < 'A' || c > 'Z' {
				return '_'
			}
			return c
		}, strings.ToUpper(name))
		env[key] = append(env[key], values...)
	}
	return env
}

func (s *site) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
}

// reached returns the requests that the app has got since the last reset.
func (s *site) reached() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// newBrowser discards all cookies.
func (s *site) newBrowser() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.client = &http.Client{Jar: jar, Timeout: 20 * time.Second, Transport: &http.Transport{DisableCompression: true}}
	s.t.Cleanup(s.client.CloseIdleConnections)
	s.reset()
}

func (s *site) url() *url.URL { return &url.URL{Scheme: "http", Host: s.addr, Path: "/"} }

// as signs a person in, with the cookies that a handshake would set.
func (s *site) as(subject string) *clerktest.BrowserSession {
	s.newBrowser()
	person := clerktest.Person{Claims: clerktest.Claims{Subject: subject}}
	if subject != "user_2carol" {
		person.Claims.Organization = clerkauth.Organization{ID: "org_2acme", Slug: "acme", Role: "org:member"}
		person.Claims.Permissions = []string{"org:invoices:read", "org:invoices:create"}
	}
	if subject == "user_2alice" {
		person.Claims.Organization.Role = "org:admin"
	}
	session := s.clerk.SignIn(s.client.Jar, person)
	s.client.Jar.SetCookies(s.url(), session.Cookies())
	return session
}

// expire lets the session token expire, and all that is valid for less time.
func (s *site) expire() { s.ahead.Add(int64(70 * time.Second)) }

func (s *site) cookie(prefix string) string {
	for _, c := range s.client.Jar.Cookies(s.url()) {
		if strings.HasPrefix(c.Name, prefix) {
			return c.Value
		}
	}
	return ""
}

// drop deletes cookies from the browser.
func (s *site) drop(prefix string) {
	for _, c := range s.client.Jar.Cookies(s.url()) {
		if strings.HasPrefix(c.Name, prefix) {
			s.client.Jar.SetCookies(s.url(), []*http.Cookie{{Name: c.Name, Path: "/", MaxAge: -1}}) //nolint:gosec // it sets none
		}
	}
}

var (
	navigation = []string{"Sec-Fetch-Dest", "document", "Sec-Fetch-Mode", "navigate", "Accept", "text/html", "Sec-Fetch-Site", "none"}
	script     = []string{"Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "same-origin"}
	elsewhere  = []string{"Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site"}
)

// reply is the final answer to a browser's request, and its URL.
type reply struct {
	at     string
	status int
	header http.Header
	body   string
}

func (s *site) send(method, target string, header ...string) reply {
	s.t.Helper()
	if strings.HasPrefix(target, "/") {
		target = s.base + target
	}
	var body io.Reader = http.NoBody
	if method == http.MethodPost {
		body = strings.NewReader("x=1")
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, target, body)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header = with(r.Header, header...)
	resp, err := s.client.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, target, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return reply{resp.Request.URL.String(), resp.StatusCode, resp.Header, string(text)}
}
