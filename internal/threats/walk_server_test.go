package threats_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// The attacker makes a shared cache keep an answer that renews somebody's session, or that names
// the attacker's host.
func TestWalkCachePoisoning(t *testing.T) {
	v := newRenewing(t)
	public := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "public, max-age=3600") })
	renewed := harness.Serve(v.Optional(public), v.visitor(harness.Request("GET", harness.Origin+"/app.js")))
	v.private(t, "renewed", renewed.Header())
	for _, header := range []string{"X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL", "X-Forwarded-Server"} {
		r := v.Page(v.Expired(clerktest.Claims{}))
		r.Header.Set(header, "host=evil.test")
		w := harness.Serve(v.Require(harness.Greet), r)
		if text := w.Header().Get("Location") + w.Body.String(); w.Code != http.StatusTemporaryRedirect || strings.Contains(text, "evil.test") {
			t.Errorf("%s: got %d %s, want 307 without evil.test", header, w.Code, text)
		}
		if got := w.Header().Get("Cache-Control"); !strings.Contains(got, "no-store") {
			t.Errorf("%s: got Cache-Control %q, want no-store", header, got)
		}
	}
}

// Every parameter and header that can name an address has the attacker's.
func TestWalkOpenRedirects(t *testing.T) {
	allowed := func(address string, origins ...string) bool {
		u, err := url.Parse(address)
		return err == nil && u.User == nil && slices.Contains(origins, u.Scheme+"://"+u.Host)
	}
	for name, development := range map[string]bool{"production": false, "development": true} {
		clerk := clerktest.New(t, clerktest.Options{Development: development, Now: harness.AtNoon, Origins: []string{harness.Origin}})
		a := harness.NewAppOf(t, clerk, harness.SignIn, func(c *clerkauth.Config) { c.TrustForwardedHeaders = true })
		sent := 0
		try := func(what string, edits ...harness.Edit) {
			for _, cookie := range []string{"", "__client_uat=1; __clerk_db_jwt=dvb_1"} {
				r := a.Returning(cookie)
				harness.All(edits...)(r)
				location := harness.Serve(a.Require(harness.Greet), r).Header().Get("Location")
				u, err := url.Parse(location)
				if location == "" || err != nil {
					continue
				}
				sent++
				back := u.Query().Get("redirect_url")
				if !allowed(location, harness.Origin, "https://accounts.example.com", clerk.Issuer()) || back != "" && !allowed(back, harness.Origin) {
					t.Errorf("%s, %s: redirected to %s, want only our own addresses", name, what, location)
				}
			}
		}
		for _, parameter := range []string{
			"redirect_url", "__clerk_redirect_url", "__clerk_synced", "__clerk_satellite_url", "__clerk_handshake", "__clerk_handshake_nonce", "__clerk_db_jwt", "__clerkauth_state",
			"sign_in_force_redirect_url", "sign_in_fallback_redirect_url", "after_sign_in_url", "return_to", "next",
		} {
			for _, value := range []string{"https://evil.test/", "//evil.test", `/\evil.test`, "https:evil.test", "javascript:alert(1)", "https://example.com@evil.test/", "https://example.com.evil.test"} {
				query := url.Values{parameter: {value}}.Encode()
				try(query, func(r *http.Request) { r.URL.RawQuery, r.RequestURI = query, "/page?"+query })
			}
		}
		for _, header := range []string{
			"X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "Forwarded", "Origin", "Referer", "X-Original-URL", "X-Rewrite-URL", "Clerk-Proxy-Url", "Clerk-Redirect-To", "Location",
		} {
			for _, value := range []string{"evil.test", "https://evil.test/", "host=evil.test", "example.com, evil.test", "example.com@evil.test", "javascript"} {
				try(header+": "+value, harness.With(header, value))
			}
		}
		for _, host := range []string{"evil.test", "example.com.evil.test", "example.com@evil.test", "old-blog.example.com", "example.com:443@evil.test", "example.com\\.evil.test"} {
			try("Host: "+host, harness.Host(host))
		}
		for _, path := range []string{"//evil.test/", `/\evil.test`, "/%2f/evil.test", "//evil.test@example.com/", "/.//evil.test"} {
			try(path, func(r *http.Request) { r.URL.Path, r.URL.RawPath, r.RequestURI = path, "", path })
		}
		if sent < 100 {
			t.Errorf("%s: %d redirects, want 100 at least: otherwise the test does not show what it should", name, sent)
		}
	}
}

