package clerkauth_test

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// What is normalised is not reported as a mistake, and works.
func TestNewNormalisesEntries(t *testing.T) {
	for entry, azp := range map[string]string{
		"https://EXAMPLE.com":        "https://example.com",
		"HTTPS://example.com":        "https://example.com",
		"https://example.com:443":    "https://example.com",
		"https://example.com/":       "https://example.com",
		"https://XN--bcher-kva.test": "https://xn--bcher-kva.test",
		"Safari-Web-Extension://AB1": "safari-web-extension://AB1",
		"https://[2001:DB8::0:1]/":   "https://[2001:db8::1]",
		"http://localhost:80/":       "http://localhost",
		"https://*.EXAMPLE.com:443/": "https://a.example.com",
		"chrome-extension://abcdef/": "chrome-extension://abcdef",
		"tauri://localhost":          "tauri://localhost",
	} {
		a := harness.NewApp(t, func(c *clerkauth.Config) { c.AuthorizedParties = []string{entry} })
		session, err := a.VerifyToken(t.Context(), a.Clerk.Token(clerktest.Claims{AuthorizedParty: azp}))
		if err != nil || session.AuthorizedParty != azp {
			t.Errorf("%q: a token for %s: got %v, %v; want a session of it", entry, azp, session, err)
		}
		a.Clerk.Close()
	}
}

func TestAuthorizedPartyMustBeInTheList(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.AuthorizedParties = []string{"https://example.com", "https://*.preview.example.com"}
		c.TrustedOrigins = []string{"https://pay.example"}
	})
	for azp, want := range map[string]clerkauth.Reason{
		"https://example.com":              "",
		"https://pr-1.preview.example.com": "",
		"https://pay.example":              clerkauth.ReasonTokenInvalidParties,
		"https://blog.example.com":         clerkauth.ReasonTokenInvalidParties,
		"https://example.com.evil.test":    clerkauth.ReasonTokenInvalidParties,
		"https://evil-example.com":         clerkauth.ReasonTokenInvalidParties,
		"https://example.com@evil.test":    clerkauth.ReasonTokenInvalidParties,
		"https://a.b.preview.example.com":  clerkauth.ReasonTokenInvalidParties,
		"https://example.com/":             clerkauth.ReasonTokenInvalidParties,
		"https://example.com:443":          clerkauth.ReasonTokenInvalidParties,
		"https://example.com.":             clerkauth.ReasonTokenInvalidParties,
		"https://EXAMPLE.com":              clerkauth.ReasonTokenInvalidParties,
		"http://example.com":               clerkauth.ReasonTokenInvalidParties,
		"example.com":                      clerkauth.ReasonTokenInvalidParties,
		"null":                             clerkauth.ReasonTokenInvalidParties,
	} {
		token := a.Clerk.Token(clerktest.Claims{AuthorizedParty: azp})
		for source, carry := range map[string]harness.Edit{"bearer": harness.WithBearer(token), "cookie": a.WithCookies(token)} {
			r := harness.Request(http.MethodGet, "/", carry)
			if got := harness.Reason(t, a.AuthenticateRequest(r)); got != want {
				t.Errorf("%s with azp %q: got %q, want %q", source, azp, got, want)
			}
		}
	}
	for name, azp := range map[string]any{"empty": "", "null": nil, "number": 1, "list": []string{"https://example.com"}} {
		_, err := a.VerifyToken(t.Context(), a.Clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": azp}}))
		if err == nil || harness.ReasonOf(t, err) != clerkauth.ReasonTokenInvalidParties {
			t.Errorf("%s azp: got %v, want %s", name, err, clerkauth.ReasonTokenInvalidParties)
		}
	}
}

