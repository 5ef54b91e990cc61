package clerkauth_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// returnTo returns where a signed-out browser would go after signing in, or after a handshake;
// empty: it is not redirected.
func returnTo(t *testing.T, a *harness.App, r *http.Request) string {
	t.Helper()
	r.Header.Set("Accept", "text/html")
	w := harness.Serve(a.Require(harness.Greet), r)
	location := w.Header().Get("Location")
	if (location != "") != (w.Code == http.StatusFound || w.Code == http.StatusTemporaryRedirect) {
		t.Fatalf("got %d with Location %q, want a Location exactly with a redirect", w.Code, location)
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("redirect_url")
}

func forwarded(c *clerkauth.Config) { c.TrustForwardedHeaders = true }

func overTLS(r *http.Request) { r.TLS = &tls.ConnectionState{} }

// A server behind a proxy sees http and no host in its URLs, and must behave the same.
func TestPublicOrigin(t *testing.T) {
	for _, tc := range []struct {
		name   string
		config []func(*clerkauth.Config)
		edits  []harness.Edit
		want   string
	}{
		{"TLS ends before this server", nil, []harness.Edit{harness.Host("example.com")}, "https://example.com/p"},
		{"TLS ends here", nil, []harness.Edit{harness.Host("example.com"), overTLS}, "https://example.com/p"},
		{"upper case", nil, []harness.Edit{harness.Host("EXAMPLE.com")}, "https://example.com/p"},
		{"default port", nil, []harness.Edit{harness.Host("example.com:443")}, "https://example.com/p"},
		{"the other default port", nil, []harness.Edit{harness.Host("example.com:80")}, ""},
		{"another port", nil, []harness.Edit{harness.Host("example.com:8443")}, ""},
		{"trailing dot", nil, []harness.Edit{harness.Host("example.com.")}, ""},
		{"sibling subdomain", nil, []harness.Edit{harness.Host("blog.example.com")}, ""},
		{"no host", nil, []harness.Edit{harness.Host("")}, ""},
		{"stranger", nil, []harness.Edit{harness.Host("evil.test")}, ""},
		{"user info", nil, []harness.Edit{harness.Host("example.com@evil.test")}, ""},
		{"path", nil, []harness.Edit{harness.Host("example.com/evil.test")}, ""},
		{"two hosts", nil, []harness.Edit{harness.Host("example.com,evil.test")}, ""},
		{"space", nil, []harness.Edit{harness.Host("example.com evil.test")}, ""},
		{"pattern", []func(*clerkauth.Config){harness.Parties("https://*.example.com")}, []harness.Edit{harness.Host("a.example.com")}, "https://a.example.com/p"},
		{"the pattern itself", []func(*clerkauth.Config){harness.Parties("https://*.example.com")}, []harness.Edit{harness.Host("*.example.com")}, ""},
		{"listed port", []func(*clerkauth.Config){harness.Parties("https://example.com:8443")}, []harness.Edit{harness.Host("example.com:8443")}, "https://example.com:8443/p"},
		{"IPv6", []func(*clerkauth.Config){harness.Parties("https://[2001:db8::1]")}, []harness.Edit{harness.Host("[2001:DB8::1]:443")}, "https://[2001:db8::1]/p"},
		{"IPv6 with zone", []func(*clerkauth.Config){harness.Parties("https://[2001:db8::1]")}, []harness.Edit{harness.Host("[2001:db8::1%25eth0]")}, ""},
		{"IPv6 without brackets", []func(*clerkauth.Config){harness.Parties("https://[2001:db8::1]")}, []harness.Edit{harness.Host("2001:db8::1")}, ""},

		{"loopback over http", []func(*clerkauth.Config){harness.Parties("http://localhost:3000", "https://localhost:3000")}, []harness.Edit{harness.Host("localhost:3000")}, "http://localhost:3000/p"},
		{"loopback over TLS", []func(*clerkauth.Config){harness.Parties("http://localhost:3000", "https://localhost:3000")}, []harness.Edit{harness.Host("localhost:3000"), overTLS}, "https://localhost:3000/p"},
		{"loopback behind TLS", []func(*clerkauth.Config){harness.Parties("https://localhost:3000")}, []harness.Edit{harness.Host("localhost:3000")}, "https://localhost:3000/p"},
		{"loopback address", []func(*clerkauth.Config){harness.Parties("http://[::1]:3000", "https://[::1]:3000")}, []harness.Edit{harness.Host("[::1]:3000")}, "http://[::1]:3000/p"},
		{"loopback without port", []func(*clerkauth.Config){harness.Parties("http://[::1]", "https://[::1]")}, []harness.Edit{harness.Host("[::1]")}, "http://[::1]/p"},

		{"custom scheme", []func(*clerkauth.Config){harness.Parties("tauri://localhost", "chrome-extension://abcdef")}, []harness.Edit{harness.Host("localhost")}, ""},
		{"custom scheme of a name", []func(*clerkauth.Config){harness.Parties("chrome-extension://abcdef")}, []harness.Edit{harness.Host("abcdef")}, ""},

		{"forwarded host", []func(*clerkauth.Config){forwarded}, []harness.Edit{harness.Host("10.0.0.1:8080"), harness.Headers("X-Forwarded-Host: Example.com:443")}, "https://example.com/p"},
		{"forwarded host not trusted", nil, []harness.Edit{harness.Host("10.0.0.1:8080"), harness.Headers("X-Forwarded-Host: example.com")}, ""},
		{"forwarded stranger not trusted", nil, []harness.Edit{harness.Host("example.com"), harness.Headers("X-Forwarded-Host: evil.test")}, "https://example.com/p"},
		{"forwarded stranger", []func(*clerkauth.Config){forwarded}, []harness.Edit{harness.Host("example.com"), harness.Headers("X-Forwarded-Host: evil.test")}, ""},
		{"no forwarded host", []func(*clerkauth.Config){forwarded}, []harness.Edit{harness.Host("example.com")}, "https://example.com/p"},
		{"two forwarded hosts", []func(*clerkauth.Config){forwarded}, []harness.Edit{harness.Host("example.com"), harness.Headers("X-Forwarded-Host: example.com", "X-Forwarded-Host: example.com")}, ""},
		{"forwarded list", []func(*clerkauth.Config){forwarded}, []harness.Edit{harness.Host("example.com"), harness.Headers("X-Forwarded-Host: example.com, evil.test")}, ""},
		{"empty forwarded host", []func(*clerkauth.Config){forwarded}, []harness.Edit{harness.Host("example.com"), harness.Headers("X-Forwarded-Host: ")}, ""},
		{"forwarded URL", []func(*clerkauth.Config){forwarded}, []harness.Edit{harness.Host("example.com"), harness.Headers("X-Forwarded-Host: https://example.com")}, ""},
		{"forwarded user info", []func(*clerkauth.Config){forwarded}, []harness.Edit{harness.Host("example.com"), harness.Headers("X-Forwarded-Host: a@example.com")}, ""},
		{"forwarded path", []func(*clerkauth.Config){forwarded}, []harness.Edit{harness.Host("example.com"), harness.Headers("X-Forwarded-Host: example.com/a")}, ""},
		{"forwarded port of nothing", []func(*clerkauth.Config){forwarded}, []harness.Edit{harness.Host("example.com"), harness.Headers("X-Forwarded-Host: example.com:")}, ""},
		{"forwarded backslash", []func(*clerkauth.Config){forwarded}, []harness.Edit{harness.Host("example.com"), harness.Headers(`X-Forwarded-Host: example.com\@evil.test`)}, ""},
		{"forwarded scheme to loopback", []func(*clerkauth.Config){forwarded, harness.Parties("http://localhost", "https://localhost")}, []harness.Edit{harness.Host("localhost"), harness.Headers("X-Forwarded-Proto: https")}, "https://localhost/p"},
		{"forwarded scheme not trusted", []func(*clerkauth.Config){harness.Parties("http://localhost", "https://localhost")}, []harness.Edit{harness.Host("localhost"), harness.Headers("X-Forwarded-Proto: https")}, "http://localhost/p"},
		{"two forwarded schemes", []func(*clerkauth.Config){forwarded, harness.Parties("http://localhost", "https://localhost")}, []harness.Edit{harness.Host("localhost"), harness.Headers("X-Forwarded-Proto: https", "X-Forwarded-Proto: https")}, "http://localhost/p"},
		{"forwarded scheme of nothing", []func(*clerkauth.Config){forwarded, harness.Parties("http://localhost", "https://localhost")}, []harness.Edit{harness.Host("localhost"), harness.Headers("X-Forwarded-Proto: gopher")}, "http://localhost/p"},

		{"no handshake at trusted origins", []func(*clerkauth.Config){func(c *clerkauth.Config) { c.TrustedOrigins = []string{"https://pay.test"} }}, []harness.Edit{harness.Host("pay.test")}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := harness.NewApp(t, append([]func(*clerkauth.Config){harness.SignIn}, tc.config...)...)
			r := harness.Request("GET", "/p", append([]harness.Edit{harness.AsServer}, tc.edits...)...)
			if got := returnTo(t, a, r); got != tc.want {
				t.Errorf("returns to %q, want %q", got, tc.want)
			}
		})
	}
}

