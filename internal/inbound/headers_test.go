package inbound_test

import (
	"crypto/tls"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

func TestFrameAndPrefetch(t *testing.T) {
	const frame, script, ahead = "Sec-Fetch-Dest: iframe", "Sec-Fetch-Dest: empty", "Sec-Purpose: prefetch;prerender"
	for name, tc := range map[string]struct {
		method          string
		lines           []string
		frame, prefetch bool
	}{
		"a page":                       {"GET", []string{"Sec-Fetch-Dest: document"}, false, false},
		"a page that is not shown yet": {"GET", []string{"Sec-Fetch-Dest: document", ahead}, false, true},
		"a frame":                      {"GET", []string{frame}, true, false},
		"one of the older kind":        {"GET", []string{"Sec-Fetch-Dest: frame"}, true, false},
		"a form sent in a frame":       {"POST", []string{frame, ahead}, false, false},
		"a frame or another":           {"GET", []string{frame, frame, ahead}, false, false},
		"a script's request":           {"GET", []string{script, ahead}, false, false},
		"another purpose":              {"GET", []string{frame, "Sec-Purpose: preview"}, true, false},
	} {
		f, _ := readRequest(live, newRequest(tc.method, "/", tc.lines...))
		if f.Frame() != tc.frame || f.Prefetch() != tc.prefetch {
			t.Errorf("%s: Frame() = %t, Prefetch() = %t, want %t, %t", name, f.Frame(), f.Prefetch(), tc.frame, tc.prefetch)
		}
	}
}

func TestOwnSite(t *testing.T) {
	for _, tc := range []struct {
		sites []string
		want  bool
	}{
		{nil, true},
		{[]string{""}, true},
		{[]string{"same-origin"}, true},
		{[]string{"none"}, true},
		{[]string{"same-site"}, false},
		{[]string{"cross-site"}, false},
		{[]string{"new-one"}, false},
		{[]string{"same-origin", "cross-site"}, false},
		{[]string{"same-origin", "same-origin"}, false},
	} {
		r := newRequest(http.MethodPost, "/")
		r.Header["Sec-Fetch-Site"] = tc.sites
		if f, _ := readRequest(live, r); f.OwnSite() != tc.want {
			t.Errorf("Sec-Fetch-Site %q: OwnSite() = %t, want %t", tc.sites, f.OwnSite(), tc.want)
		}
	}
}

// A proxy of the Frontend API with an origin of its own is there, and nowhere else.
func TestProxyWithItsOwnOrigin(t *testing.T) {
	proxied := live
	proxied.ProxyOrigin, proxied.ProxyPrefix = "https://clerk.example.com", "/__clerk"
	forwarded := proxied
	forwarded.Forwarded = true
	for name, tc := range map[string]struct {
		settings inbound.Settings
		host     string
		line     string
		want     bool
	}{
		"its host":                  {proxied, "clerk.example.com", "Accept: */*", true},
		"the application's":         {proxied, "app.example.com", "Accept: */*", false},
		"its host, forwarded":       {forwarded, "inner", "X-Forwarded-Host: clerk.example.com", true},
		"forwarded, not believed":   {proxied, "inner", "X-Forwarded-Host: clerk.example.com", false},
		"the application's instead": {forwarded, "clerk.example.com", "X-Forwarded-Host: app.example.com", false},
	} {
		r := newRequest(http.MethodGet, "/__clerk/v1/client", "Sec-Fetch-Dest: document", tc.line)
		r.Host = tc.host
		f, _ := readRequest(tc.settings, r)
		if passes := tc.settings.Passes(r); passes != tc.want || f.Proxied != tc.want || f.Document == tc.want {
			t.Errorf("%s: Passes = %t, Proxied = %t, Document = %t, want %t, %t, %t", name, passes, f.Proxied, f.Document, tc.want, tc.want, !tc.want)
		}
	}
}

// A host that is longer than one can be is not read, so that it costs nothing.
func TestLongestHost(t *testing.T) {
	longest := strings.Repeat("a.", 126) + "a:65535"
	r := newRequest(http.MethodGet, "/")
	for host, want := range map[string]string{longest: longest, "a" + longest: ""} {
		r.Host = host
		if f, _ := readRequest(live, r); f.RawHost != want || f.Host() != want {
			t.Errorf("of %d bytes: RawHost = %.20q, Host() = %.20q, want %.20q", len(host), f.RawHost, f.Host(), want)
		}
	}
}

// A path that does not begin with a slash would become a part of the host.
func TestTargetWithoutASlash(t *testing.T) {
	for path, want := range map[string]string{"": "/", "@evil.example/a": "/@evil.example/a", ".evil.example": "/.evil.example", "/a": "/a"} {
		r := newRequest(http.MethodGet, "/")
		r.RequestURI, r.URL.Path = "", path
		if got, query := inbound.Target(r); got != want || query != "" {
			t.Errorf("Target(%q) = %q, %q, want %q", path, got, query, want)
		}
	}
}

// identity is that of a request whose decision has read all that one can read.
func identity(r *http.Request) *inbound.Identity {
	forwarded := live
	forwarded.Forwarded = true
	f, _ := readRequest(forwarded, r)
	for line := range uint8(inbound.LinePurpose + 1) {
		f.Lines.All(line)
	}
	var id inbound.Identity
	id.Set(r, &f.Lines)
	return &id
}

// Browsers send more of these lines than an identity usually has.
func TestIdentityOfManyLines(t *testing.T) {
	made := func() *http.Request {
		return newRequest(http.MethodGet, "/a", "X-Forwarded-Host: a", "X-Forwarded-Proto: https", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate",
			"Accept: text/html", "Cookie: a=b", "Origin: https://a", "Referer: https://a/b", "Upgrade: x", "Sec-Fetch-Site: none", "Sec-Purpose: prefetch")
	}
	id := identity(made())
	withoutLine := made()
	withoutLine.RequestURI = ""
	if !id.Of(made()) || !id.Of(withoutLine) {
		t.Errorf("Of(the same) = %t, Of(the same without RequestURI) = %t, want true, true", id.Of(made()), id.Of(withoutLine))
	}
	for name := range made().Header {
		r := made()
		r.Header.Set(name, "other")
		if id.Of(r) {
			t.Errorf("Of(the request with another %s) = true, want false", name)
		}
	}
}

// Several values are another request than one that is written like them, and no values than an empty one.
func TestIdentityTellsValuesApart(t *testing.T) {
	lines := [][]string{nil, {}, {""}, {"a", "b"}, {`["a" "b"]`}, {"1:a1:b"}, {"a1:b", ""}, {"a", "b", ""}, {"a", "1:b"}, {"a"}}
	with := func(values []string) *http.Request {
		r := newRequest(http.MethodGet, "/")
		r.TLS = &tls.ConnectionState{}
		if values != nil {
			r.Header["Cookie"] = slices.Clone(values)
		}
		return r
	}
	for i, values := range lines {
		id := identity(with(values))
		for j, others := range lines {
			if got := id.Of(with(others)); got != (i == j) {
				t.Errorf("identity of Cookie %q: Of(Cookie %q) = %t, want %t", values, others, got, i == j)
			}
		}
	}
}