// With test keys a wildcard may match preview deployments, with live keys only what belongs to the
// instance.
func TestWildcardsFollowTheKeys(t *testing.T) {
	for _, tc := range []struct {
		entry      string
		live, test bool
	}{
		{"https://*.example.com", true, false},
		{"https://pr-*.example.com", true, true},
		{"https://pr-*.vercel.app", false, true},
		{"https://*.vercel.app", false, false},
		{"https://*.com", false, false},
	} {
		for key, want := range map[string]bool{liveKey: tc.live, testKey: tc.test} {
			cfg := clerkauth.Config{PublishableKey: key, AuthorizedParties: []string{tc.entry}}
			_, err := clerkauth.New(cfg)
			if got := err == nil; got != want {
				t.Errorf("%s with %s keys: got %v, want accepted %t", tc.entry, key[:8], err, want)
			}
		}
	}
	top := clerkauth.Config{PublishableKey: harness.PublishableKey("pk_live_", "clerk.com"), AuthorizedParties: []string{"https://*.com"}}
	if _, err := clerkauth.New(top); err == nil || !strings.Contains(err.Error(), "list the origins instead") {
		t.Errorf("an instance at clerk.com: got %v, want an error", err)
	}
	port := clerkauth.Config{PublishableKey: harness.PublishableKey("pk_live_", "clerk.example.com:8443"), AuthorizedParties: []string{"https://*.example.com"}}
	if _, err := clerkauth.New(port); err != nil {
		t.Errorf("an instance on a port of its own: got %v, want none", err)
	}
	unknown := clerkauth.Config{JWTKey: harness.NewApp(t).Clerk.JWTKey(), Issuers: []string{"https://a.test"}, AuthorizedParties: []string{"https://pr-*.example.com"}}
	if _, err := clerkauth.New(unknown); err == nil {
		t.Error("without a key that names the root domain New accepts a wildcard")
	}
	unknown.SecretKey = testSecret
	if _, err := clerkauth.New(unknown); err != nil {
		t.Errorf("with a test secret key: got %v, want none", err)
	}
}

// AllowParty decides what the list does not, and gets the host.
func TestAllowPartyDecidesWhatTheListDoesNot(t *testing.T) {
	type question struct{ origin, host string }
	var calls []question
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.AllowParty = func(_ context.Context, origin, host string) bool {
			calls = append(calls, question{origin, host})
			return origin == "https://customer.test"
		}
	})
	for _, tc := range []struct {
		azp  string
		want clerkauth.Reason
		ask  bool
	}{
		{"https://example.com", "", false},
		{"https://customer.test", "", true},
		{"https://stranger.test", clerkauth.ReasonTokenInvalidParties, true},
		{"https://CUSTOMER.test", clerkauth.ReasonTokenInvalidParties, false},
		{"https://customer.test:443", clerkauth.ReasonTokenInvalidParties, false},
		{"https://customer.test/", clerkauth.ReasonTokenInvalidParties, false},
		{"null", clerkauth.ReasonTokenInvalidParties, false},
	} {
		token := a.Clerk.Token(clerktest.Claims{AuthorizedParty: tc.azp})
		var want []question
		if tc.ask {
			want = []question{{tc.azp, "app.example:8080"}}
		}
		calls = nil
		if got := harness.Reason(t, a.AuthenticateRequest(harness.Request(http.MethodGet, "http://App.Example:8080/", harness.WithBearer(token)))); got != tc.want {
			t.Errorf("azp %q: got %q, want %q", tc.azp, got, tc.want)
		}
		if !slices.Equal(calls, want) {
			t.Errorf("azp %q: AllowParty was asked %v, want %v", tc.azp, calls, want)
		}
		calls = nil
		_, _ = a.VerifyToken(t.Context(), token)
		if tc.ask && !slices.Equal(calls, []question{{tc.azp, ""}}) {
			t.Errorf("azp %q: VerifyToken asked AllowParty %v, want it without a host", tc.azp, calls)
		}
	}
	// A host that is malformed is not passed on, so that a query with it is safe.
	for _, malformed := range []string{"a.test,b.test", "*.test", "*", "[fe80::1%25eth0]", "a b", "a/b", "a@b", "a?b", "a#b", `a\b`, "a\tb", ":80", "[", ""} {
		calls = nil
		a.AuthenticateRequest(harness.Request(http.MethodGet, "/", harness.Host(malformed), harness.WithBearer(a.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://customer.test"}))))
		if !slices.Equal(calls, []question{{"https://customer.test", ""}}) {
			t.Errorf("with Host %q AllowParty was asked %v, want it without a host", malformed, calls)
		}
	}
	// A forged token must not cause a database query.
	calls = nil
	_, _ = a.VerifyToken(t.Context(), a.Clerk.Forge(clerktest.Claims{AuthorizedParty: "https://customer.test"}))
	if len(calls) > 0 {
		t.Errorf("AllowParty was called with %v for a forged token", calls)
	}
}

func TestConfigIsCopied(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	cfg := clerk.Config()
	cfg.AuthorizedParties = []string{"https://example.com"}
	cfg.TrustedOrigins = []string{"https://pay.example"}
	cfg.Audience = []string{"app"}
	cfg.Issuers = []string{clerk.Issuer()}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.AuthorizedParties[0], cfg.TrustedOrigins[0], cfg.Audience[0], cfg.Issuers[0] = "https://evil.test", "https://evil.test", "evil", "https://evil.test"
	cfg.HTTPClient.Transport = nil
	cfg.HTTPClient.CheckRedirect = nil

	a := &harness.App{Authenticator: auth, Clerk: clerk}
	good := clerk.Token(clerktest.Claims{Audience: []string{"app"}})
	if _, err := auth.VerifyToken(t.Context(), good); err != nil {
		t.Errorf("an honest token after Config was changed: %v", err)
	}
	evil := clerktest.Claims{AuthorizedParty: "https://evil.test", Audience: []string{"evil"}, Issuer: "https://evil.test"}
	if _, err := auth.VerifyToken(t.Context(), clerk.Token(evil)); err == nil {
		t.Error("a token for what the Config was changed to later is accepted")
	}
	post := func(origin string) clerkauth.Reason {
		return harness.Reason(t, auth.AuthenticateRequest(harness.Request(http.MethodPost, "/", a.WithCookies(good), harness.With("Origin", origin))))
	}
	if got := post("https://pay.example"); got != "" {
		t.Errorf("a write from a trusted origin after Config was changed: got %q, want none", got)
	}
	if got := post("https://evil.test"); got != clerkauth.ReasonCrossOriginRequest {
		t.Errorf("a write from what Config was changed to: got %q, want ReasonCrossOriginRequest", got)
	}
}

func TestInsecureAllowAnyParty(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true })
	tokens := map[string]string{
		"sibling subdomain": a.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"}),
		"none":              a.Clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}}),
	}
	for _, name := range slices.Sorted(maps.Keys(tokens)) {
		for source, carry := range map[string]harness.Edit{"bearer": harness.WithBearer(tokens[name]), "cookie": a.WithCookies(tokens[name])} {
			if got := harness.Reason(t, a.AuthenticateRequest(harness.Request(http.MethodGet, "/", carry))); got != "" {
				t.Errorf("%s with azp of %s: got %q, want signed in", source, name, got)
			}
		}
	}
	if got := harness.Reason(t, a.AuthenticateRequest(harness.Request(http.MethodGet, "/", harness.WithBearer(a.Clerk.Forge(clerktest.Claims{}))))); got != clerkauth.ReasonTokenSignature {
		t.Errorf("forged: got %q, want %q", got, clerkauth.ReasonTokenSignature)
	}
}

