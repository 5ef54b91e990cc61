package clerkauth_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

const cross = clerkauth.ReasonCrossOriginRequest

// cookieWrites are requests that are authenticated by the cookies of a person signed in at
// https://example.com.
var cookieWrites = []struct {
	name   string
	method string
	header harness.Edit
	want   clerkauth.Reason // empty: let through
}{
	{"same-origin", "POST", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com"), ""},
	{"typed into the address bar", "POST", harness.Headers("Sec-Fetch-Site: none"), ""},
	{"sibling subdomain", "POST", harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com"), cross},
	{"stranger", "POST", harness.Headers("Sec-Fetch-Site: cross-site", "Origin: https://evil.test"), cross},
	{"stranger without Origin", "POST", harness.Headers("Sec-Fetch-Site: cross-site"), cross},
	{"stranger with an empty Origin", "POST", harness.Headers("Sec-Fetch-Site: cross-site", "Origin: "), cross},
	{"a site that no browser names", "POST", harness.Headers("Sec-Fetch-Site: SAME-ORIGIN"), cross},
	{"null", "POST", harness.Headers("Sec-Fetch-Site: cross-site", "Origin: null"), cross},
	{"null from an old browser", "POST", harness.Headers("Origin: null"), cross},
	{"http to https, told by the browser", "POST", harness.Headers("Sec-Fetch-Site: cross-site", "Origin: http://example.com"), cross},
	{"http to https, from an old browser", "POST", harness.Headers("Origin: http://example.com"), cross},
	{"another port", "POST", harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://example.com:8443"), cross},
	{"same-origin from an old browser", "POST", harness.Headers("Origin: https://example.com"), ""},
	{"another port from an old browser", "POST", harness.Headers("Origin: https://example.com:8443"), cross},
	{"sibling subdomain from an old browser", "POST", harness.Headers("Origin: https://blog.example.com"), cross},
	{"a path from an old browser", "POST", harness.Headers("Origin: https://example.com/"), cross},
	{"user info from an old browser", "POST", harness.Headers("Origin: https://a@example.com"), cross},
	{"a bare host from an old browser", "POST", harness.Headers("Origin: //example.com"), cross},
	{"another spelling from an old browser", "POST", harness.Headers("Origin: https://EXAMPLE.com"), cross},
	{"no browser", "POST", harness.Headers(), ""},
	{"an empty Origin", "POST", harness.Headers("Origin: "), ""},
	{"same-origin form post", "POST", harness.Headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document",
		"Origin: https://example.com", "Content-Type: application/x-www-form-urlencoded", "Accept: text/html"), ""},

	{"listed party", "POST", harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://app.example.com"), ""},
	{"listed party from an old browser", "POST", harness.Headers("Origin: https://app.example.com"), ""},
	{"wildcard", "POST", harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://pr-1.preview.example.com"), ""},
	{"below the wildcard", "POST", harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://a.pr-1.preview.example.com"), cross},
	{"trusted origin", "POST", harness.Headers("Sec-Fetch-Site: cross-site", "Origin: https://pay.test"), ""},
	{"trusted origin over http", "POST", harness.Headers("Sec-Fetch-Site: cross-site", "Origin: http://pay.test"), cross},
	{"AllowParty", "POST", harness.Headers("Sec-Fetch-Site: cross-site", "Origin: https://customer.test"), ""},
	{"AllowParty, not in normal form", "POST", harness.Headers("Sec-Fetch-Site: cross-site", "Origin: https://customer.test:443"), cross},
	{"extension", "POST", harness.Headers("Sec-Fetch-Site: cross-site", "Origin: chrome-extension://abcdef"), ""},

	{"two origins, the first good", "POST", harness.Headers("Origin: https://example.com", "Origin: https://evil.test"), cross},
	{"two origins, the first empty", "POST", harness.Headers("Origin: ", "Origin: https://evil.test"), cross},
	{"twice the good origin", "POST", harness.Headers("Origin: https://example.com", "Origin: https://example.com"), cross},
	{"two origins of a same-origin request", "POST", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com", "Origin: https://evil.test"), cross},
	{"origins in one line", "POST", harness.Headers("Origin: https://example.com, https://evil.test"), cross},
	{"two sites, the first good", "POST", harness.Headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"), cross},
	{"two sites, the first empty", "POST", harness.Headers("Sec-Fetch-Site: ", "Sec-Fetch-Site: cross-site"), cross},
	{"two sites, a listed party", "POST", harness.Headers("Sec-Fetch-Site: same-site", "Sec-Fetch-Site: same-site", "Origin: https://app.example.com"), ""},

	{"GET of a stranger", "GET", harness.Headers("Sec-Fetch-Site: cross-site", "Origin: https://evil.test"), ""},
	{"HEAD of a stranger", "HEAD", harness.Headers("Sec-Fetch-Site: cross-site"), ""},
	{"OPTIONS of a stranger", "OPTIONS", harness.Headers("Sec-Fetch-Site: cross-site", "Origin: https://evil.test"), ""},
	{"PUT", "PUT", harness.Headers("Sec-Fetch-Site: same-site"), cross},
	{"PATCH", "PATCH", harness.Headers("Sec-Fetch-Site: same-site"), cross},
	{"DELETE", "DELETE", harness.Headers("Sec-Fetch-Site: same-site"), cross},
	{"CONNECT", "CONNECT", harness.Headers("Sec-Fetch-Site: same-site"), cross},
	{"TRACE", "TRACE", harness.Headers("Sec-Fetch-Site: same-site"), cross},
	{"QUERY", "QUERY", harness.Headers("Sec-Fetch-Site: same-site"), cross},
	{"get in lower case", "get", harness.Headers("Sec-Fetch-Site: same-site"), cross},
	{"a method override", "GET", harness.Headers("Sec-Fetch-Site: same-site", "X-HTTP-Method-Override: POST"), ""},

	{"WebSocket", "GET", harness.Headers("Upgrade: websocket", "Sec-WebSocket-Key: x", "Origin: https://example.com"), ""},
	{"WebSocket of a listed party", "GET", harness.Headers("Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-Fetch-Site: same-site", "Origin: https://app.example.com"), ""},
	{"WebSocket of a sibling subdomain", "GET", harness.Headers("Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-Fetch-Site: same-site", "Origin: https://blog.example.com"), cross},
	{"WebSocket of a sibling subdomain's old browser", "GET", harness.Headers("Upgrade: websocket", "Sec-WebSocket-Key: x", "Origin: https://blog.example.com"), cross},
	{"WebSocket of null", "GET", harness.Headers("Upgrade: websocket", "Sec-WebSocket-Key: x", "Origin: null"), cross},
	{"WebSocket in another case", "GET", harness.Headers("Upgrade: WebSocket", "Origin: https://blog.example.com"), cross},
	{"WebSocket second in a list", "GET", harness.Headers("Upgrade: h2c, websocket", "Origin: https://blog.example.com"), cross},
	{"WebSocket in a second line", "GET", harness.Headers("Upgrade: h2c", "Upgrade: websocket", "Origin: https://blog.example.com"), cross},
	{"WebSocket of a version", "GET", harness.Headers("Upgrade: websocket/13", "Origin: https://blog.example.com"), cross},
	{"WebSocket by its key alone", "GET", harness.Headers("Sec-WebSocket-Key: x", "Origin: https://blog.example.com"), cross},
	{"WebSocket by an empty key", "GET", harness.Headers("Sec-WebSocket-Key: ", "Origin: https://blog.example.com"), cross},
	{"WebSocket by HEAD", "HEAD", harness.Headers("Upgrade: websocket", "Origin: https://blog.example.com"), cross},
	{"another upgrade", "GET", harness.Headers("Upgrade: h2c", "Origin: https://blog.example.com"), ""},
	{"an upgrade with a longer name", "GET", harness.Headers("Upgrade: websockets", "Origin: https://blog.example.com"), ""},
}

func TestCrossOrigin(t *testing.T) {
	a := harness.NewApp(t, harness.ManyParties)
	skipping := harness.NewAppOf(t, a.Clerk, harness.ManyParties, func(c *clerkauth.Config) { c.InsecureSkipOriginCheck = true })
	token := a.Clerk.Token(clerktest.Claims{})
	for _, tc := range cookieWrites {
		t.Run(tc.name, func(t *testing.T) {
			r := harness.Request(tc.method, "https://example.com/x", a.WithCookies(token), tc.header)
			if got := harness.Reason(t, a.AuthenticateRequest(r)); got != tc.want {
				t.Errorf("as httptest makes it: got %q, want %q", got, tc.want)
			}
			harness.AsServer(r)
			if got := harness.Reason(t, a.AuthenticateRequest(r)); got != tc.want {
				t.Errorf("as a server behind a proxy makes it: got %q, want %q", got, tc.want)
			}
			if r.Method != tc.method {
				t.Errorf("the request's method was changed to %s, want %s", r.Method, tc.method)
			}
			if got := harness.Reason(t, skipping.AuthenticateRequest(r)); got != "" {
				t.Errorf("with InsecureSkipOriginCheck: got %q, want let through", got)
			}
			harness.WithBearer(token)(r)
			if got := harness.Reason(t, a.AuthenticateRequest(r)); got != "" {
				t.Errorf("with the token as a bearer: got %q, want let through, because no page can add that header elsewhere", got)
			}
		})
	}
}

// The same through a real server, with TLS and without.
func TestCrossOriginThroughAServer(t *testing.T) {
	for scheme, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		clerk := clerktest.New(t, clerktest.Options{Now: harness.AtNoon})
		var guard http.Handler
		server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { guard.ServeHTTP(w, r) }))
		t.Cleanup(server.Close)
		a := harness.NewAppOf(t, clerk, func(c *clerkauth.Config) { c.AuthorizedParties = []string{server.URL} })
		guard = a.Require(harness.Greet)
		token := clerk.Token(clerktest.Claims{AuthorizedParty: server.URL})
		send := func(method string, edits ...harness.Edit) int {
			r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/x", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range append(edits, a.WithCookies(token)) {
				e(r)
			}
			resp, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			return resp.StatusCode
		}
		other := "https" + strings.TrimPrefix(server.URL, "http")
		if scheme == "https" {
			other = "http" + strings.TrimPrefix(server.URL, "https")
		}
		for name, tc := range map[string]struct {
			want   int
			method string
			header harness.Edit
		}{
			"write":                            {200, "POST", harness.Headers("Sec-Fetch-Site: same-origin", "Origin: "+server.URL)},
			"write of an old browser":          {200, "POST", harness.Headers("Origin: " + server.URL)},
			"write of a sibling subdomain":     {403, "POST", harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com")},
			"write of another scheme":          {403, "POST", harness.Headers("Origin: " + other)},
			"write of null":                    {403, "DELETE", harness.Headers("Origin: null")},
			"read of a sibling subdomain":      {200, "GET", harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com")},
			"WebSocket of a sibling subdomain": {403, "GET", harness.Headers("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x", "Origin: https://blog.example.com")},
			"write without a browser":          {200, "PUT", harness.Headers()},
			"write with several Origin":        {403, "POST", harness.Headers("Origin: "+server.URL, "Origin: https://evil.test")},
		} {
			if got := send(tc.method, tc.header); got != tc.want {
				t.Errorf("%s: %s: got %d, want %d", scheme, name, got, tc.want)
			}
		}
	}
}

// Optional refuses nobody: a contradicted write is signed out, and Require responds with 403.
func TestCrossOriginWithOptionalAndRequire(t *testing.T) {
	a := harness.NewApp(t)
	fromSiblingSubdomain := harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com")
	if w := harness.Serve(a.Optional(harness.Greet), harness.Request("POST", "/", a.SignedIn(), fromSiblingSubdomain)); w.Code != 200 || w.Body.String() != harness.Stranger {
		t.Errorf("Optional: got %d %q, want the handler to run signed out", w.Code, w.Body)
	}
	for name, h := range map[string]http.Handler{"Require": a.Require(harness.Greet), "Require in Optional": a.Optional(a.Require(harness.Greet))} {
		w := harness.Serve(h, harness.Request("POST", "/", a.SignedIn(), fromSiblingSubdomain))
		if got := w.Header().Get("X-Clerk-Auth-Reason"); w.Code != 403 || got != string(cross) || strings.Contains(w.Body.String(), "hello") {
			t.Errorf("%s: got %d %q, want 403 %s", name, w.Code, got, cross)
		}
		if got := w.Header().Get("WWW-Authenticate"); got != "" {
			t.Errorf("%s: WWW-Authenticate %q, want none: signing in would not help", name, got)
		}
	}
}

// A session with a task to complete does not bypass the rule, and a cross-origin request learns
// nothing about it.
func TestCrossOriginPendingSession(t *testing.T) {
	for _, allow := range []bool{false, true} {
		a := harness.NewApp(t, func(c *clerkauth.Config) { c.AllowPending = allow })
		token := a.Clerk.Token(clerktest.Claims{Pending: true})
		state := a.AuthenticateRequest(harness.Request("POST", "/", a.WithCookies(token), harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com")))
		if got := harness.Reason(t, state); got != cross || state.Pending != nil {
			t.Errorf("AllowPending %t: %q with pending session %v, want %q and none", allow, got, state.Pending, cross)
		}
	}
}

// Without a list only the app's own origin is trusted, which r.TLS and trusted headers determine.
func TestCrossOriginWithAnyParty(t *testing.T) {
	anyParty := func(c *clerkauth.Config) {
		c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true
		c.TrustedOrigins = []string{"https://pay.test"}
	}
	behindProxy := func(c *clerkauth.Config) { anyParty(c); c.TrustForwardedHeaders = true }
	proxied := harness.Headers("X-Forwarded-Host: example.com", "X-Forwarded-Proto: https")
	for _, tc := range []struct {
		name   string
		config func(*clerkauth.Config)
		target string
		edits  []harness.Edit
		want   clerkauth.Reason
	}{
		{"same-origin", anyParty, "https://example.com/", []harness.Edit{harness.Headers("Sec-Fetch-Site: same-origin")}, ""},
		{"sibling subdomain", anyParty, "https://example.com/", []harness.Edit{harness.Headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com")}, cross},
		{"null", anyParty, "https://example.com/", []harness.Edit{harness.Headers("Origin: null")}, cross},
		{"old browser", anyParty, "https://example.com/", []harness.Edit{harness.Headers("Origin: https://example.com")}, ""},
		{"old browser with the default port", anyParty, "https://example.com:443/", []harness.Edit{harness.Headers("Origin: https://example.com")}, ""},
		{"old browser, from http", anyParty, "https://example.com/", []harness.Edit{harness.Headers("Origin: http://example.com")}, cross},
		{"old browser, to http", anyParty, "http://example.com/", []harness.Edit{harness.Headers("Origin: http://example.com")}, ""},
		{"old browser of a sibling subdomain", anyParty, "https://example.com/", []harness.Edit{harness.Headers("Origin: https://blog.example.com")}, cross},
		{"trusted origin", anyParty, "https://example.com/", []harness.Edit{harness.Headers("Sec-Fetch-Site: cross-site", "Origin: https://pay.test")}, ""},
		{"old browser through a proxy", behindProxy, "http://10.0.0.1:8080/", []harness.Edit{proxied, harness.Headers("Origin: https://example.com")}, ""},
		{"a sibling subdomain through a proxy", behindProxy, "http://10.0.0.1:8080/", []harness.Edit{proxied, harness.Headers("Origin: https://blog.example.com")}, cross},
		{"from http through a proxy", behindProxy, "http://10.0.0.1:8080/", []harness.Edit{proxied, harness.Headers("Origin: http://example.com")}, cross},
		{"a proxy that is not trusted", anyParty, "http://10.0.0.1:8080/", []harness.Edit{proxied, harness.Headers("Origin: https://example.com")}, cross},
		{"two forwarded hosts", behindProxy, "http://10.0.0.1:8080/", []harness.Edit{proxied, harness.Headers("X-Forwarded-Host: evil.test", "Origin: https://evil.test")}, cross},
		{"a host with an invalid port", anyParty, "https://example.com/", []harness.Edit{func(r *http.Request) { r.Host = "example.com:99999" }, harness.Headers("Origin: https://example.com")}, cross},
		{"no host and a null origin", anyParty, "https://example.com/", []harness.Edit{func(r *http.Request) { r.Host = "" }, harness.Headers("Origin: null")}, cross},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := harness.NewApp(t, tc.config)
			r := harness.Request("POST", tc.target, slices.Concat([]harness.Edit{a.SignedIn()}, tc.edits)...)
			if got := harness.Reason(t, a.AuthenticateRequest(r)); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
