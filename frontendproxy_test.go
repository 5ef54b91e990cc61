package clerkauth_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

const (
	proxySecret     = "sk_live_9aZ4kQ7xV2mN8bC3rT6y"
	proxyTestSecret = "sk_test_9aZ4kQ7xV2mN8bC3rT6y"
)

// proxyConfig is a production application with a proxied Frontend API, and with transport as its network.
func proxyConfig(proxyURL string, transport http.RoundTripper) clerkauth.Config {
	return clerkauth.Config{
		PublishableKey: liveKey, SecretKey: proxySecret, ProxyURL: proxyURL,
		AuthorizedParties: []string{"https://example.com", "https://*.preview.example.com", "http://localhost:3000"},
		HTTPClient:        &http.Client{Transport: transport},
	}
}

// upstream records requests, and answers {}.
type upstream struct {
	received []*http.Request
	err      error
}

func (a *upstream) RoundTrip(r *http.Request) (*http.Response, error) {
	a.received = append(a.received, r)
	h := http.Header{"Set-Cookie": {"__client=planted; Path=/"}, "Location": {"https://evil.test/"}}
	return &http.Response{StatusCode: http.StatusFound, Header: h, Body: io.NopCloser(strings.NewReader("{}"))}, a.err
}

func mustNew(t *testing.T, cfg clerkauth.Config) *clerkauth.Authenticator {
	t.Helper()
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

func serverRequest(target string, edits ...harness.Edit) *http.Request {
	return harness.Request(http.MethodGet, target, append(edits, harness.AsServer)...)
}

func TestFrontendAPIProxyPanics(t *testing.T) {
	for name, change := range map[string]func(*clerkauth.Config){
		"SecretKey": func(c *clerkauth.Config) { c.SecretKey = "" },
		"ProxyURL":  func(c *clerkauth.Config) { c.ProxyURL = "" },
		"no path":   func(c *clerkauth.Config) { c.ProxyURL = "https://clerk-proxy.example.com" },
		"the root":  func(c *clerkauth.Config) { c.ProxyURL = "/" },
		"itself": func(c *clerkauth.Config) {
			c.ProxyURL, c.FrontendAPIURL = "https://example.com/__clerk", "https://example.com/__clerk"
		},
	} {
		cfg := proxyConfig("/__clerk", nil)
		change(&cfg)
		auth := mustNew(t, cfg)
		func() {
			defer func() {
				if said, _ := recover().(string); !strings.HasPrefix(said, "clerkauth: FrontendAPIProxy: Config.") {
					t.Errorf("%s: got the panic %q, want one that names the field", name, said)
				}
			}()
			auth.FrontendAPIProxy()
		}()
	}
}

// The secret key is sent to Clerk's host for proxies, or to the one that the application names.
func TestFrontendAPIProxyUpstream(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*clerkauth.Config)
		want   string
	}{
		"production":     {nil, "https://frontend-api.clerk.dev/v1/client"},
		"development":    {func(c *clerkauth.Config) { c.PublishableKey, c.SecretKey = testKey, proxyTestSecret }, "https://frontend-api.clerk.dev/v1/client"},
		"FrontendAPIURL": {func(c *clerkauth.Config) { c.FrontendAPIURL = "https://fapi.internal.example/clerk/" }, "https://fapi.internal.example/clerk/v1/client"},
		"this machine":   {func(c *clerkauth.Config) { c.FrontendAPIURL = "http://127.0.0.1:7001" }, "http://127.0.0.1:7001/v1/client"},
		"no publishable": {func(c *clerkauth.Config) { c.PublishableKey, c.Issuers = "", []string{"https://clerk.example.com"} }, "https://frontend-api.clerk.dev/v1/client"},
		"a key of this": {func(c *clerkauth.Config) {
			c.PublishableKey, c.SecretKey = harness.PublishableKey("pk_test_", "http://localhost:8000"), "sk_test_9aZ4kQ7xV2mN8bC3rT6y"
		}, "http://localhost:8000/v1/client"},
		"a satellite":      {func(c *clerkauth.Config) { c.Satellite = &clerkauth.Satellite{} }, "https://frontend-api.clerk.dev/v1/client"},
		"of a custom path": {func(c *clerkauth.Config) { c.ProxyURL = "/auth/clerk/" }, "https://frontend-api.clerk.dev/v1/client"},
	} {
		network := &upstream{}
		cfg := proxyConfig("/__clerk", network)
		cfg.AuthorizedParties = cfg.AuthorizedParties[:1]
		if tt.change != nil {
			tt.change(&cfg)
		}
		path := strings.TrimRight(cfg.ProxyURL, "/") + "/v1/client"
		w := harness.Serve(mustNew(t, cfg).FrontendAPIProxy(), serverRequest("https://example.com"+path))
		if w.Code != http.StatusFound || len(network.received) != 1 || network.received[0].URL.String() != tt.want || network.received[0].Header.Get("Clerk-Secret-Key") != cfg.SecretKey {
			t.Errorf("%s: got %d and the requests %v, want 302 and one to %s with the secret key", name, w.Code, network.received, tt.want)
		}
	}
}