// Another signed or similar credential is used as a session token, and the reverse.
func TestWalkTokenConfusion(t *testing.T) {
	a := harness.NewApp(t)
	clock := func() time.Time { return a.Now }
	other := clerktest.New(t, clerktest.Options{Domain: "other.example", Origins: []string{harness.Origin}, Now: clock})
	development := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{harness.Origin}, Now: clock})
	none := clerktest.MachineClaims{}
	for what, token := range map[string]string{
		"template":            a.Clerk.Token(clerktest.Claims{Header: map[string]any{"cat": "cl_B7d4PD222AAA"}, Extra: map[string]any{"sid": clerktest.Absent}}),
		"template by cat":     a.Clerk.Token(clerktest.Claims{Header: map[string]any{"cat": "cl_B7d4PD222AAA"}}),
		"M2M JWT":             a.Clerk.M2MJWT(none),
		"M2M token":           a.Clerk.M2M(none),
		"OAuth JWT":           a.Clerk.OAuthJWT(none),
		"OAuth token":         a.Clerk.OAuth(none),
		"API key":             a.Clerk.APIKey(none),
		"other instance":      other.Token(clerktest.Claims{}),
		"other, our issuer":   other.Token(clerktest.Claims{Issuer: a.Clerk.Issuer()}),
		"another's issuer":    a.Clerk.Token(clerktest.Claims{Issuer: other.Issuer()}),
		"development":         development.Token(clerktest.Claims{}),
		"development, issuer": development.Token(clerktest.Claims{Issuer: a.Clerk.Issuer()}),
	} {
		for where, r := range map[string]*http.Request{"bearer": harness.Request("GET", "/", harness.WithBearer(token)), "cookie": a.Script(token)} {
			if s := a.AuthenticateRequest(r); s.Status == clerkauth.StatusSignedIn {
				t.Errorf("%s as a %s: signed in, want refused", what, where)
			}
		}
	}
	session := a.Clerk.Token(clerktest.Claims{})
	for what, credential := range map[string]string{"session": session, "M2M": a.Clerk.M2MJWT(none), "OAuth": a.Clerk.OAuthJWT(none), "API key": a.Clerk.APIKey(none)} {
		for kind, accepted := range map[string]clerkauth.Credential{"M2M": clerkauth.M2MTokens(), "OAuth": clerkauth.OAuthTokens(), "API key": clerkauth.APIKeys()} {
			if _, err := a.VerifyMachine(t.Context(), credential, accepted); (err == nil) != (what == kind) {
				t.Errorf("%s where %s is accepted: got %v, want accepted: %t", what, kind, err, what == kind)
			}
		}
	}
}

// Headers are doubled, joined, renamed and in the wrong case, so that two readers see two requests.
func TestWalkHeaderSmuggling(t *testing.T) {
	v := newVisitor(t)
	good, stolen := v.token(victim), v.forBlog()
	for what, edit := range map[string]harness.Edit{
		"two credentials":             harness.With("Authorization", "Bearer "+stolen, "Bearer "+good),
		"two credentials, good first": harness.With("Authorization", "Bearer "+good, "Bearer "+stolen),
		"two beside a good cookie":    harness.All(harness.With("Authorization", "Bearer "+stolen, "Bearer "+good), v.WithCookies(good)),
		"two credentials in a line":   harness.With("Authorization", "Bearer "+stolen+", Bearer "+good),
		"nothing and a credential":    harness.With("Authorization", "", "Bearer "+good),
		"another header":              harness.With("X-Authorization", "Bearer "+good),
		"proxy credentials":           harness.With("Proxy-Authorization", "Bearer "+good),
		"a header's name in spaces":   func(r *http.Request) { r.Header["Authorization "] = []string{"Bearer " + good} },
		"a header in lower case":      func(r *http.Request) { r.Header["authorization"] = []string{"Bearer " + good} },
		"a cookie inside a value":     harness.With("Cookie", `a="x; __session=`+stolen+`"; __client_uat=1`),
		"a line break":                harness.With("Authorization", "Bearer "+stolen+"\r\nAuthorization: Bearer "+good),
		"the middleware's own names":  harness.Headers("X-Clerk-Auth-Status: signed-in", "X-Middleware-Subrequest: middleware", "X-Clerk-Clerk-Url: /", "X-User-Id: "+victim),
		"a method in a header":        harness.All(harness.With("X-Http-Method-Override", "GET"), func(r *http.Request) { r.Method = http.MethodPost }, v.WithCookies(good), harness.Headers("Origin: "+blog)),
	} {
		if s := v.AuthenticateRequest(harness.Request("GET", harness.Origin+"/", edit)); s.Status == clerkauth.StatusSignedIn {
			t.Errorf("%s: signed in as %s, want refused", what, s.Session.UserID)
		}
	}
}
