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
)

// returnTo is where somebody signed out would come back to after signing in, or after a browser round; empty: they
// are sent nowhere.
func returnTo(t *testing.T, a *app, r *http.Request) string {
	t.Helper()
	r.Header.Set("Accept", "text/html")
	w := serve(a.Require(greet), r)
	location := w.Header().Get("Location")
	if (location != "") != (w.Code == http.StatusFound || w.Code == http.StatusTemporaryRedirect) {
		t.Fatalf("status %d with Location %q", w.Code, location)
	}
	u, err := url.Parse(location)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("redirect_url")
}

func signIn(c *clerkauth.Config) { c.SignInURL = "https://accounts.example.com/sign-in" }

func parties(list ...string) func(*clerkauth.Config) {
	return func(c *clerkauth.Config) { c.AuthorizedParties = list }
}

func forwarded(c *clerkauth.Config) { c.TrustForwardedHeaders = true }

func host(h string) edit { return func(r *http.Request) { r.Host = h } }

func overTLS(r *http.Request) { r.TLS = &tls.ConnectionState{} }

// A server behind a proxy sees http and no host in its URLs, and all of this must hold there.
func TestPublicOrigin(t *testing.T) {
	for _, tc := range []struct {
		name   string
		config []func(*clerkauth.Config)
		edits  []edit
		want   string
	}{
		{"TLS ends before this server", nil, []edit{host("example.com")}, "https://example.com/p"},
		{"TLS ends here", nil, []edit{host("example.com"), overTLS}, "https://example.com/p"},
		{"upper case", nil, []edit{host("EXAMPLE.com")}, "https://example.com/p"},
		{"default port", nil, []edit{host("example.com:443")}, "https://example.com/p"},
		{"the other default port", nil, []edit{host("example.com:80")}, ""},
		{"another port", nil, []edit{host("example.com:8443")}, ""},
		{"trailing dot", nil, []edit{host("example.com.")}, ""},
		{"sibling", nil, []edit{host("blog.example.com")}, ""},
		{"no host", nil, []edit{host("")}, ""},
		{"stranger", nil, []edit{host("evil.test")}, ""},
		{"user info", nil, []edit{host("example.com@evil.test")}, ""},
		{"path", nil, []edit{host("example.com/evil.test")}, ""},
		{"two hosts", nil, []edit{host("example.com,evil.test")}, ""},
		{"space", nil, []edit{host("example.com evil.test")}, ""},
		{"pattern", []func(*clerkauth.Config){parties("https://*.example.com")}, []edit{host("a.example.com")}, "https://a.example.com/p"},
		{"the pattern itself", []func(*clerkauth.Config){parties("https://*.example.com")}, []edit{host("*.example.com")}, ""},
		{"listed port", []func(*clerkauth.Config){parties("https://example.com:8443")}, []edit{host("example.com:8443")}, "https://example.com:8443/p"},
		{"IPv6", []func(*clerkauth.Config){parties("https://[2001:db8::1]")}, []edit{host("[2001:DB8::1]:443")}, "https://[2001:db8::1]/p"},
		{"IPv6 with zone", []func(*clerkauth.Config){parties("https://[2001:db8::1]")}, []edit{host("[2001:db8::1%25eth0]")}, ""},
		{"IPv6 without brackets", []func(*clerkauth.Config){parties("https://[2001:db8::1]")}, []edit{host("2001:db8::1")}, ""},

		{"loopback over http", []func(*clerkauth.Config){parties("http://localhost:3000", "https://localhost:3000")}, []edit{host("localhost:3000")}, "http://localhost:3000/p"},
		{"loopback over TLS", []func(*clerkauth.Config){parties("http://localhost:3000", "https://localhost:3000")}, []edit{host("localhost:3000"), overTLS}, "https://localhost:3000/p"},
		{"loopback behind TLS", []func(*clerkauth.Config){parties("https://localhost:3000")}, []edit{host("localhost:3000")}, "https://localhost:3000/p"},
		{"loopback address", []func(*clerkauth.Config){parties("http://[::1]:3000", "https://[::1]:3000")}, []edit{host("[::1]:3000")}, "http://[::1]:3000/p"},
		{"loopback without port", []func(*clerkauth.Config){parties("http://[::1]", "https://[::1]")}, []edit{host("[::1]")}, "http://[::1]/p"},

		{"custom scheme", []func(*clerkauth.Config){parties("tauri://localhost", "chrome-extension://abcdef")}, []edit{host("localhost")}, ""},
		{"custom scheme of a name", []func(*clerkauth.Config){parties("chrome-extension://abcdef")}, []edit{host("abcdef")}, ""},

		{"forwarded host", []func(*clerkauth.Config){forwarded}, []edit{host("10.0.0.1:8080"), headers("X-Forwarded-Host: Example.com:443")}, "https://example.com/p"},
		{"forwarded host not trusted", nil, []edit{host("10.0.0.1:8080"), headers("X-Forwarded-Host: example.com")}, ""},
		{"forwarded stranger not trusted", nil, []edit{host("example.com"), headers("X-Forwarded-Host: evil.test")}, "https://example.com/p"},
		{"forwarded stranger", []func(*clerkauth.Config){forwarded}, []edit{host("example.com"), headers("X-Forwarded-Host: evil.test")}, ""},
		{"no forwarded host", []func(*clerkauth.Config){forwarded}, []edit{host("example.com")}, "https://example.com/p"},
		{"two forwarded hosts", []func(*clerkauth.Config){forwarded}, []edit{host("example.com"), headers("X-Forwarded-Host: example.com", "X-Forwarded-Host: example.com")}, ""},
		{"forwarded list", []func(*clerkauth.Config){forwarded}, []edit{host("example.com"), headers("X-Forwarded-Host: example.com, evil.test")}, ""},
		{"empty forwarded host", []func(*clerkauth.Config){forwarded}, []edit{host("example.com"), headers("X-Forwarded-Host: ")}, ""},
		{"forwarded URL", []func(*clerkauth.Config){forwarded}, []edit{host("example.com"), headers("X-Forwarded-Host: https://example.com")}, ""},
		{"forwarded user info", []func(*clerkauth.Config){forwarded}, []edit{host("example.com"), headers("X-Forwarded-Host: a@example.com")}, ""},
		{"forwarded path", []func(*clerkauth.Config){forwarded}, []edit{host("example.com"), headers("X-Forwarded-Host: example.com/a")}, ""},
		{"forwarded port of nothing", []func(*clerkauth.Config){forwarded}, []edit{host("example.com"), headers("X-Forwarded-Host: example.com:")}, ""},
		{"forwarded backslash", []func(*clerkauth.Config){forwarded}, []edit{host("example.com"), headers(`X-Forwarded-Host: example.com\@evil.test`)}, ""},
		{"forwarded scheme to loopback", []func(*clerkauth.Config){forwarded, parties("http://localhost", "https://localhost")}, []edit{host("localhost"), headers("X-Forwarded-Proto: https")}, "https://localhost/p"},
		{"forwarded scheme not trusted", []func(*clerkauth.Config){parties("http://localhost", "https://localhost")}, []edit{host("localhost"), headers("X-Forwarded-Proto: https")}, "http://localhost/p"},
		{"two forwarded schemes", []func(*clerkauth.Config){forwarded, parties("http://localhost", "https://localhost")}, []edit{host("localhost"), headers("X-Forwarded-Proto: https", "X-Forwarded-Proto: https")}, "http://localhost/p"},
		{"forwarded scheme of nothing", []func(*clerkauth.Config){forwarded, parties("http://localhost", "https://localhost")}, []edit{host("localhost"), headers("X-Forwarded-Proto: gopher")}, "http://localhost/p"},

		{"trusted origins are no doors", []func(*clerkauth.Config){func(c *clerkauth.Config) { c.TrustedOrigins = []string{"https://pay.test"} }}, []edit{host("pay.test")}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newApp(t, append([]func(*clerkauth.Config){signIn}, tc.config...)...)
			r := asking("GET", "/p", append([]edit{asServer}, tc.edits...)...)
			if got := returnTo(t, a, r); got != tc.want {
				t.Errorf("returns to %q, want %q", got, tc.want)
			}
		})
	}
}

