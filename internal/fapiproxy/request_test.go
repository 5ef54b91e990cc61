package fapiproxy_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/fapiproxy"
)

func TestRequest(t *testing.T) {
	s := newSite(t, nil)
	w := s.send(t, "GET /__clerk/v1/client?__clerk_api_version=2026-05-12&a=b", "Accept: */*", "Origin: https://example.com",
		"Authorization: Bearer native", "User-Agent: browser", "Clerk-Api-Version: 2026-05-12", "X-Mobile: 1")
	if w.Code != http.StatusOK || len(s.received) != 1 {
		t.Fatalf("got %d after %d requests, want 200 after 1", w.Code, len(s.received))
	}
	r := s.received[0]
	if got := r.URL.String(); got != "https://frontend-api.clerk.test/v1/client?__clerk_api_version=2026-05-12&a=b" || r.Host != "frontend-api.clerk.test" {
		t.Errorf("asked %s of %s, want https://frontend-api.clerk.test/v1/client?__clerk_api_version=2026-05-12&a=b frontend-api.clerk.test", got, r.Host)
	}
	want := http.Header{
		"Accept": {"*/*"}, "Origin": {"https://example.com"}, "Authorization": {"Bearer native"}, "User-Agent": {"browser"},
		"Clerk-Api-Version": {"2026-05-12"}, "X-Mobile": {"1"},
		"Clerk-Secret-Key": {secret}, "Clerk-Proxy-Url": {"https://example.com/__clerk"},
		"X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Host": {"example.com"}, "X-Forwarded-Proto": {"https"},
	}
	if got := dump(r.Header); got != dump(want) {
		t.Errorf("sent %s want %s", got, dump(want))
	}
}

// These are Clerk's own paths, and what each becomes.
func TestPaths(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/client":                         "/v1/client",
		"/v1/client/sessions/sess_2x/tokens": "/v1/client/sessions/sess_2x/tokens",
		"/v1/":                               "/v1/",
		"/.well-known/jwks.json":             "/.well-known/jwks.json",
		"/npm/@clerk/clerk-js@6/dist/clerk.browser.js":     "/npm/@clerk/clerk-js@6/dist/clerk.browser.js",
		"/npm/%40clerk/clerk-js%406/dist/clerk.browser.js": "/npm/@clerk/clerk-js@6/dist/clerk.browser.js",
		"/v1/saml/metadata/samlc_2x.xml":                   "/v1/saml/metadata/samlc_2x.xml",
	} {
		s := newSite(t, nil)
		if w := s.send(t, "GET /__clerk"+path); w.Code != http.StatusOK || s.received[0].URL.RequestURI() != want || s.received[0].URL.Host != "frontend-api.clerk.test" {
			t.Errorf("%s: %d, asked %v, want %s", path, w.Code, s.received, want)
		}
	}
}