// With test keys http origins are allowed, and https still takes precedence: browsers use it if they can.
func TestPublicOriginPrefersHTTPS(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Development: true})
	both := harness.Parties("http://dev.example.com", "https://dev.example.com")
	if got := returnTo(t, harness.NewAppOf(t, clerk, harness.SignIn, both), harness.Request("GET", "/p", harness.AsServer, harness.Host("dev.example.com"))); got != "https://dev.example.com/p" {
		t.Errorf("both listed: returns to %q, want https", got)
	}
	if got := returnTo(t, harness.NewAppOf(t, clerk, harness.SignIn, harness.Parties("http://dev.example.com")), harness.Request("GET", "/p", harness.AsServer, harness.Host("dev.example.com"))); got != "http://dev.example.com/p" {
		t.Errorf("http listed: returns to %q, want http", got)
	}
}

func TestPublicOriginAsksAllowParty(t *testing.T) {
	var calls []string
	a := harness.NewApp(t, harness.SignIn, func(c *clerkauth.Config) {
		c.AuthorizedParties = nil
		c.AllowParty = func(_ context.Context, origin, host string) bool {
			calls = append(calls, origin+" "+host)
			return origin == "https://customer.test"
		}
	})
	if got := returnTo(t, a, harness.Request("GET", "/p", harness.AsServer, harness.Host("Customer.test:443"))); got != "https://customer.test/p" {
		t.Errorf("returns to %q, want the customer's domain", got)
	}
	if !slices.Contains(calls, "https://customer.test customer.test:443") {
		t.Errorf("AllowParty was asked %q, want the origin in normal form and the request's host", calls)
	}
	if got := returnTo(t, a, harness.Request("GET", "/p", harness.AsServer, harness.Host("stranger.test"))); got != "" {
		t.Errorf("returns to %q, want nowhere", got)
	}
	for _, malformed := range []string{"", "a b", "customer.test/", "x@customer.test"} {
		calls = nil
		if got := returnTo(t, a, harness.Request("GET", "/p", harness.AsServer, harness.Host(malformed))); got != "" || len(calls) > 0 {
			t.Errorf("host %q: returns to %q, AllowParty was asked %q; want neither", malformed, got, calls)
		}
	}
}