// The proxy's URL for Clerk is from ProxyURL and the allowlist, never from the request alone.
func TestFrontendAPIProxyHost(t *testing.T) {
	trusting := func(c *clerkauth.Config) { c.TrustForwardedHeaders = true }
	const path, absolute = "/__clerk", "https://example.com/__clerk"
	for name, tt := range map[string]struct {
		proxyURL, target string
		edits            []harness.Edit
		change           func(*clerkauth.Config)
		want             string // Clerk-Proxy-Url; empty: refused
	}{
		"a path":                         {path, "https://example.com", nil, nil, absolute},
		"a path, TLS ends in front":      {path, "http://example.com", nil, nil, absolute},
		"a path, at a pattern's host":    {path, "https://pr-7.preview.example.com", nil, nil, "https://pr-7.preview.example.com/__clerk"},
		"a path, in development":         {path, "http://localhost:3000", nil, nil, "http://localhost:3000/__clerk"},
		"a path, in capitals":            {path, "https://EXAMPLE.com", nil, nil, absolute},
		"a path, with the port":          {path, "https://example.com:443", nil, nil, absolute},
		"a path, another port":           {path, "https://example.com:8443", nil, nil, ""},
		"a path, another host":           {path, "https://evil.test", nil, nil, ""},
		"a path, a sibling subdomain":    {path, "https://blog.example.com", nil, nil, ""},
		"a path, an invalid host":        {path, "https://example.com", []harness.Edit{harness.Host("example.com@evil.test")}, nil, ""},
		"a path, no host":                {path, "https://example.com", []harness.Edit{harness.Host("")}, nil, ""},
		"a path, AllowParty":             {path, "https://tenant.test", nil, allowTenant, "https://tenant.test/__clerk"},
		"a path, AllowParty says no":     {path, "https://evil.test", nil, allowTenant, ""},
		"absolute":                       {absolute, "https://example.com", nil, nil, absolute},
		"absolute, TLS ends in front":    {absolute, "http://example.com", nil, nil, absolute},
		"absolute, with the port":        {absolute + "/", "https://example.com:443", nil, nil, absolute},
		"absolute, in capitals":          {"https://EXAMPLE.com/__clerk", "https://Example.COM", nil, nil, absolute},
		"absolute, another host":         {absolute, "https://pr-7.preview.example.com", nil, nil, ""},
		"absolute, not listed":           {"https://auth.example.net/__clerk", "https://auth.example.net", nil, nil, "https://auth.example.net/__clerk"},
		"forwarded, and not trusted":     {path, "https://example.com", []harness.Edit{harness.With("X-Forwarded-Host", "pr-7.preview.example.com"), harness.With("X-Forwarded-Proto", "http")}, nil, absolute},
		"forwarded":                      {path, "http://10.0.0.1:8080", []harness.Edit{harness.With("X-Forwarded-Host", "example.com"), harness.With("X-Forwarded-Proto", "https")}, trusting, absolute},
		"forwarded, absolute":            {absolute, "http://10.0.0.1:8080", []harness.Edit{harness.With("X-Forwarded-Host", "example.com")}, trusting, absolute},
		"forwarded, another host":        {path, "http://10.0.0.1:8080", []harness.Edit{harness.With("X-Forwarded-Host", "evil.test")}, trusting, ""},
		"forwarded, two hosts":           {path, "http://10.0.0.1:8080", []harness.Edit{harness.With("X-Forwarded-Host", "example.com", "evil.test")}, trusting, ""},
		"forwarded, a list":              {path, "http://10.0.0.1:8080", []harness.Edit{harness.With("X-Forwarded-Host", "example.com, evil.test")}, trusting, ""},
		"the internal name of this host": {absolute, "http://10.0.0.1:8080", nil, nil, ""},
	} {
		network := &upstream{}
		cfg := proxyConfig(tt.proxyURL, network)
		if tt.change != nil {
			tt.change(&cfg)
		}
		w := harness.Serve(mustNew(t, cfg).FrontendAPIProxy(), serverRequest(tt.target+"/__clerk/v1/client", append(tt.edits, harness.With("X-Forwarded-For", "6.6.6.6, 198.51.100.7"))...))
		if tt.want == "" {
			if w.Code != http.StatusForbidden || len(network.received) != 0 {
				t.Errorf("%s: got %d and the requests %v, want 403 and none", name, w.Code, network.received)
			}
			continue
		}
		if w.Code != http.StatusFound || len(network.received) != 1 {
			t.Errorf("%s: got %d and the requests %v, want 302 and one", name, w.Code, network.received)
			continue
		}
		scheme, rest, _ := strings.Cut(tt.want, "://")
		h := network.received[0].Header
		if client := h.Get("X-Forwarded-For"); client != "192.0.2.1" && !cfg.TrustForwardedHeaders || client != "198.51.100.7" && cfg.TrustForwardedHeaders {
			t.Errorf("%s: got the client address %s in the request to Clerk, want the proxy's header only if it is trusted", name, client)
		}
		if got := h["Clerk-Proxy-Url"]; len(got) != 1 || got[0] != tt.want || h.Get("X-Forwarded-Proto") != scheme || h.Get("X-Forwarded-Host")+"/__clerk" != rest {
			t.Errorf("%s: got Clerk-Proxy-Url %v, want %s", name, h, tt.want)
		}
	}
}