// With test keys http is an origin like others, and https still wins: a browser that can will have used it.
func TestPublicOriginPrefersHTTPS(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Development: true})
	both := parties("http://dev.example.com", "https://dev.example.com")
	if got := returnTo(t, newAppOf(t, clerk, signIn, both), asking("GET", "/p", asServer, host("dev.example.com"))); got != "https://dev.example.com/p" {
		t.Errorf("both listed: returns to %q, want https", got)
	}
	if got := returnTo(t, newAppOf(t, clerk, signIn, parties("http://dev.example.com")), asking("GET", "/p", asServer, host("dev.example.com"))); got != "http://dev.example.com/p" {
		t.Errorf("http listed: returns to %q, want http", got)
	}
}

func TestPublicOriginAsksAllowParty(t *testing.T) {
	var asked []string
	a := newApp(t, signIn, func(c *clerkauth.Config) {
		c.AuthorizedParties = nil
		c.AllowParty = func(_ context.Context, origin, host string) bool {
			asked = append(asked, origin+" "+host)
			return origin == "https://customer.test"
		}
	})
	if got := returnTo(t, a, asking("GET", "/p", asServer, host("Customer.test:443"))); got != "https://customer.test/p" {
		t.Errorf("returns to %q, want the customer's domain", got)
	}
	if !slices.Contains(asked, "https://customer.test customer.test:443") {
		t.Errorf("AllowParty was asked %q, want the origin in normal form and the request's host", asked)
	}
	if got := returnTo(t, a, asking("GET", "/p", asServer, host("stranger.test"))); got != "" {
		t.Errorf("returns to %q, want nowhere", got)
	}
	for _, malformed := range []string{"", "a b", "customer.test/", "x@customer.test"} {
		asked = nil
		if got := returnTo(t, a, asking("GET", "/p", asServer, host(malformed))); got != "" || len(asked) > 0 {
			t.Errorf("host %q: returns to %q, AllowParty was asked %q; want neither", malformed, got, asked)
		}
	}
}