// GHSA-gjxx-92w9-8v8f: a path became the host that got the secret key. Only Clerk's own paths are
// requested.
func TestGHSA_gjxx_92w9_8v8f(t *testing.T) {
	for _, target := range []string{
		"/__clerk//evil.test", "/__clerk//evil.test/v1/client", "/__clerk///evil.test/", "/__clerk/%2fevil.test/", "/__clerk%2f%2fevil.test/v1/",
		`/__clerk/\evil.test/`, `/__clerk/%5cevil.test/`, `/__clerk/%5C%5Cevil.test/v1/`, `/__clerk\\evil.test/v1/`, `/__clerk/v1/\evil.test`,
		"/__clerk@evil.test/v1/client", "/__clerk/@evil.test/v1/client", "/__clerk:80@evil.test/", "/__clerk.evil.test/v1/", "/__clerk:x@evil.test/v1/",
		"/__clerk/https://evil.test/v1/", "/__clerk/v1/https://evil.test", "/__clerk/v1//evil.test", "/__clerk/v1/client//", "/__clerk/v1//",
		"http://evil.test/__clerk/v1/client", "https://example.com/__clerk/v1/client", "http://u:p@evil.test/__clerk/v1/client", "//evil.test/__clerk/v1/client",
		"/__clerk/v1/../../admin", "/__clerk/v1/..", "/__clerk/v1/.", "/__clerk/v1/./client", "/__clerk/../__clerk/v1/client", "/__clerk/npm/../v1/client",
		"/__clerk/v1/%2e%2e/%2e%2e/admin", "/__clerk/v1/%2E./x", "/__clerk/v1/.%2e", "/__clerk/v1/%2e", "/__clerk/%2e%2e/v1/", "/__clerk/v1/%252e%252e/x",
		"/__clerk/v1/..%2f..%2fadmin", "/__clerk/v1/..%5c..%5cadmin", "/__clerk/v1%2fclient", "/__clerk/v1/a%2fb", "/__clerk/v1/a%2Fb", "/__clerk/v1/a%5cb", "/__clerk/v1/a%252fb",
		"/__clerk/v1/..;/admin", "/__clerk/v1/client;x=y", "/__clerk/v1/%00", "/__clerk/v1/a%0d%0aX-Evil:1", "/__clerk/v1/%20", "/__clerk/v1/a%09b", "/__clerk/v1/a%7fb",
		"/__clerk/v1/%e3%80%82%e3%80%82/", "/__clerk/v1/%ef%bc%8f", "/__clerk/v1/%c0%ae%c0%ae/", "/__clerk/v1/%ff", "/__clerk/v1/%", "/__clerk/v1/#/x", "/__clerk/v1/a%3fb", "/__clerk/v1/a%23b",
		"/__clerk", "/__clerk/", "/__clerk?x=/v1/", "/__clerk/?/v1/client", "/__clerk/v1", "/__clerk/v10/x", "/__clerk/V1/client", "/__clerk/npm", "/__clerk/npm.evil/x", "/__clerk/.well-known",
		"/__clerk/admin", "/__clerk/v2/client", "/__clerk/oauth/token", "/__clerkx/v1/client", "/__CLERK/v1/client", "/%5f_clerk/v1/client", "/v1/client", "/", "/x/__clerk/v1/client", "*",
	} {
		s := newSite(t, nil)
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		r.RequestURI, r.RemoteAddr = target, "192.0.2.7:4711"
		if u, err := r.URL.Parse(target); err == nil {
			r.URL = u
		}
		w := s.serve(t, r)
		if w.Code != http.StatusNotFound || len(s.received) != 0 {
			t.Errorf("%s: got %d and the requests %v, want 404 and none", target, w.Code, s.received)
		}
		checkRefusal(t, w)
	}
}

func checkRefusal(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	h := w.Header()
	if h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(w.Body.String(), `{"errors":[{"code":"`) {
		t.Errorf("got %d %v %s, want a JSON error that is not stored", w.Code, h, w.Body)
	}
}

// Outer handlers change the URL, and some strip its beginning. A rewritten path is another request.
func TestHandlersInFront(t *testing.T) {
	s := newSite(t, nil)
	for name, h := range map[string]http.Handler{
		"the prefix":         http.StripPrefix("/__clerk", s.handler),
		"with its slash":     http.StripPrefix("/__clerk/", s.handler),
		"more than it":       http.StripPrefix("/__clerk/v1", s.handler),
		"nothing, in a mux":  mux("/__clerk/", s.handler),
		"a mux of methods":   mux("GET /__clerk/", s.handler),
		"the prefix, a mux":  mux("/__clerk/", http.StripPrefix("/__clerk", s.handler)),
		"a path with a name": mux("/__clerk/{rest...}", s.handler),
	} {
		s.received = nil
		w := httptest.NewRecorder()
		h.ServeHTTP(w, read(t, "GET /__clerk/v1/client?a=b HTTP/1.1\nHost: example.com\n\n"))
		if w.Code != http.StatusOK || len(s.received) != 1 || s.received[0].URL.RequestURI() != "/v1/client?a=b" {
			t.Errorf("%s: got %d and the requests %v, want 200 and one for /v1/client?a=b", name, w.Code, s.received)
		}
	}
	s.received = nil
	r := read(t, "GET /__clerk/v1/client HTTP/1.1\nHost: example.com\n\n")
	r.URL.Path = "/admin"
	if w := s.serve(t, r); w.Code != http.StatusNotFound || len(s.received) != 0 {
		t.Errorf("a rewritten path: got %d and the requests %v, want 404 and none", w.Code, s.received)
	}
}