func allowTenant(c *clerkauth.Config) {
	c.AllowParty = func(_ context.Context, origin, _ string) bool { return origin == "https://tenant.test" }
}

// One visitor's cookies are never another's, and the visitor follows redirects: only the Transport
// of HTTPClient is used.
func TestFrontendAPIProxyHTTPClient(t *testing.T) {
	network := &upstream{}
	cfg := proxyConfig("/__clerk", network)
	cfg.HTTPClient.Jar, _ = cookiejar.New(nil)
	proxy := mustNew(t, cfg).FrontendAPIProxy()
	for range 2 {
		w := harness.Serve(proxy, serverRequest("https://example.com/__clerk/v1/client"))
		if w.Code != http.StatusFound || w.Header().Get("Location") != "https://evil.test/" {
			t.Errorf("got status %d to %s, want the redirect passed on unfollowed", w.Code, w.Header().Get("Location"))
		}
	}
	for _, r := range network.received {
		if r.URL.Host != "frontend-api.clerk.dev" || r.Header["Cookie"] != nil {
			t.Errorf("got a request to %s with %v, want Clerk's host and no cookies of an earlier response", r.URL, r.Header)
		}
	}
	cfg.HTTPClient.Transport = roundTripper(func(*http.Request) (*http.Response, error) { panic("x") })
	cfg.Logger = (&harness.Log{}).Logger()
	if w := harness.Serve(mustNew(t, cfg).FrontendAPIProxy(), serverRequest("https://example.com/__clerk/v1/client")); w.Code != http.StatusBadGateway {
		t.Errorf("a transport that panics: got %d, want 502", w.Code)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Whatever the errors of an application's transport contain, the secret key and the visitor's
// credentials stay out of the log and of the response.
func TestFrontendAPIProxyLog(t *testing.T) {
	log := &harness.Log{}
	network := roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, errors.New("cannot send " + r.URL.String() + " with " + strings.Join(append(r.Header["Clerk-Secret-Key"], r.Header["Cookie"]...), " "))
	})
	cfg := proxyConfig("/__clerk", network)
	cfg.SecretKey = "sk_live_9aZ4.Q7xV2mN8.C3rT6y" // which cannot be recognised by its form
	cfg.Logger = log.Logger()
	session := harness.NewApp(t).Clerk.Token(clerktest.Claims{})
	r := serverRequest("https://example.com/__clerk/v1/client", harness.With("Cookie", "__session="+session))
	w := harness.Serve(mustNew(t, cfg).FrontendAPIProxy(), r)
	if w.Code != http.StatusBadGateway || !strings.Contains(log.String(), "the Frontend API could not be reached") || !strings.Contains(log.String(), "cannot send") {
		t.Errorf("got status %d, logged %s; want 502 and the cause in the log", w.Code, log)
	}
	_, claims, _ := strings.Cut(session, ".")
	for place, text := range map[string]string{"log": log.String(), "answer": w.Body.String()} {
		if piece, found := harness.Leaks(text, harness.Pieces(cfg.SecretKey, claims)); found {
			t.Errorf("%q of the secret key or the token is in the %s", piece, place)
		}
	}
}

// Without HTTPClient the proxy has its own connections, and bodies pass unchanged.
func TestFrontendAPIProxyTransport(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Encodings", r.Header.Get("Accept-Encoding"))
	}))
	defer upstream.Close()
	cfg := proxyConfig("/__clerk", nil)
	cfg.HTTPClient, cfg.FrontendAPIURL = nil, upstream.URL
	proxy := mustNew(t, cfg).FrontendAPIProxy()
	for _, encodings := range [][]string{nil, {"br, gzip"}} {
		w := harness.Serve(proxy, serverRequest("https://example.com/__clerk/v1/client", harness.With("Accept-Encoding", encodings...)))
		if got := w.Header().Get("X-Encodings"); w.Code != http.StatusOK || got != strings.Join(encodings, "") {
			t.Errorf("got status %d, Accept-Encoding %q, want %q", w.Code, got, encodings)
		}
	}
}

func ExampleAuthenticator_FrontendAPIProxy() {
	auth, clerk := newExample(func(c *clerkauth.Config) { c.ProxyURL = "/__clerk" })
	mux := http.NewServeMux()
	mux.Handle("/__clerk/", auth.FrontendAPIProxy())
	app := auth.Optional(mux) // what is under ProxyURL passes
	w := httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/__clerk/v1/client", http.NoBody))
	fmt.Println(w.Code, clerk.Requests()[0].Header.Get("Clerk-Proxy-Url"))
	// Output:
	// 200 https://example.com/__clerk
}