// Without a list the connection names the scheme, or the headers of a proxy that is trusted.
func TestPublicOriginWithAnyParty(t *testing.T) {
	anyParty := func(c *clerkauth.Config) { c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true }
	for name, tc := range map[string]struct {
		config func(*clerkauth.Config)
		edits  []edit
		want   string
	}{
		"http":                      {anyParty, []edit{host("Anything.test:80")}, "http://anything.test/p"},
		"TLS":                       {anyParty, []edit{host("anything.test:443"), overTLS}, "https://anything.test/p"},
		"forwarded":                 {func(c *clerkauth.Config) { anyParty(c); forwarded(c) }, []edit{host("10.0.0.1"), headers("X-Forwarded-Host: anything.test", "X-Forwarded-Proto: https")}, "https://anything.test/p"},
		"forwarded to http":         {func(c *clerkauth.Config) { anyParty(c); forwarded(c) }, []edit{host("anything.test"), overTLS, headers("X-Forwarded-Proto: http")}, "http://anything.test/p"},
		"forwarded and not trusted": {anyParty, []edit{host("anything.test"), headers("X-Forwarded-Host: evil.test", "X-Forwarded-Proto: https")}, "http://anything.test/p"},
		"no host":                   {anyParty, []edit{host("")}, ""},
		"a malformed host":          {anyParty, []edit{host("anything.test/")}, ""},
		"a malformed port":          {anyParty, []edit{host("anything.test:0")}, ""},
	} {
		if got := returnTo(t, newApp(t, signIn, tc.config), asking("GET", "/p", append([]edit{asServer}, tc.edits...)...)); got != tc.want {
			t.Errorf("%s: returns to %q, want %q", name, got, tc.want)
		}
	}
}
