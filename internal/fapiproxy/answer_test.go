package fapiproxy_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/clerkauth/clerkauth/internal/fapiproxy"
)

// ofClerk is a response with all headers that Clerk's host may send, and more.
func ofClerk(*http.Request) (*http.Response, error) {
	return answer(http.StatusOK, http.Header{
		"Content-Type": {"application/json"}, "Etag": {`"a"`}, "Vary": {"Origin"}, "Set-Cookie": {"__client=c; Path=/; HttpOnly", "__client_uat=1; Path=/"},
		"Access-Control-Allow-Origin": {"https://example.com"}, "Retry-After": {"3"}, "Clerk-Db-Jwt": {"dvb"},
		"Cache-Control": {"public, max-age=600"}, "Expires": {"Thu, 01 Jan 2099 00:00:00 GMT"}, "Age": {"3"}, "Pragma": {"x"},
		"Cdn-Cache-Control": {"max-age=600"}, "Surrogate-Control": {"max-age=600"}, "X-Accel-Expires": {"600"}, "Edge-Control": {"x"},
		"Server": {"cloudflare"}, "Via": {"1.1 x"}, "X-Powered-By": {"x"}, "Alt-Svc": {`h3=":443"`}, "Strict-Transport-Security": {"max-age=1; includeSubDomains; preload"},
		"Expect-Ct": {"x"}, "Nel": {"{}"}, "Report-To": {"{}"}, "Reporting-Endpoints": {"x"}, "Clear-Site-Data": {`"cookies"`}, "Service-Worker-Allowed": {"/"},
		"Connection": {"X-Hop, Keep-Alive"}, "X-Hop": {"x"}, "Keep-Alive": {"x"}, "Proxy-Authenticate": {"x"}, "Te": {"x"}, "Trailer": {"X-Trailer"}, "Upgrade": {"x"},
		"X-Echo": {"x", "header Clerk-Secret-Key: " + secret},
	}, `{"response":1}`), nil
}

// Headers about Clerk's host, and about its connection, are not passed on. Responses for one
// browser are not cached.
func TestAnswer(t *testing.T) {
	s := newSite(t, nil)
	s.answer = ofClerk
	w := s.send(t, "GET /__clerk/v1/client")
	want := http.Header{
		"Content-Type": {"application/json"}, "Etag": {`"a"`}, "Vary": {"Origin"}, "Set-Cookie": {"__client=c; Path=/; HttpOnly", "__client_uat=1; Path=/"},
		"Access-Control-Allow-Origin": {"https://example.com"}, "Retry-After": {"3"}, "Clerk-Db-Jwt": {"dvb"}, "Cache-Control": {"private, no-store"},
	}
	if got := dump(w.Header()); got != dump(want) || w.Body.String() != `{"response":1}` {
		t.Errorf("got %s want %s", got, dump(want))
	}
	w = s.send(t, "GET /__clerk/npm/@clerk/clerk-js@6/dist/clerk.browser.js")
	if h := w.Header(); h.Get("Cache-Control") != "public, max-age=600" || h["Set-Cookie"] != nil || h.Get("Server") != "" {
		t.Errorf("a script's answer has the header %v, want it cached without cookies", h)
	}
}

// Headers of outer handlers are kept.
func TestHandlersHeaderStays(t *testing.T) {
	s := newSite(t, nil)
	inner := s.handler
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Frame-Options", "DENY")
		inner.ServeHTTP(w, r)
	})
	if w := s.send(t, "GET /__clerk/v1/client"); w.Header().Get("X-Frame-Options") != "DENY" {
		t.Errorf("got the header %v, want X-Frame-Options: DENY", w.Header())
	}
}

func TestLocation(t *testing.T) {
	const self = "https://example.com/__clerk"
	for _, base := range []string{"", "/base", "/base/"} {
		prefix := "/base"
		if base == "" {
			prefix = ""
		}
		for location, want := range map[string]string{
			"https://frontend-api.clerk.test" + prefix + "/v1/oauth_callback?a=b&c=%2F#d": self + "/v1/oauth_callback?a=b&c=%2F#d",
			"http://FRONTEND-API.clerk.test" + prefix + "/v1/x":                           self + "/v1/x",
			"https://u:p@frontend-api.clerk.test" + prefix + "/v1/x":                      self + "/v1/x",
			"//frontend-api.clerk.test" + prefix + "/v1/x":                                self + "/v1/x",
			prefix + "/v1/y":     self + "/v1/y",
			"y?z":                self + "/v1/client/y?z",
			prefix + "/v1/a%2Fb": self + "/v1/a%2Fb",
			"https://accounts.google.com/o/oauth2?redirect_uri=x": "https://accounts.google.com/o/oauth2?redirect_uri=x",
			"https://frontend-api.clerk.test:8443/v1/x":           "https://frontend-api.clerk.test:8443/v1/x",
			"https://frontend-api.clerk.test.evil.test/v1/x":      "https://frontend-api.clerk.test.evil.test/v1/x",
			"https://frontend-api.clerk.test@evil.test/v1/x":      "https://frontend-api.clerk.test@evil.test/v1/x",
			"//evil.test/v1/x": "//evil.test/v1/x",
			"https://example.com/page?__clerk_handshake=eyJ":           "https://example.com/page?__clerk_handshake=eyJ",
			"https://clerk.example.com/v1/client/sync?redirect_url=%2": "https://clerk.example.com/v1/client/sync?redirect_url=%2",
			"com.example.app://callback?code=1":                        "com.example.app://callback?code=1",
			"http://[::1":                                              "http://[::1",
		} {
			s := newSite(t, func(c *fapiproxy.Config) { c.Upstream.Path = base })
			s.answer = func(*http.Request) (*http.Response, error) {
				return answer(http.StatusSeeOther, http.Header{"Location": {location, "https://evil.test/"}}, ""), nil
			}
			w := s.send(t, "GET /__clerk/v1/client/x")
			if got := w.Header()["Location"]; w.Code != http.StatusSeeOther || !slices.Equal(got, []string{want}) {
				t.Errorf("under %q, %s: got %d %q, want %q", base, location, w.Code, got, want)
			}
			if len(s.received) != 1 || s.received[0].URL.Path != prefix+"/v1/client/x" {
				t.Errorf("under %q: the requests to Clerk are %v, want one for %s/v1/client/x", base, s.received, prefix)
			}
		}
	}
}
