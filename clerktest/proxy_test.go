package clerktest_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestProxyURLsAreKnown(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{ProxyURLs: []string{"https://example.com/__clerk/"}})
	if cfg := in.Config(); cfg.ProxyURL != "https://example.com/__clerk" || in.Issuer() != cfg.ProxyURL {
		t.Errorf("ProxyURL %q, issuer %q, want \"https://example.com/__clerk\" %q", cfg.ProxyURL, in.Issuer(), cfg.ProxyURL)
	}
	const shared, own = "https://frontend-api.clerk.dev", "https://clerk.example.com"
	key := []string{in.SecretKey()}
	for _, tt := range []struct {
		name, at string
		header   http.Header
		want     int
		code     string
	}{
		{"the proxy", shared, http.Header{"Clerk-Proxy-Url": {"https://example.com/__clerk"}, "Clerk-Secret-Key": key}, 200, ""},
		{"the proxy, with a slash", shared, http.Header{"Clerk-Proxy-Url": {"https://example.com/__clerk/"}, "Clerk-Secret-Key": key}, 200, ""},
		{"the proxy, at the instance's own host", own, http.Header{"Clerk-Proxy-Url": {"https://example.com/__clerk"}, "Clerk-Secret-Key": key}, 200, ""},
		{"another proxy", shared, http.Header{"Clerk-Proxy-Url": {"https://evil.test/__clerk"}, "Clerk-Secret-Key": key}, 400, "host_invalid"},
		{"two proxies", shared, http.Header{"Clerk-Proxy-Url": {"https://example.com/__clerk", "https://evil.test/__clerk"}, "Clerk-Secret-Key": key}, 400, "host_invalid"},
		{"no proxy", shared, http.Header{}, 400, "host_invalid"},
		{"no proxy, at the instance's own host", own, http.Header{}, 200, ""},
		{"another secret key", shared, http.Header{"Clerk-Proxy-Url": {"https://example.com/__clerk"}, "Clerk-Secret-Key": {"sk_live_x"}}, 401, "clerk_key_invalid"},
	} {
		if a := exchange(t, in, nil, "GET", tt.at+"/v1/client", "", tt.header); a.status != tt.want || !strings.Contains(string(a.body), tt.code) {
			t.Errorf("%s: got %d %s, want %d %s", tt.name, a.status, a.body, tt.want, tt.code)
		}
	}
	for _, opts := range []clerktest.Options{
		{ProxyURLs: []string{"/__clerk"}},
		{ProxyURLs: []string{"https://example.com"}},
		{ProxyURLs: []string{"https://example.com/"}},
		{ProxyURLs: []string{"https://u@example.com/x"}},
		{ProxyURLs: []string{"https://example.com/x?y=z"}},
		{ProxyURLs: []string{"ftp://example.com/x"}},
	} {
		if in, err := clerktest.Start(opts); err == nil {
			in.Close()
			t.Errorf("Start accepts the proxies %q", opts.ProxyURLs)
		}
	}
}

// proxiedApp is an app that proxies the Frontend API, in a browser. Its pages say who is signed in.
type proxiedApp struct {
	t    *testing.T
	in   *clerktest.Instance
	home string
	*http.Client
}

func newProxiedApp(t *testing.T, in *clerktest.Instance, home string, change func(*clerkauth.Config)) *proxiedApp {
	t.Helper()
	cfg := in.Config()
	if change != nil {
		change(&cfg)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/__clerk/", auth.FrontendAPIProxy())
	mux.Handle("/", auth.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s, ok := clerkauth.FromContext(r.Context()); ok {
			_, _ = io.WriteString(w, s.UserID)
		}
	})))
	return &proxiedApp{t, in, home, in.Browser(mux)}
}

// do sends a request as the page's script or, without a header, as a page load.
func (p *proxiedApp) do(method, path string, form url.Values, header http.Header) answer {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.home+path, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	return read(p.t, p.Client, r)
}

// script calls the Frontend API as Clerk's script does: a GET to the page's own host has no Origin.
func (p *proxiedApp) script(method, path string, form url.Values) answer {
	p.t.Helper()
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Dest": {"empty"}, "Sec-Fetch-Mode": {"cors"}, "Sec-Fetch-Site": {"same-origin"}}
	if method != http.MethodGet {
		h.Set("Origin", p.home)
	}
	return p.do(method, "/__clerk"+path, form, h)
}

