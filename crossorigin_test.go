package clerkauth_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// asServer makes a request look as a server makes it: the URL has neither scheme nor host.
func asServer(r *http.Request) {
	r.URL.Scheme, r.URL.Host = "", ""
	r.RequestURI = r.URL.RequestURI()
}

const cross = clerkauth.ReasonCrossOriginRequest

// doors are requests that ride on the cookies of somebody signed in at https://example.com.
var doors = []struct {
	name   string
	method string
	header edit
	want   clerkauth.Reason // empty: let through
}{
	{"same-origin", "POST", headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com"), ""},
	{"typed into the address bar", "POST", headers("Sec-Fetch-Site: none"), ""},
	{"sibling", "POST", headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com"), cross},
	{"stranger", "POST", headers("Sec-Fetch-Site: cross-site", "Origin: https://evil.test"), cross},
	{"stranger without Origin", "POST", headers("Sec-Fetch-Site: cross-site"), cross},
	{"stranger with an empty Origin", "POST", headers("Sec-Fetch-Site: cross-site", "Origin: "), cross},
	{"a site that no browser names", "POST", headers("Sec-Fetch-Site: SAME-ORIGIN"), cross},
	{"null", "POST", headers("Sec-Fetch-Site: cross-site", "Origin: null"), cross},
	{"null from an old browser", "POST", headers("Origin: null"), cross},
	{"http to https, told by the browser", "POST", headers("Sec-Fetch-Site: cross-site", "Origin: http://example.com"), cross},
	{"http to https, from an old browser", "POST", headers("Origin: http://example.com"), cross},
	{"another port", "POST", headers("Sec-Fetch-Site: same-site", "Origin: https://example.com:8443"), cross},
	{"same-origin from an old browser", "POST", headers("Origin: https://example.com"), ""},
	{"another port from an old browser", "POST", headers("Origin: https://example.com:8443"), cross},
	{"sibling from an old browser", "POST", headers("Origin: https://blog.example.com"), cross},
	{"a path from an old browser", "POST", headers("Origin: https://example.com/"), cross},
	{"user info from an old browser", "POST", headers("Origin: https://a@example.com"), cross},
	{"a bare host from an old browser", "POST", headers("Origin: //example.com"), cross},
	{"another spelling from an old browser", "POST", headers("Origin: https://EXAMPLE.com"), cross},
	{"no browser", "POST", headers(), ""},
	{"an empty Origin", "POST", headers("Origin: "), ""},
	{"same-origin form post", "POST", headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document",
		"Origin: https://example.com", "Content-Type: application/x-www-form-urlencoded", "Accept: text/html"), ""},

	{"listed party", "POST", headers("Sec-Fetch-Site: same-site", "Origin: https://app.example.com"), ""},
	{"listed party from an old browser", "POST", headers("Origin: https://app.example.com"), ""},
	{"wildcard", "POST", headers("Sec-Fetch-Site: same-site", "Origin: https://pr-1.preview.example.com"), ""},
	{"below the wildcard", "POST", headers("Sec-Fetch-Site: same-site", "Origin: https://a.pr-1.preview.example.com"), cross},
	{"trusted origin", "POST", headers("Sec-Fetch-Site: cross-site", "Origin: https://pay.test"), ""},
	{"trusted origin over http", "POST", headers("Sec-Fetch-Site: cross-site", "Origin: http://pay.test"), cross},
	{"AllowParty", "POST", headers("Sec-Fetch-Site: cross-site", "Origin: https://customer.test"), ""},
	{"AllowParty, not in normal form", "POST", headers("Sec-Fetch-Site: cross-site", "Origin: https://customer.test:443"), cross},
	{"extension", "POST", headers("Sec-Fetch-Site: cross-site", "Origin: chrome-extension://abcdef"), ""},

	{"two origins, the first good", "POST", headers("Origin: https://example.com", "Origin: https://evil.test"), cross},
	{"two origins, the first empty", "POST", headers("Origin: ", "Origin: https://evil.test"), cross},
	{"twice the good origin", "POST", headers("Origin: https://example.com", "Origin: https://example.com"), cross},
	{"two origins of a same-origin request", "POST", headers("Sec-Fetch-Site: same-origin", "Origin: https://example.com", "Origin: https://evil.test"), cross},
	{"origins in one line", "POST", headers("Origin: https://example.com, https://evil.test"), cross},
	{"two sites, the first good", "POST", headers("Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"), cross},
	{"two sites, the first empty", "POST", headers("Sec-Fetch-Site: ", "Sec-Fetch-Site: cross-site"), cross},
	{"two sites, a listed party", "POST", headers("Sec-Fetch-Site: same-site", "Sec-Fetch-Site: same-site", "Origin: https://app.example.com"), ""},

	{"GET of a stranger", "GET", headers("Sec-Fetch-Site: cross-site", "Origin: https://evil.test"), ""},
	{"HEAD of a stranger", "HEAD", headers("Sec-Fetch-Site: cross-site"), ""},
	{"OPTIONS of a stranger", "OPTIONS", headers("Sec-Fetch-Site: cross-site", "Origin: https://evil.test"), ""},
	{"PUT", "PUT", headers("Sec-Fetch-Site: same-site"), cross},
	{"PATCH", "PATCH", headers("Sec-Fetch-Site: same-site"), cross},
	{"DELETE", "DELETE", headers("Sec-Fetch-Site: same-site"), cross},
	{"CONNECT", "CONNECT", headers("Sec-Fetch-Site: same-site"), cross},
	{"TRACE", "TRACE", headers("Sec-Fetch-Site: same-site"), cross},
	{"QUERY", "QUERY", headers("Sec-Fetch-Site: same-site"), cross},
	{"get in lower case", "get", headers("Sec-Fetch-Site: same-site"), cross},
	{"a method override", "GET", headers("Sec-Fetch-Site: same-site", "X-HTTP-Method-Override: POST"), ""},

	{"WebSocket", "GET", headers("Upgrade: websocket", "Sec-WebSocket-Key: x", "Origin: https://example.com"), ""},
	{"WebSocket of a listed party", "GET", headers("Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-Fetch-Site: same-site", "Origin: https://app.example.com"), ""},
	{"WebSocket of a sibling", "GET", headers("Upgrade: websocket", "Sec-WebSocket-Key: x", "Sec-Fetch-Site: same-site", "Origin: https://blog.example.com"), cross},
	{"WebSocket of a sibling's old browser", "GET", headers("Upgrade: websocket", "Sec-WebSocket-Key: x", "Origin: https://blog.example.com"), cross},
	{"WebSocket of null", "GET", headers("Upgrade: websocket", "Sec-WebSocket-Key: x", "Origin: null"), cross},
	{"WebSocket by another case", "GET", headers("Upgrade: WebSocket", "Origin: https://blog.example.com"), cross},
	{"WebSocket second in a list", "GET", headers("Upgrade: h2c, websocket", "Origin: https://blog.example.com"), cross},
	{"WebSocket in a second line", "GET", headers("Upgrade: h2c", "Upgrade: websocket", "Origin: https://blog.example.com"), cross},
	{"WebSocket of a version", "GET", headers("Upgrade: websocket/13", "Origin: https://blog.example.com"), cross},
	{"WebSocket by its key alone", "GET", headers("Sec-WebSocket-Key: x", "Origin: https://blog.example.com"), cross},
	{"WebSocket by an empty key", "GET", headers("Sec-WebSocket-Key: ", "Origin: https://blog.example.com"), cross},
	{"WebSocket by HEAD", "HEAD", headers("Upgrade: websocket", "Origin: https://blog.example.com"), cross},
	{"another upgrade", "GET", headers("Upgrade: h2c", "Origin: https://blog.example.com"), ""},
	{"an upgrade with a longer name", "GET", headers("Upgrade: websockets", "Origin: https://blog.example.com"), ""},
}

// headers sets header lines, as "Name: value".
func headers(lines ...string) edit {
	return func(r *http.Request) {
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Add(name, value)
		}
	}
}

