package clerktest_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestSatellitesLearnOfThePrimaryDomainsBrowser(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{
		Satellites: []string{"sat.test"}, Origins: []string{"https://example.com", "https://www.sat.test"}, People: []clerktest.Person{worker},
	})
	const satellite = "https://clerk.sat.test/v1/client/handshake?"
	// follow follows redirects until the browser is back at the app, and returns the URL and the
	// cookies to set.
	follow := func(jar http.CookieJar, target string) (location *url.URL, cookies []*http.Cookie, hops int) {
		for hops = 1; hops < 9; hops++ {
			a := exchange(t, in, jar, "GET", target, "", nil)
			location, err := url.Parse(a.header.Get("Location"))
			if a.status != http.StatusTemporaryRedirect || err != nil {
				t.Fatalf("%s: got %d %s, want 307", target, a.status, a.body)
			}
			if location.Host == "www.sat.test" {
				return location, cookiesOf(t, a.header["Set-Cookie"]), hops
			}
			target = location.String()
		}
		t.Fatal("the redirects do not end")
		return nil, nil, 0
	}
	handshake := satellite + byHandshake("https://www.sat.test/page?a=1").Encode()
	jar := newJar(t)
	at, _, first := follow(jar, handshake)
	if at.Query().Get("__clerk_synced") != "true" || at.Query().Get("a") != "1" || first != 3 {
		t.Errorf("signed out it ends at %s after %d redirects, want __clerk_synced=true and a=1 after 3", at, first)
	}
	in.SignIn(jar, worker)
	_, cookies, hops := follow(jar, handshake)
	i := slices.IndexFunc(cookies, func(c *http.Cookie) bool { return c.Name == "__clerk_handshake" })
	if i < 0 || cookies[i].Domain != "sat.test" || hops != 1 { // its own Frontend API has the browser's cookie by now
		t.Fatalf("signed in it sets %v after %d hops, want the answer for sat.test at once", cookies, hops)
	}
	var answer struct{ Handshake []string }
	_, payload, _ := parts(t, cookies[i].Value)
	decode(t, payload, &answer)
	for _, c := range cookiesOf(t, answer.Handshake) {
		if c.Name == "__session" {
			if got := claimsOf(t, in, c.Value); got["iss"] != "https://clerk.sat.test" || got["azp"] != "https://www.sat.test" {
				t.Errorf("the token has the claims %v, want the satellite's issuer and azp", got)
			}
		}
		if c.Name == "__client_uat" && c.MaxAge > 0 && c.Domain != "sat.test" {
			t.Errorf("got %s, want it for sat.test", c)
		}
	}
	fresh, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	in.SignIn(fresh, worker)
	if at, _, hops = follow(fresh, "https://clerk.sat.test/v1/client/sync?redirect_url=https%3A%2F%2Fwww.sat.test%2F"); hops != 3 {
		t.Errorf("Clerk's script ends at %s after %d redirects, want 3", at, hops)
	}
	for _, target := range []string{"https://evil.test/", "https://clerk.sat.test.evil.test/", "https://x@clerk.sat.test/", "http://clerk.sat.test/", "https://clerk.sat.test:99/"} {
		a := exchange(t, in, jar, "GET", "https://clerk.example.com/v1/client/sync?redirect_url="+url.QueryEscape(target), "", nil)
		if a.status != http.StatusBadRequest || a.header.Get("Location") != "" {
			t.Errorf("the primary domain, for %s: got %d, want 400", target, a.status)
		}
	}
}

// TestSatelliteAppSignsIn signs in through the middleware of an app at a satellite.
func TestSatelliteAppSignsIn(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{
		Satellites: []string{"sat.test"}, Origins: []string{"https://www.sat.test", "https://example.com"}, People: []clerktest.Person{worker},
	})
	cfg := in.Config()
	cfg.Satellite, cfg.SignInURL = &clerkauth.Satellite{Domain: "sat.test", AutoSync: true}, "https://example.com/sign-in"
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var who string
	browser := in.Browser(auth.Optional(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		who = ""
		if s, ok := clerkauth.FromContext(r.Context()); ok {
			who = s.UserID
		}
	})))
	visit := func(path string) string {
		t.Helper()
		resp, err := browser.Get("https://www.sat.test" + path) //nolint:noctx // in memory
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return who
	}
	if got := visit("/"); got != "" {
		t.Errorf("before the sign-in: signed in as %q, want nobody", got)
	}
	in.SignIn(browser.Jar, worker)
	if got := visit("/?__clerk_synced=false"); got != "user_dora" {
		t.Errorf("after signing in at the primary domain: got %q, want \"user_dora\"", got)
	}
	if got := visit("/again"); got != "user_dora" {
		t.Errorf("once more: got %q, want \"user_dora\"", got)
	}
}

func TestDomainsOfDevelopmentCookies(t *testing.T) {
	for origin, want := range map[string]string{
		"http://localhost:3000": "", "http://127.0.0.1:3000": "", "http://[::1]:3000": "", "http://sub.app.localhost:3000": "app.localhost",
		"https://app.example.com": "example.com", "https://a.b.example.co.uk": "example.co.uk", "https://example.com": "example.com", "http://app:3000": "",
	} {
		t.Run(origin, func(t *testing.T) {
			in := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{origin}})
			jar := newJar(t)
			in.SignIn(jar, worker)
			kept, deleted := 0, 0
			for _, c := range directivesOf(t, in, jar, "nonce", false) {
				switch {
				case !strings.HasPrefix(c.Name, "__client_uat"):
				case c.MaxAge < 0 && c.Domain == "" && kept == 0:
					deleted++
				case c.Domain == want && c.MaxAge > 0:
					kept++
				default:
					t.Errorf("got the cookie %s, want Domain %q", c, want)
				}
			}
			if kept != 2 || (deleted == 2) != (want != "") {
				t.Errorf("%d cookies are set and %d of the host's own deleted before, want 2, and 2 where the domain is wider", kept, deleted)
			}
		})
	}
}

func TestSatellitesAreBareHostsOfAProductionInstance(t *testing.T) {
	for _, opts := range []clerktest.Options{
		{Satellites: []string{""}},
		{Satellites: []string{"https://sat.test"}},
		{Satellites: []string{"sat.test", "sat.test/x"}},
		{Development: true, Satellites: []string{"sat.test"}},
	} {
		if in, err := clerktest.Start(opts); err == nil {
			in.Close()
			t.Errorf("Start accepts %+v", opts)
		}
	}
}

// The allowlist would accept such an entry, and refuse every token of it.
func TestOriginsHaveNoSlashAtTheirEnd(t *testing.T) {
	in, err := clerktest.Start(clerktest.Options{Origins: []string{"https://example.com", "https://app.example.com/"}})
	if err == nil {
		in.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "Options.Origins") {
		t.Errorf("got %v, want an error about Options.Origins", err)
	}
}
