package clerkauth_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// Requests under ProxyURL's path are neither checked nor refreshed, and nobody is redirected from
// there: Clerk answers them. Paths that the handler behind could read differently are checked as
// usual.
func TestProxiedRequestsPass(t *testing.T) {
	page := harness.Headers("Accept: text/html", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: none")
	for _, proxyURL := range []string{"/__clerk", "https://example.com/__clerk/"} {
		a := harness.NewApp(t, func(c *clerkauth.Config) { c.ProxyURL = proxyURL })
		expired := harness.All(a.WithCookies(a.Expired(clerktest.Claims{})), harness.Headers("Cookie: "+a.RefreshCookie()))
		for _, tt := range []struct {
			name, target string
			edits        []harness.Edit
			passes       bool
		}{
			{"a script", "/__clerk/v1/client", nil, true},
			{"a page", "/__clerk/v1/client/handshake?redirect_url=x", []harness.Edit{page}, true},
			{"keys", "/__clerk/.well-known/jwks.json", nil, true},
			{"behind StripPrefix", "/__clerk/v1/client", []harness.Edit{func(r *http.Request) { r.URL.Path = "/__clerk/v1/client" }}, true},
			{"with the port", "/__clerk/v1/client", []harness.Edit{harness.Host("example.com:443")}, true},
			{"in capitals", "/__clerk/v1/client", []harness.Edit{harness.Host("EXAMPLE.com")}, true},
			{"a write of another site", "/__clerk/v1/client", []harness.Edit{method("POST"), harness.Headers("Origin: https://evil.test", "Sec-Fetch-Site: cross-site")}, true},
			{"two Authorization headers", "/__clerk/v1/client", []harness.Edit{harness.With("Authorization", "Bearer a", "Bearer b")}, true},
			{"a bearer token", "/__clerk/v1/client", []harness.Edit{harness.WithBearer("garbage")}, true},

			{"another path", "/", nil, false},
			{"no path of Clerk's", "/__clerk/admin/users", nil, false},
			{"the path itself", "/__clerk", nil, false},
			{"its slash", "/__clerk/", nil, false},
			{"a method that is not forwarded", "/__clerk/v1/client", []harness.Edit{method("TRACE")}, false},
			{"CONNECT, as HTTP/2 has it", "/__clerk/v1/client", []harness.Edit{method("CONNECT"), func(r *http.Request) { r.URL.Path, r.Host = "", "/__clerk/v1/client" }}, false},
			{"GET without a path", "/__clerk/v1/client", []harness.Edit{func(r *http.Request) { r.URL.Path = "" }}, false},
			{"its first segment cut off", "/__clerk/v1/client", []harness.Edit{func(r *http.Request) { r.URL.Path = "/v1/client" }}, false},
			{"a page for every path", "/__clerk/v1/client/", []harness.Edit{func(r *http.Request) { r.URL.Path = "/" }}, false},
			{"a path that begins alike", "/__clerkx/v1/client", nil, false},
			{"a path above", "/x/__clerk/v1/client", nil, false},
			{"dots", "/__clerk/../admin", nil, false},
			{"dots at the end", "/__clerk/v1/..", nil, false},
			{"encoded dots", "/__clerk/%2e%2e/admin", nil, false},
			{"an encoded slash", "/__clerk/..%2fadmin", nil, false},
			{"an encoded backslash", "/__clerk/..%5cadmin", nil, false},
			{"two slashes", "/__clerk//admin", nil, false},
			{"two slashes before", "//__clerk/v1/client", nil, false},
			{"a semicolon", "/__clerk/..;/admin", nil, false},
			{"encoded letters", "/%5f%5fclerk/v1/client", nil, false},
			{"in the query", "/?/__clerk/v1/client", nil, false},
			{"rewritten by a handler in front", "/__clerk/v1/client", []harness.Edit{func(r *http.Request) { r.URL.Path = "/admin" }}, false},
		} {
			for name, middleware := range map[string]func(http.Handler) http.Handler{
				"Optional": a.Optional, "Require": a.Require, "Authorize": a.Authorize(clerkauth.Role("org:admin")),
				"Require in Optional": func(h http.Handler) http.Handler { return a.Optional(a.Require(h)) },
			} {
				a.Events()
				a.Clerk.ResetRequests()
				reached := false
				h := middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					_, in := clerkauth.FromContext(r.Context())
					reached = true
					if in && tt.passes {
						t.Errorf("%s, %s: the handler finds a session, want none", name, tt.name)
					}
				}))
				r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
				u, err := r.URL.Parse(tt.target)
				if err != nil {
					t.Fatal(err)
				}
				r.URL, r.RequestURI = u, tt.target
				if strings.HasPrefix(tt.target, "//") {
					r.URL.Host, r.URL.Path = "", "/__clerk/v1/client" // unlike net/http, but others may do so
				}
				harness.All(append([]harness.Edit{expired}, tt.edits...)...)(r)
				w := harness.Serve(h, r)
				decided, called := len(a.Events()) > 0, len(a.Clerk.Requests()) > 0
				if decided == tt.passes || tt.passes && (!reached || called || w.Code != http.StatusOK || len(w.Header()) != 0) {
					t.Errorf("%s at %s, %s: got reached %t, decided %t, Clerk asked %t, answered %d %v; want the request either passed to the proxy or checked", name, proxyURL, tt.name, reached, decided, called, w.Code, w.Header())
				}
				if !tt.passes && reached && name != "Optional" {
					t.Errorf("%s at %s, %s: a signed-out request reached the handler", name, proxyURL, tt.name)
				}
			}
		}
	}
}

