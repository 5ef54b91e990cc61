package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// watched reports when the secret key is in a response of a server.
type watched struct {
	http.ResponseWriter

	secret []byte
	said   func(where string)
}

func (w *watched) look() {
	for name, values := range w.Header() {
		if strings.Contains(strings.Join(values, " "), string(w.secret)) {
			w.said("header " + name)
		}
	}
}

func (w *watched) WriteHeader(status int) {
	w.look()
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(p []byte) (int, error) {
	w.look()
	if bytes.Contains(p, w.secret) {
		w.said("body")
	}
	return w.ResponseWriter.Write(p)
}

func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// syncBuffer is a log that several goroutines may write.
type syncBuffer struct {
	bytes.Buffer

	mu sync.Mutex // guards the buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

// withScripts is the network of an instance whose Frontend API serves Clerk's scripts.
type withScripts struct {
	scripts http.Handler
	next    http.RoundTripper
}

func (n withScripts) RoundTrip(r *http.Request) (*http.Response, error) {
	if !clerkScript.MatchString(r.URL.Path) {
		return n.next.RoundTrip(r)
	}
	w := httptest.NewRecorder()
	n.scripts.ServeHTTP(w, r)
	return w.Result(), nil
}

// realProxied is a site with one host: the app's, which proxies the Frontend API.
func realProxied(t *testing.T, opts clerktest.Options, proxyURL string) *realSite {
	t.Helper()
	s := &realSite{frontend: &frontendHost{modules: modules(t)}}
	opts.Domain, opts.Origins, opts.ProxyURLs = domain, []string{appOrigin}, []string{appOrigin + "/__clerk"}
	clerk := clerktest.New(t, opts)
	s.app = &realApp{key: clerk.PublishableKey(), proxy: proxyURL, api: appOrigin}
	cfg := clerk.Config()
	cfg.ProxyURL, cfg.ClockSkew = proxyURL, -1
	cfg.HTTPClient = &http.Client{Transport: withScripts{s.frontend, cfg.HTTPClient.Transport}}
	log := &syncBuffer{}
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	t.Cleanup(func() {
		if log.Len() > 0 {
			t.Errorf("the log has %s, want nothing", strings.ReplaceAll(log.String(), clerk.SecretKey(), "THE SECRET KEY"))
		}
	})
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.site = loopback(t, map[string]http.Handler{appOrigin: proxying(t, auth, s.app.handler(t, auth, nil), clerk.SecretKey())})
	s.clerk, s.home = clerk, appOrigin
	return s
}

// proxying is an app with the proxy, whose responses never have the secret key.
func proxying(t *testing.T, auth *clerkauth.Authenticator, app http.Handler, secret string) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/__clerk/", auth.FrontendAPIProxy())
	mux.Handle("/", app)
	all := auth.Optional(mux) // does not refuse the proxy's requests
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		all.ServeHTTP(&watched{w, []byte(secret), func(where string) { t.Errorf("%s %s: the secret key is in the %s", r.Method, r.URL, where) }}, r)
	})
}

// realProxiedDevelopment is a site on localhost, where the app sets only a path.
func realProxiedDevelopment(t *testing.T, opts clerktest.Options) *realSite {
	t.Helper()
	s := &realSite{frontend: &frontendHost{modules: modules(t)}}
	server := httptest.NewUnstartedServer(nil)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s.site = loopback(t, nil)
	s.home = "http://localhost:" + port
	opts.Development, opts.Origins = true, []string{s.home}
	s.opts = opts
	s.restart(t)
	frontend := httptest.NewServer(s.frontend)
	t.Cleanup(frontend.Close)
	s.app = &realApp{key: s.clerk.PublishableKey(), proxy: "/__clerk", api: s.home}
	cfg := s.clerk.Config()
	cfg.ProxyURL, cfg.FrontendAPIURL, cfg.ClockSkew = "/__clerk", frontend.URL, -1
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = proxying(t, auth, s.app.handler(t, auth, nil), s.clerk.SecretKey())
	server.Start()
	t.Cleanup(server.Close)
	return s
}

// party returns the azp of the session cookie that a browser has for the app.
func (s *realSite) party(b *tab) string {
	b.t.Helper()
	c := b.clerks(s.home)["__session"]
	if c == nil {
		b.t.Fatal("the browser has no session cookie for the app")
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(c.Value, ".")[1])
	var claims struct{ AZP, Iss string }
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil || claims.Iss != appOrigin+"/__clerk" {
		b.t.Errorf("the token has the claims %s (%v), want the issuer %s/__clerk", payload, err, appOrigin)
	}
	return claims.AZP
}