func mux(pattern string, h http.Handler) http.Handler {
	m := http.NewServeMux()
	m.Handle(pattern, h)
	return m
}

func TestMethods(t *testing.T) {
	for method, want := range map[string]int{
		"GET": 200, "HEAD": 200, "POST": 200, "PUT": 200, "PATCH": 200, "DELETE": 200, "OPTIONS": 200,
		"TRACE": 405, "TRACK": 405, "DEBUG": 405, "PROPFIND": 405, "get": 405, "CONNECT": 405,
	} {
		s := newSite(t, nil)
		r := httptest.NewRequest(http.MethodGet, "/__clerk/v1/client", http.NoBody)
		r.Method = method
		w := s.serve(t, r)
		if w.Code != want || (len(s.received) == 1) != (want == http.StatusOK) {
			t.Errorf("%s: status %d after %d requests, want %d", method, w.Code, len(s.received), want)
		}
		if allow := w.Header().Get("Allow"); (allow != "") != (want == http.StatusMethodNotAllowed) || strings.Contains(allow, "TRACE") {
			t.Errorf("%s: got Allow %q, want it exactly with 405, without TRACE", method, allow)
		}
	}
	s := newSite(t, nil)
	if w := s.serve(t, read(t, "CONNECT evil.test:443 HTTP/1.1\nHost: evil.test:443\n\n")); w.Code != http.StatusMethodNotAllowed || len(s.received) != 0 {
		t.Errorf("CONNECT: got %d and the requests %v, want 405 and none", w.Code, s.received)
	}
}

// Otherwise Clerk would get another host than the application's as the proxy's.
func TestHost(t *testing.T) {
	s := newSite(t, nil)
	w := s.serve(t, read(t, "GET /__clerk/v1/client HTTP/1.1\nHost: evil.test\n\n"))
	if w.Code != http.StatusForbidden || len(s.received) != 0 || !strings.Contains(w.Body.String(), "request-host-not-authorized") {
		t.Errorf("got %d %s after %d requests, want 403 request-host-not-authorized after none", w.Code, w.Body, len(s.received))
	}
	checkRefusal(t, w)
}

func TestUpgrades(t *testing.T) {
	for _, header := range [][]string{
		{"Connection: Upgrade", "Upgrade: websocket"},
		{"Connection: keep-alive, Upgrade", "Upgrade: h2c, WebSocket/13"},
		{"Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw=="},
	} {
		s := newSite(t, nil)
		if w := s.send(t, "GET /__clerk/v1/client", header...); w.Code != http.StatusBadRequest || len(s.received) != 0 {
			t.Errorf("%q: got %d after %d requests, want 400 after none", header, w.Code, len(s.received))
		}
	}
	for _, protocol := range []string{"h2c", "TLS/1.0", "foo"} { // offers, which a server may ignore
		s := newSite(t, nil)
		w := s.send(t, "GET /__clerk/v1/client", "Connection: Upgrade, HTTP2-Settings", "Upgrade: "+protocol, "HTTP2-Settings: AAMAAABkAAQAAP__")
		if w.Code != http.StatusOK || len(s.received) != 1 {
			t.Fatalf("%s: got %d after %d requests, want 200 after 1", protocol, w.Code, len(s.received))
		}
		for _, name := range []string{"Connection", "Upgrade", "Http2-Settings"} {
			if v := s.received[0].Header[name]; v != nil {
				t.Errorf("%s: Clerk got %s %q, want none", protocol, name, v)
			}
		}
	}
}

