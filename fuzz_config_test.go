package clerkauth_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// configured is an instance whose tokens are for its own origin, whatever else is configured.
type configured struct {
	clerk *clerktest.Instance
	token string
}

const home = "https://app.test"

// with is an Authenticator of a configuration; nil: New refuses it.
func (c *configured) with(change func(*clerkauth.Config)) *clerkauth.Authenticator {
	cfg := c.clerk.Config()
	cfg.JWTKey, cfg.AuthorizedParties = c.clerk.JWTKey(), []string{home}
	change(&cfg)
	auth, err := clerkauth.New(cfg)
	if err != nil {
		return nil
	}
	return auth
}

// normal matches the origins of an entry, computed only with net/url and net/netip; nil: it is not
// an origin.
func normal(entry string) *regexp.Regexp {
	scheme, rest, found := strings.Cut(strings.TrimSpace(entry), "://")
	u, err := url.Parse("x://" + strings.Replace(rest, "*", "STAR", 1))
	if !found || err != nil || u.Host == "" || strings.Contains(u.Path, "STAR") || strings.Contains(u.Hostname(), "*") {
		return nil
	}
	scheme = strings.ToLower(scheme)
	host, port := u.Hostname(), strings.TrimLeft(u.Port(), "0")
	if addr, err := netip.ParseAddr(host); err == nil && addr.Is6() {
		host = "[" + addr.String() + "]"
	}
	host = strings.Replace(host, "STAR", "*", 1)
	if scheme == "http" || scheme == "https" {
		host = strings.ToLower(host)
	}
	if port != "" && scheme+port != "http80" && scheme+port != "https443" {
		host += ":" + port
	}
	return regexp.MustCompile("^" + strings.Replace(regexp.QuoteMeta(scheme+"://"+host), `\*`, "[a-z0-9-]{1,63}", 1) + "$")
}

// FuzzNew checks that New accepts the normal form: an entry of AuthorizedParties matches the
// origins of that form and no other text, and no address of a configuration redirects anybody
// elsewhere.
func FuzzNew(f *testing.F) {
	clerk := clerktest.New(f, clerktest.Options{Now: harness.AtNoon})
	c := &configured{clerk, clerk.Token(clerktest.Claims{AuthorizedParty: home})}
	for _, party := range []string{
		"https://example.com", "HTTPS://Example.COM:443/", "https://*.example.com", "https://pr-*.example.com:8443", "http://localhost:03000", "https://[::0001]:8443", "chrome-extension://AbC", "https://example.com.", "https://a@b.test",
		" https://example.com ", "https://127.1", "https://example.com:0", "//example.com", "https://exam_ple.com", "https://*", "https://xn--a.test", "capacitor://localhost",
	} {
		f.Add(party, "https://example.com", party, "/sign-in", "sk_live_"+party)
		f.Add(party, party, "/__clerk", `/\evil.test`, "sk_live_x y")
	}
	f.Add("https://a.test", "https://a.test", "/ _clerk", "/sign-in", "")
	f.Add("https://a.test", "https://a.test:443", "HTTPS://Satellite.TEST:443/", "/sign-in", "")
	f.Fuzz(func(t *testing.T, party, probe, address, signIn, secret string) {
		c.parties(t, party, probe)
		c.addresses(t, address, signIn)
		if c.with(func(cfg *clerkauth.Config) { cfg.SecretKey = secret }) != nil {
			if secret = strings.TrimSpace(secret); secret != "" && (!strings.HasPrefix(secret, "sk_live_") || len(strings.Fields(secret)) != 1) {
				t.Errorf("New accepts the secret key %q", secret)
			}
		}
	})
}

func (c *configured) parties(t *testing.T, party, probe string) {
	t.Helper()
	auth := c.with(func(cfg *clerkauth.Config) { cfg.AuthorizedParties = []string{home, party} })
	if auth == nil {
		return
	}
	form := normal(party)
	if form == nil {
		t.Fatalf("New accepts %q, which has no normal form", party)
	}
	for _, origin := range []string{probe, party, strings.ToLower(party), strings.TrimSuffix(party, "/"), strings.Replace(party, "*", "a-1", 1), strings.Replace(party, "*", "a.b", 1), party + ".evil.test", party + ":443", party + "@evil.test"} {
		if origin == "" || strings.ContainsAny(origin, "\r\n") || origin == home {
			continue
		}
		r := harness.Request(http.MethodPost, home+"/", harness.With("Origin", origin), harness.With("Sec-Fetch-Site", "same-site"))
		for _, cookie := range c.clerk.Cookies(c.token) {
			r.AddCookie(cookie)
		}
		if in := auth.AuthenticateRequest(r).Status == clerkauth.StatusSignedIn; in != form.MatchString(origin) {
			t.Errorf("the entry %q, of the form %s: writes of %q accepted: %t, want %t", party, form, origin, in, form.MatchString(origin))
		}
	}
}

func (c *configured) addresses(t *testing.T, address, signIn string) {
	t.Helper()
	for field, change := range map[string]func(*clerkauth.Config){
		"SignInURL": func(cfg *clerkauth.Config) { cfg.SignInURL = signIn },
		"ProxyURL":  func(cfg *clerkauth.Config) { cfg.ProxyURL = address },
		"Satellite": func(cfg *clerkauth.Config) {
			cfg.Satellite, cfg.SignInURL = &clerkauth.Satellite{Domain: address}, "https://accounts.app.test/sign-in"
		},
	} {
		auth := c.with(change)
		if auth == nil {
			continue
		}
		var allowed []string
		domain := strings.TrimSpace(address)
		if _, host, found := strings.Cut(domain, "://"); found {
			domain = host // Clerk's guide writes a scheme before a domain on this machine
		}
		for _, text := range []string{home, c.clerk.Issuer(), "https://accounts.app.test", address, signIn, "https://clerk." + domain} {
			if u, err := url.Parse(strings.TrimSpace(text)); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.User == nil {
				allowed = append(allowed, site(u))
			}
		}
		for _, cookie := range []string{"", "__client_uat=1"} {
			r := harness.Request(http.MethodGet, home+"/page", harness.Document, harness.Host("app.test"), harness.With("Cookie", cookie))
			location := harness.Serve(auth.Require(harness.Greet), r).Header().Get("Location")
			u, err := url.Parse(location)
			if err != nil || strings.Contains(u.Host, ".[") || strings.ContainsAny(location, "\r\n\\") || location != "" && (u.User != nil || !within(allowed, u)) {
				t.Errorf("%s, %q or %q: sent to %q, want one of the configured sites", field, address, signIn, location)
			}
		}
	}
}

// within reports whether u is at one of the sites.
func within(sites []string, u *url.URL) bool {
	return slices.Contains(sites, site((&url.URL{Scheme: "https", Host: "app.test", Path: "/page"}).ResolveReference(u)))
}

// site is the origin of an address, with its port as a browser reads it.
func site(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), strings.TrimLeft(u.Port(), "0")
	if addr, err := netip.ParseAddr(host); err == nil {
		host = addr.String()
	}
	if port == map[string]string{"https": "443", "http": "80"}[u.Scheme] {
		port = ""
	}
	return u.Scheme + "://" + host + ":" + port
}