// Only the app's name resolves: no CNAME record could be used.
func TestRealClerkThroughTheProxy(t *testing.T) {
	t.Parallel()
	opts := realOptions()
	opts.TokenLifetime = lifetimeForScripts
	s := realProxied(t, opts, appOrigin+"/__clerk")
	b := s.openScript(t, "/")
	s.says(b, "a first visit", "nobody", "")
	s.withTicket(b, dora)
	s.says(b, "signed in", "user_dora", "org_acme") // loads a page: the script requests the client, without an Origin
	b.until(`fetch("/me").then(r => r.ok)`)
	if azp := s.party(b); azp != "" {
		t.Errorf("the script has a token for %s, want one that names no party", azp)
	}
	if got := b.me(); got != "200 user_dora org_acme" {
		t.Errorf("with such a token: got %s, want \"200 user_dora org_acme\"", got)
	}

	tokens := evaluate[int](b, renewed, (2 * lifetimeForScripts).Milliseconds())
	if tokens < 3 {
		t.Errorf("%d tokens in two lifetimes, want at least 3", tokens)
	}
	s.says(b, "renewed", "user_dora", "org_acme")
	b.picture()

	// Without the cookie of earlier visits, a token without azp is not accepted.
	deleted := 0
	for _, c := range b.cookies(s.home) {
		if strings.HasPrefix(c.Name, "__Host-clerkauth_party") {
			deleted++
			if _, err := chromedp.Call(b.chromium(), network.DeleteCookies, network.DeleteCookiesParams{Name: c.Name, URL: s.home}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := b.me(); deleted != 1 || got != "401 session-token-missing-azp" {
		t.Errorf("without %d party cookies: %s, want 1 401 session-token-missing-azp", deleted, got)
	}
	b.visit(s.home + "/private") // with a handshake through the proxy
	b.expect("a page after that", place{URL: s.home + "/private", Who: "user_dora"})
	b.loaded()
	b.signOut()
	s.says(b, "signed out", "nobody", "")
	s.checkProxied(t)
}

// The app sets only a path. The issuer of its tokens is that path at its origin.
func TestRealClerkThroughTheProxyAtAPath(t *testing.T) {
	t.Parallel()
	s := realProxied(t, realOptions(), "/__clerk")
	b := s.openScript(t, "/")
	s.says(b, "a first visit", "nobody", "")
	s.withTicket(b, dora)
	s.says(b, "signed in", "user_dora", "org_acme")
	if azp := s.party(b); azp != "" {
		t.Errorf("the script has a token for %s, want one that names no party", azp)
	}
	b.signOut()
	s.says(b, "signed out", "nobody", "")
}

func TestRealClerkThroughTheProxyInDevelopment(t *testing.T) {
	t.Parallel()
	s := realProxiedDevelopment(t, realOptions())
	b := s.openScript(t, "/")
	s.says(b, "a first visit", "nobody", "")
	s.withTicket(b, dora)
	s.says(b, "signed in", "user_dora", "org_acme")
	b.visit(s.home + "/private")
	b.expect("a page", place{URL: s.home + "/private", Who: "user_dora"})
	b.loaded()
	b.signOut()
	s.says(b, "signed out", "nobody", "")
	for _, r := range s.clerk.Requests() {
		if !strings.HasPrefix(string(r.Endpoint), "backend") && r.Header.Get("Clerk-Proxy-Url") != s.home+"/__clerk" {
			t.Errorf("%s %s was sent from %q, want %s/__clerk", r.Method, r.Path, r.Header.Get("Clerk-Proxy-Url"), s.home)
		}
	}
}

const renewed = `(async () => {
	const until = Date.now() + %d, seen = new Set();
	while (Date.now() < until) {
		const r = await fetch("/me");
		if (!r.ok) throw new Error(r.status + " " + r.headers.get("X-Clerk-Auth-Reason"));
		seen.add(document.cookie.split("; ").find(c => c.startsWith("__session=")));
		await new Promise(later => setTimeout(later, 500));
	}
	return seen.size;
})()`

// checkProxied checks the requests to the instance: all by the proxy, and scripts' GETs without an
// Origin.
func (s *realSite) checkProxied(t *testing.T) {
	t.Helper()
	counts := map[clerktest.Endpoint]int{}
	for _, r := range s.clerk.Requests() {
		if strings.HasPrefix(string(r.Endpoint), "backend") {
			continue
		}
		counts[r.Endpoint]++
		if r.Host != "frontend-api.clerk.dev" || !r.SecretKey || r.Header.Get("Clerk-Proxy-Url") != appOrigin+"/__clerk" || r.Header.Get("X-Forwarded-For") != "127.0.0.1" {
			t.Errorf("%s %s of %s has the header %v, want the proxy's with the secret key, for the client 127.0.0.1", r.Method, r.Path, r.Host, r.Header)
		}
		if r.Method == http.MethodGet && r.Header.Get("Origin") != "" {
			t.Errorf("GET %s has an Origin, so that the party cookie is not needed and not tested", r.Path)
		}
		if strings.Contains(r.Header.Get("Cookie"), "clerkauth") {
			t.Errorf("%s %s has cookies of this library: %s", r.Method, r.Path, r.Header.Get("Cookie"))
		}
	}
	for _, e := range []clerktest.Endpoint{clerktest.FrontendClient, clerktest.FrontendSignIns, clerktest.FrontendSessionTokens, clerktest.FrontendHandshake, clerktest.FrontendEnvironment} {
		if counts[e] == 0 {
			t.Errorf("there was no request for %s", e)
		}
	}
}