// Only the proxy may set these headers. Clerk gets the proxy's once, whatever the client names in
// Connection.
func TestReservedFields(t *testing.T) {
	said := []string{
		"Clerk-Secret-Key: sk_live_theirs", "Clerk_Secret_Key: sk_live_theirs", "CLERK-SECRET_KEY: sk_live_theirs", "Clerk-Proxy-Url: https://evil.test/__clerk",
		"clerk_proxy_url: https://evil.test", "Clerk-Anything: evil", "Forwarded: for=evil.test;host=evil.test", "X-Forwarded-For: 6.6.6.6", "X_Forwarded_For: 6.6.6.6",
		"X-Forwarded-Host: evil.test", "X-Forwarded-Proto: evil", "X-Forwarded-Port: 6666", "X-Forwarded-Server: evil.test", "X-Forwarded: evil", "X-Real-IP: 6.6.6.6",
		"Client-IP: 6.6.6.6", "WL-Proxy-Client-IP: 6.6.6.6", "X-Azure-ClientIP: 6.6.6.6", "X-Vercel-Forwarded-For: 6.6.6.6", "X-Envoy-External-Address: 6.6.6.6", "Via: 1.1 evil", "X-Host: evil.test", "Clerk.Secret.Key: evil", "X-Client-IP: 6.6.6.6", "X-Cluster-Client-IP: 6.6.6.6", "True-Client-IP: 6.6.6.6", "CF-Connecting-IP: 6.6.6.6", "CF-Connecting-IPv6: ::6", "CF_Ray: evil", "Fastly-Client-IP: 6.6.6.6",
		"X-Original-URL: /evil", "X-Original-Host: evil.test", "X-Rewrite-URL: /evil", "X-HTTP-Method-Override: evil", "X-HTTP-Method: evil", "X-Method-Override: evil",
		"Proxy-Authorization: Basic evil", "Proxy-Connection: evil", "Keep-Alive: evil", "TE: trailers", "Trailer: Clerk-Secret-Key", "Expect: 100-continue",
	}
	for _, connection := range []string{
		"", "Connection: Clerk-Secret-Key, Clerk-Proxy-Url, X-Forwarded-For, X-Forwarded-Host, X-Forwarded-Proto, Host", "Connection: close", "Connection: clerk-secret-key",
	} {
		s := newSite(t, nil)
		header := slices.Clone(said)
		if connection != "" {
			header = append(header, connection)
		}
		if w := s.send(t, "GET /__clerk/v1/client", header...); w.Code != http.StatusOK || len(s.received) != 1 {
			t.Fatalf("got %d after %d requests, want 200 after 1", w.Code, len(s.received))
		}
		want := http.Header{
			"Clerk-Secret-Key": {secret}, "Clerk-Proxy-Url": {"https://example.com/__clerk"}, "User-Agent": {""},
			"X-Forwarded-For": {"192.0.2.7"}, "X-Forwarded-Host": {"example.com"}, "X-Forwarded-Proto": {"https"},
		}
		if got := dump(s.received[0].Header); got != dump(want) || len(s.received[0].Trailer) != 0 {
			t.Errorf("%s: Clerk got %s and the trailers %v, want %s and none", connection, got, s.received[0].Trailer, dump(want))
		}
	}
}

// A trailer is a header too.
func TestTrailersStayHere(t *testing.T) {
	s := newSite(t, nil)
	body := "2\na=\n0\nClerk-Secret-Key: sk_live_theirs\n"
	w := s.send(t, "POST /__clerk/v1/client", "Transfer-Encoding: chunked", "Trailer: Clerk-Secret-Key", "", body)
	if w.Code != http.StatusOK || len(s.received) != 1 || s.bodies[0] != "a=" || s.received[0].Trailer != nil {
		t.Errorf("got %d, and Clerk got %q and %v, want 200, the body a= and no trailer", w.Code, s.bodies, s.received)
	}
}