func doorConfig(c *clerkauth.Config) {
	c.AuthorizedParties = []string{"https://example.com", "https://app.example.com", "https://*.preview.example.com", "chrome-extension://abcdef"}
	c.TrustedOrigins = []string{"https://pay.test"}
	c.AllowParty = func(_ context.Context, origin, host string) bool {
		return origin == "https://customer.test" && host == "example.com"
	}
}

func TestCrossOrigin(t *testing.T) {
	a := newApp(t, doorConfig)
	skipping := newAppOf(t, a.clerk, doorConfig, func(c *clerkauth.Config) { c.InsecureSkipOriginCheck = true })
	token := a.clerk.Token(clerktest.Claims{})
	for _, tc := range doors {
		t.Run(tc.name, func(t *testing.T) {
			r := asking(tc.method, "https://example.com/x", a.withCookies(token), tc.header)
			if got := reasonOf(t, a.AuthenticateRequest(r)); got != tc.want {
				t.Errorf("as httptest makes it: %q, want %q", got, tc.want)
			}
			asServer(r)
			if got := reasonOf(t, a.AuthenticateRequest(r)); got != tc.want {
				t.Errorf("as a server behind a proxy makes it: %q, want %q", got, tc.want)
			}
			if r.Method != tc.method {
				t.Errorf("the request's method is now %s", r.Method)
			}
			if got := reasonOf(t, skipping.AuthenticateRequest(r)); got != "" {
				t.Errorf("with InsecureSkipOriginCheck: %q, want let through", got)
			}
			withBearer(token)(r)
			if got := reasonOf(t, a.AuthenticateRequest(r)); got != "" {
				t.Errorf("with the token as a bearer: %q, want let through, because no page can add that header elsewhere", got)
			}
		})
	}
}