func method(m string) harness.Edit { return func(r *http.Request) { r.Method = m } }

// Other hosts than that of an absolute ProxyURL have no proxy.
func TestProxiedHost(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.ProxyURL = "https://example.com/__clerk" })
	for host, want := range map[string]int{"example.com": 200, "www.example.com": 401, "example.com:8443": 401, "evil.test": 401, "": 401} {
		if w := harness.Serve(a.Require(harness.Greet), harness.Request(http.MethodGet, "/__clerk/v1/client", harness.Host(host))); w.Code != want {
			t.Errorf("%q: got %d, want %d", host, w.Code, want)
		}
	}
}

func TestProxyHostThatNoBrowserSends(t *testing.T) {
	cfg := harness.ShortestConfig()
	cfg.ProxyURL = "https://exämple.com/__clerk"
	if _, err := clerkauth.New(cfg); err == nil || !strings.Contains(err.Error(), "ProxyURL") {
		t.Errorf("got %v, want an error about ProxyURL", err)
	}
}

// AuthenticateRequest decides about such a request, too, and refreshes nothing.
func TestProxiedRequestsAreNotRefreshed(t *testing.T) {
	for path, want := range map[string]int{"/page": 1, "/__clerk/v1/client": 0} {
		a := harness.NewApp(t, func(c *clerkauth.Config) { c.ProxyURL = "/__clerk" })
		a.AnswerRefreshes(0)
		r := harness.Request(http.MethodGet, path, a.WithCookies(a.Expired(clerktest.Claims{})))
		r.Header.Add("Cookie", a.NewRefreshCookie())
		s := a.AuthenticateRequest(r)
		if got := harness.Requests(a.Clerk, clerktest.BackendRefresh); got != want || s.Header.Get("Location") != "" {
			t.Errorf("%s: refreshed %d times, want %d; %v", path, got, want, s.Header)
		}
	}
}