// Without a list, the scheme is that of the connection, or of the headers of a trusted proxy.
func TestPublicOriginWithAnyParty(t *testing.T) {
	anyParty := func(c *clerkauth.Config) { c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true }
	for name, tc := range map[string]struct {
		config func(*clerkauth.Config)
		edits  []harness.Edit
		want   string
	}{
		"http":                      {anyParty, []harness.Edit{harness.Host("Anything.test:80")}, "http://anything.test/p"},
		"TLS":                       {anyParty, []harness.Edit{harness.Host("anything.test:443"), overTLS}, "https://anything.test/p"},
		"forwarded":                 {func(c *clerkauth.Config) { anyParty(c); forwarded(c) }, []harness.Edit{harness.Host("10.0.0.1"), harness.Headers("X-Forwarded-Host: anything.test", "X-Forwarded-Proto: https")}, "https://anything.test/p"},
		"forwarded to http":         {func(c *clerkauth.Config) { anyParty(c); forwarded(c) }, []harness.Edit{harness.Host("anything.test"), overTLS, harness.Headers("X-Forwarded-Proto: http")}, "http://anything.test/p"},
		"forwarded and not trusted": {anyParty, []harness.Edit{harness.Host("anything.test"), harness.Headers("X-Forwarded-Host: evil.test", "X-Forwarded-Proto: https")}, "http://anything.test/p"},
		"no host":                   {anyParty, []harness.Edit{harness.Host("")}, ""},
		"a malformed host":          {anyParty, []harness.Edit{harness.Host("anything.test/")}, ""},
		"a malformed port":          {anyParty, []harness.Edit{harness.Host("anything.test:0")}, ""},
	} {
		if got := returnTo(t, harness.NewApp(t, harness.SignIn, tc.config), harness.Request("GET", "/p", append([]harness.Edit{harness.AsServer}, tc.edits...)...)); got != tc.want {
			t.Errorf("%s: returns to %q, want %q", name, got, tc.want)
		}
	}
}