func TestProxiedApp(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	in := clerktest.New(t, clerktest.Options{ProxyURLs: []string{"https://example.com/__clerk"}, People: []clerktest.Person{worker}, Now: func() time.Time { return now }})
	app := newProxiedApp(t, in, "https://example.com", nil)
	a := app.script("POST", "/v1/client/sign_ins", url.Values{"strategy": {"ticket"}, "ticket": {in.Ticket(worker)}})
	if a.status != http.StatusOK {
		t.Fatalf("sign-in: got %d %s, want 200", a.status, a.body)
	}
	if a := app.do("GET", "/", nil, nil); string(a.body) != "user_dora" {
		t.Fatalf("after the sign-in the page says %q, want user_dora", a.body)
	}
	now = now.Add(2 * time.Minute)
	if a := app.do("GET", "/", nil, nil); string(a.body) != "user_dora" {
		t.Errorf("after two minutes the page says %q, want user_dora", a.body)
	}
	var body struct{ Response client }
	decode(t, string(app.script("GET", "/v1/client", nil).body), &body)
	if got := claimsOf(t, in, body.Response.Sessions[0].Last.JWT); got["iss"] != "https://example.com/__clerk" || got["azp"] != nil {
		t.Errorf("the token of a GET has the claims %v, want the proxy as issuer and no azp", got)
	}
	for _, r := range in.Requests() {
		if r.SecretKey && !strings.HasPrefix(string(r.Endpoint), "backend") && r.Host != "frontend-api.clerk.dev" {
			t.Errorf("the secret key was sent to %s", r.Host)
		}
	}
}

// In development, and at a path on any host of the app.
func TestProxiedAppInDevelopment(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{localhost}, People: []clerktest.Person{worker}})
	app := newProxiedApp(t, in, localhost, func(c *clerkauth.Config) { c.ProxyURL = "/__clerk" })
	if a := app.do("GET", "/", nil, nil); a.status != http.StatusOK || len(a.body) != 0 {
		t.Fatalf("before the sign-in: got %d %s, want 200 and nobody", a.status, a.body)
	}
	token := ""
	u, _ := url.Parse(localhost)
	for _, c := range app.Jar.Cookies(u) {
		if c.Name == "__clerk_db_jwt" {
			token = c.Value
		}
	}
	a := app.script("POST", "/v1/client/sign_ins?__clerk_db_jwt="+token, url.Values{"strategy": {"ticket"}, "ticket": {in.Ticket(worker)}})
	if a.status != http.StatusOK {
		t.Fatalf("sign-in: got %d %s, want 200", a.status, a.body)
	}
	// Clerk's script would write the cookies now; without it, the middleware requires the browser's
	// token in the URL.
	if a := app.do("GET", "/?__clerk_db_jwt="+token, nil, nil); string(a.body) != "user_dora" {
		t.Errorf("after the sign-in the page says %q, want user_dora", a.body)
	}
}

// A satellite with a proxied Frontend API learns of the primary domain's browser, through the
// proxies of both.
func TestProxiedSatellite(t *testing.T) {
	for _, primary := range []string{"", "https://example.com/__clerk"} {
		opts := clerktest.Options{
			Satellites: []string{"sat.test"}, Origins: []string{"https://www.sat.test", "https://example.com"}, People: []clerktest.Person{worker},
			ProxyURLs: []string{"https://www.sat.test/__clerk"},
		}
		if primary != "" {
			opts.ProxyURLs = append(opts.ProxyURLs, primary)
		}
		in := clerktest.New(t, opts)
		app := newProxiedApp(t, in, "https://www.sat.test", func(c *clerkauth.Config) {
			c.Satellite, c.SignInURL = &clerkauth.Satellite{AutoSync: true}, "https://example.com/sign-in"
		})
		if primary != "" {
			app = bothDomains(t, in, app)
		}
		if a := app.do("GET", "/", nil, nil); a.status != http.StatusOK || len(a.body) != 0 {
			t.Fatalf("before the sign-in: got %d %s, want 200 and nobody", a.status, a.body)
		}
		if primary == "" {
			in.SignIn(app.Jar, worker)
		} else {
			there := &proxiedApp{t, in, "https://example.com", app.Client}
			if a := there.script("POST", "/v1/client/sign_ins", url.Values{"strategy": {"ticket"}, "ticket": {in.Ticket(worker)}}); a.status != http.StatusOK {
				t.Fatalf("sign-in: got %d %s, want 200", a.status, a.body)
			}
		}
		if a := app.do("GET", "/?__clerk_synced=false", nil, nil); string(a.body) != "user_dora" {
			t.Errorf("primary proxied at %q: the satellite says %q, want user_dora", primary, a.body)
		}
		if a := app.do("GET", "/again", nil, nil); string(a.body) != "user_dora" {
			t.Errorf("primary proxied at %q: the second page says %q, want user_dora", primary, a.body)
		}
		var body struct{ Response client }
		decode(t, string(app.script("GET", "/v1/client", nil).body), &body)
		if got := claimsOf(t, in, body.Response.Sessions[0].Last.JWT); got["iss"] != "https://www.sat.test/__clerk" {
			t.Errorf("primary proxied at %q: the satellite's token has the claims %v, want its own proxy as issuer", primary, got)
		}
	}
}

// bothDomains is a browser that reaches the app at the primary domain, too.
func bothDomains(t *testing.T, in *clerktest.Instance, satellite *proxiedApp) *proxiedApp {
	t.Helper()
	primary := newProxiedApp(t, in, "https://example.com", func(c *clerkauth.Config) { c.ProxyURL = "https://example.com/__clerk" })
	elsewhere := satellite.Transport
	satellite.Transport = byHost(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host == "example.com" {
			return primary.Transport.RoundTrip(r)
		}
		return elsewhere.RoundTrip(r)
	})
	return satellite
}

type byHost func(*http.Request) (*http.Response, error)

func (f byHost) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