// Tokens without azp have separate switches for each source; a malformed azp is not a missing one.
func TestTokensWithoutParty(t *testing.T) {
	for name, tc := range map[string]struct {
		change         func(*clerkauth.Config)
		bearer, cookie clerkauth.Reason
	}{
		"neither": {func(*clerkauth.Config) {}, clerkauth.ReasonTokenInvalidParties, clerkauth.ReasonTokenMissingAZP},
		"bearer":  {func(c *clerkauth.Config) { c.InsecureAllowBearerWithoutParty = true }, "", clerkauth.ReasonTokenMissingAZP},
		"cookie":  {func(c *clerkauth.Config) { c.InsecureAllowCookieWithoutParty = true }, clerkauth.ReasonTokenInvalidParties, ""},
	} {
		a := harness.NewApp(t, tc.change)
		without := a.Clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}})
		malformed := a.Clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": nil}})
		foreign := a.Clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})
		for source, carry := range map[string]func(string) harness.Edit{"bearer": harness.WithBearer, "cookie": a.WithCookies} {
			want := tc.bearer
			if source == "cookie" {
				want = tc.cookie
			}
			ask := func(token string) clerkauth.Reason {
				return harness.Reason(t, a.AuthenticateRequest(harness.Request(http.MethodGet, "/", carry(token))))
			}
			if got := ask(without); got != want {
				t.Errorf("%s allowed, no azp in a %s: got %q, want %q", name, source, got, want)
			}
			if got := ask(malformed); got != clerkauth.ReasonTokenInvalidParties {
				t.Errorf("%s allowed, azp null in a %s: got %q, want %q", name, source, got, clerkauth.ReasonTokenInvalidParties)
			}
			if got := ask(foreign); got != clerkauth.ReasonTokenInvalidParties {
				t.Errorf("%s allowed, foreign azp in a %s: got %q, want %q", name, source, got, clerkauth.ReasonTokenInvalidParties)
			}
		}
	}
}