func TestClientAddress(t *testing.T) {
	for _, tt := range []struct {
		name      string
		forwarded bool
		remote    string
		said      []string
		want      string
	}{
		{"the connection's", false, "192.0.2.7:4711", nil, "192.0.2.7"},
		{"of IPv6", false, "[2001:db8::7]:4711", nil, "2001:db8::7"},
		{"of IPv6 with a zone", false, "[fe80::7%eth0]:4711", nil, "fe80::7"},
		{"of IPv4 in IPv6", false, "[::ffff:192.0.2.7]:4711", nil, "192.0.2.7"},
		{"set by a handler in front", false, "192.0.2.7", nil, "192.0.2.7"},
		{"of a socket without address", false, "@", nil, ""},
		{"nobody is trusted", false, "192.0.2.7:4711", []string{"X-Forwarded-For: 6.6.6.6"}, "192.0.2.7"},
		{"the trusted proxy's", true, "10.0.0.1:4711", []string{"X-Forwarded-For: 192.0.2.7"}, "192.0.2.7"},
		{"behind what the client sent", true, "10.0.0.1:4711", []string{"X-Forwarded-For: 6.6.6.6, 8.8.8.8 , 192.0.2.7"}, "192.0.2.7"},
		{"in a line of its own", true, "10.0.0.1:4711", []string{"X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 192.0.2.7"}, "192.0.2.7"},
		{"with a port", true, "10.0.0.1:4711", []string{"X-Forwarded-For: 192.0.2.7:8080"}, "192.0.2.7"},
		{"of IPv6, with a port", true, "10.0.0.1:4711", []string{"X-Forwarded-For: [2001:db8::7]:8080"}, "2001:db8::7"},
		{"no header sent", true, "10.0.0.1:4711", nil, "10.0.0.1"},
		{"no address", true, "10.0.0.1:4711", []string{"X-Forwarded-For: 6.6.6.6, unknown"}, "10.0.0.1"},
		{"nothing", true, "10.0.0.1:4711", []string{"X-Forwarded-For:"}, "10.0.0.1"},
		{"other fields do not count", true, "10.0.0.1:4711", []string{"X-Real-IP: 6.6.6.6", "CF-Connecting-IP: 6.6.6.6", "Forwarded: for=6.6.6.6"}, "10.0.0.1"},
	} {
		s := newSite(t, func(c *fapiproxy.Config) { c.Forwarded = tt.forwarded })
		r := read(t, strings.Join(append([]string{"GET /__clerk/v1/client HTTP/1.1", "Host: example.com"}, tt.said...), "\n")+"\n\n")
		r.RemoteAddr = tt.remote
		s.serve(t, r)
		got := s.received[0].Header["X-Forwarded-For"]
		if want := strings.Fields(tt.want); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, want)
		}
	}
}

func TestCookies(t *testing.T) {
	const theirs = "__client=c; __session=s; __session_abcdefgh=s; __client_uat=1; sid=app"
	sent := []string{
		"Cookie: __client=c; __session=s; __Host-clerkauth_party_abcdefgh=v2.1.mac",
		"Cookie: clerkauth_handshake=x;__session_abcdefgh=s;  __client_uat=1; __Host-clerkauth_tried=1; sid=app", "Authorization: Bearer native",
	}
	s := newSite(t, nil)
	s.send(t, "GET /__clerk/v1/client", sent...)
	s.send(t, "GET /__clerk/v1/client", "Cookie: __Host-clerkauth_handshake=x")
	s.send(t, "GET /__clerk/npm/@clerk/clerk-js@6/dist/clerk.browser.js", sent...)
	s.send(t, "GET /__clerk/.well-known/jwks.json", sent...)
	for i, want := range [][]string{{theirs}, nil, nil, nil} {
		h := s.received[i].Header
		if got := h["Cookie"]; !slices.Equal(got, want) {
			t.Errorf("%s: Clerk got %q, want %q", s.received[i].URL.Path, got, want)
		}
		if got := h["Authorization"]; (i == 0) != (got != nil) {
			t.Errorf("%s: Clerk got Authorization %q, want it only in the first request", s.received[i].URL.Path, got)
		}
	}
}