// The same through a real server, with TLS and without.
func TestCrossOriginThroughAServer(t *testing.T) {
	for scheme, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		clerk := clerktest.New(t, clerktest.Options{Now: func() time.Time { return noon }})
		var guard http.Handler
		server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { guard.ServeHTTP(w, r) }))
		t.Cleanup(server.Close)
		a := newAppOf(t, clerk, func(c *clerkauth.Config) { c.AuthorizedParties = []string{server.URL} })
		guard = a.Require(greet)
		token := clerk.Token(clerktest.Claims{AuthorizedParty: server.URL})
		send := func(method string, edits ...edit) int {
			r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/x", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range append(edits, a.withCookies(token)) {
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
			header edit
		}{
			"write":                     {200, "POST", headers("Sec-Fetch-Site: same-origin", "Origin: "+server.URL)},
			"write of an old browser":   {200, "POST", headers("Origin: " + server.URL)},
			"write of a sibling":        {403, "POST", headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com")},
			"write of another scheme":   {403, "POST", headers("Origin: " + other)},
			"write of null":             {403, "DELETE", headers("Origin: null")},
			"read of a sibling":         {200, "GET", headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com")},
			"WebSocket of a sibling":    {403, "GET", headers("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x", "Origin: https://blog.example.com")},
			"write without a browser":   {200, "PUT", headers()},
			"write with several Origin": {403, "POST", headers("Origin: "+server.URL, "Origin: https://evil.test")},
		} {
			if got := send(tc.method, tc.header); got != tc.want {
				t.Errorf("%s: %s: %d, want %d", scheme, name, got, tc.want)
			}
		}
	}
}

// Optional refuses nobody: what it does not believe is signed out, and Require says 403.
func TestCrossOriginWithOptionalAndRequire(t *testing.T) {
	a := newApp(t)
	sibling := headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com")
	if w := serve(a.Optional(greet), asking("POST", "/", a.signedIn(), sibling)); w.Code != 200 || w.Body.String() != stranger {
		t.Errorf("Optional: %d %q, want the handler to run signed out", w.Code, w.Body)
	}
	for name, h := range map[string]http.Handler{"Require": a.Require(greet), "Require in Optional": a.Optional(a.Require(greet))} {
		w := serve(h, asking("POST", "/", a.signedIn(), sibling))
		if got := w.Header().Get("X-Clerk-Auth-Reason"); w.Code != 403 || got != string(cross) || strings.Contains(w.Body.String(), "hello") {
			t.Errorf("%s: %d %q, want 403 %s", name, w.Code, got, cross)
		}
		if got := w.Header().Get("WWW-Authenticate"); got != "" {
			t.Errorf("%s: WWW-Authenticate %q, want none: signing in would not help", name, got)
		}
	}
}