func TestProxyWithoutKeyIsWarnedOf(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*clerkauth.Config)
		want   bool
	}{
		"neither key":      {func(c *clerkauth.Config) { c.SecretKey = "" }, true},
		"SecretKey":        {func(*clerkauth.Config) {}, false},
		"StateKey":         {func(c *clerkauth.Config) { c.SecretKey, c.StateKey = "", make([]byte, 32) }, false},
		"no proxy":         {func(c *clerkauth.Config) { c.SecretKey, c.ProxyURL = "", "" }, false},
		"without a party":  {func(c *clerkauth.Config) { c.SecretKey, c.InsecureAllowCookieWithoutParty = "", true }, false},
		"an absolute one":  {func(c *clerkauth.Config) { c.SecretKey, c.ProxyURL = "", "https://example.com/__clerk" }, true},
		"without any list": {func(c *clerkauth.Config) { c.SecretKey, c.AuthorizedParties, c.InsecureAllowAnyParty = "", nil, true }, false},
	} {
		log := &harness.Log{}
		harness.NewApp(t, func(c *clerkauth.Config) {
			c.ProxyURL, c.Logger = "/__clerk", log.Logger()
			tt.change(c)
		}).Clerk.Close()
		if got := strings.Contains(log.String(), "ProxyURL is set, but neither SecretKey nor StateKey"); got != tt.want {
			t.Errorf("%s: warned %t, want %t: %s", name, got, tt.want, log)
		}
	}
}

// Behind a path the issuer is that path on an origin of the list: without a list, no token has it.
func TestProxyWithoutIssuerIsWarnedOf(t *testing.T) {
	any := func(c *clerkauth.Config) { c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true }
	for name, tt := range map[string]struct {
		change func(*clerkauth.Config)
		want   bool
	}{
		"any party": {any, true},
		"a function": {func(c *clerkauth.Config) {
			c.AuthorizedParties, c.AllowParty = nil, func(context.Context, string, string) bool { return true }
		}, true},
		"a list":          {func(*clerkauth.Config) {}, false},
		"an issuer":       {func(c *clerkauth.Config) { any(c); c.Issuers = []string{"https://example.com/__clerk"} }, false},
		"an absolute one": {func(c *clerkauth.Config) { any(c); c.ProxyURL = "https://example.com/__clerk" }, false},
		"no proxy":        {func(c *clerkauth.Config) { any(c); c.ProxyURL = "" }, false},
	} {
		log := &harness.Log{}
		in := clerktest.New(t, clerktest.Options{Now: harness.AtNoon, ProxyURLs: []string{"https://example.com/__clerk"}})
		a := harness.NewAppOf(t, in, func(c *clerkauth.Config) {
			c.ProxyURL, c.Logger = "/__clerk", log.Logger()
			tt.change(c)
		})
		if got := strings.Contains(log.String(), "ProxyURL is a path, and AuthorizedParties"); got != tt.want {
			t.Errorf("%s: warned %t, want %t: %s", name, got, tt.want, log)
		}
		_, err := a.VerifyToken(t.Context(), in.Token(clerktest.Claims{}))
		if refused := name == "no proxy" || tt.want; errors.Is(err, clerkauth.ReasonTokenIssuer) != refused {
			t.Errorf("%s: got %v, want the issuer refused %t", name, err, refused)
		}
	}
}

// A machine's JWT has the issuer of a session token: one that is accepted for these is accepted for those.
func TestMachinesBehindAProxy(t *testing.T) {
	for proxyURL, want := range map[string]clerkauth.Reason{
		"/__clerk":                     "",
		"https://example.com/__clerk":  "",
		"/elsewhere":                   clerkauth.ReasonTokenVerificationFailed,
		"https://example.com/__clerk2": clerkauth.ReasonTokenVerificationFailed,
	} {
		in := clerktest.New(t, clerktest.Options{Now: harness.AtNoon, ProxyURLs: []string{"https://example.com/__clerk"}})
		a := harness.NewAppOf(t, in, func(c *clerkauth.Config) { c.ProxyURL = proxyURL })
		_, err := a.VerifyMachine(t.Context(), in.OAuthJWT(clerktest.MachineClaims{}), clerkauth.OAuthTokens())
		if want == "" && err != nil || want != "" && !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %q", proxyURL, err, want)
		}
	}
}