// A session that still has a task to do is no way around the rule, and a cross-origin request learns nothing of it.
func TestCrossOriginPendingSession(t *testing.T) {
	for _, allow := range []bool{false, true} {
		a := newApp(t, func(c *clerkauth.Config) { c.AllowPending = allow })
		token := a.clerk.Token(clerktest.Claims{Pending: true})
		state := a.AuthenticateRequest(asking("POST", "/", a.withCookies(token), headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com")))
		if got := reasonOf(t, state); got != cross || state.Pending != nil {
			t.Errorf("AllowPending %t: %q with pending session %v, want %q and none", allow, got, state.Pending, cross)
		}
	}
}

// Without a list there is nobody to trust but the app itself, which r.TLS and trusted headers name.
func TestCrossOriginWithAnyParty(t *testing.T) {
	anyParty := func(c *clerkauth.Config) {
		c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true
		c.TrustedOrigins = []string{"https://pay.test"}
	}
	behindProxy := func(c *clerkauth.Config) { anyParty(c); c.TrustForwardedHeaders = true }
	proxied := headers("X-Forwarded-Host: example.com", "X-Forwarded-Proto: https")
	for _, tc := range []struct {
		name   string
		config func(*clerkauth.Config)
		target string
		edits  []edit
		want   clerkauth.Reason
	}{
		{"same-origin", anyParty, "https://example.com/", []edit{headers("Sec-Fetch-Site: same-origin")}, ""},
		{"sibling", anyParty, "https://example.com/", []edit{headers("Sec-Fetch-Site: same-site", "Origin: https://blog.example.com")}, cross},
		{"null", anyParty, "https://example.com/", []edit{headers("Origin: null")}, cross},
		{"old browser", anyParty, "https://example.com/", []edit{headers("Origin: https://example.com")}, ""},
		{"old browser with the default port", anyParty, "https://example.com:443/", []edit{headers("Origin: https://example.com")}, ""},
		{"old browser, from http", anyParty, "https://example.com/", []edit{headers("Origin: http://example.com")}, cross},
		{"old browser, to http", anyParty, "http://example.com/", []edit{headers("Origin: http://example.com")}, ""},
		{"old browser of a sibling", anyParty, "https://example.com/", []edit{headers("Origin: https://blog.example.com")}, cross},
		{"trusted origin", anyParty, "https://example.com/", []edit{headers("Sec-Fetch-Site: cross-site", "Origin: https://pay.test")}, ""},
		{"old browser through a proxy", behindProxy, "http://10.0.0.1:8080/", []edit{proxied, headers("Origin: https://example.com")}, ""},
		{"a sibling through a proxy", behindProxy, "http://10.0.0.1:8080/", []edit{proxied, headers("Origin: https://blog.example.com")}, cross},
		{"from http through a proxy", behindProxy, "http://10.0.0.1:8080/", []edit{proxied, headers("Origin: http://example.com")}, cross},
		{"a proxy that is not trusted", anyParty, "http://10.0.0.1:8080/", []edit{proxied, headers("Origin: https://example.com")}, cross},
		{"two forwarded hosts", behindProxy, "http://10.0.0.1:8080/", []edit{proxied, headers("X-Forwarded-Host: evil.test", "Origin: https://evil.test")}, cross},
		{"a host with a port that is none", anyParty, "https://example.com/", []edit{func(r *http.Request) { r.Host = "example.com:99999" }, headers("Origin: https://example.com")}, cross},
		{"no host and a null origin", anyParty, "https://example.com/", []edit{func(r *http.Request) { r.Host = "" }, headers("Origin: null")}, cross},
	} {
		a := newApp(t, tc.config)
		r := asking("POST", tc.target, slices.Concat([]edit{a.signedIn()}, tc.edits)...)
		if got := reasonOf(t, a.AuthenticateRequest(r)); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}
