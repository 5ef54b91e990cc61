package proxypath_test

import (
	"bufio"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/proxypath"
)

// FuzzPasses checks Passes and Under: a forwarded path stays below the paths that browsers need, however often it is
// cleaned and decoded afterwards, and net/http's own mux reads it alike.
func FuzzPasses(f *testing.F) {
	for _, target := range []string{
		"/__clerk/v1/client", "/__clerk/npm/@clerk/clerk-js@5/dist/clerk.browser.js", "/__clerk/v1/../admin", "/__clerk/v1/%2e%2e/admin", "/__clerk//evil.test/v1/", "/__clerk/v1/a;b",
		"/__clerk/.well-known/jwks.json?a=/../", `/__clerk/v1/\..\admin`, "/__clerk/v1/%252e%252e/", "http://evil.test/__clerk/v1/x", "/__clerk/V1/x", "/__clerk/v1", "/__clerk@evil.test/v1/x", "/%5f_clerk/v1/x", "/__clerk/v1/%2f",
	} {
		f.Add("GET", target)
	}
	const prefix = "/__clerk"
	mux := http.NewServeMux()
	mux.Handle(prefix+"/", http.NotFoundHandler())
	f.Fuzz(func(t *testing.T, method, target string) {
		if strings.ContainsAny(method+target, " \r\n") {
			return
		}
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + target + " HTTP/1.1\r\nHost: example.com\r\n\r\n")))
		if err != nil {
			return
		}
		below, ok := proxypath.Under(r, prefix)
		if proxypath.Passes(r, prefix) != (ok && proxypath.Forwarded(below) && r.URL.Path == prefix+below && known(method)) {
			t.Errorf("%s %q: Passes says %t of %q, want %t", method, target, proxypath.Passes(r, prefix), below, !proxypath.Passes(r, prefix))
		}
		if !ok || below == "" {
			return
		}
		for _, reading := range readings(t, below) {
			if strings.TrimSuffix(reading, "/") != strings.TrimSuffix(below, "/") || proxypath.Forwarded(below) && !proxypath.Forwarded(reading+"/") {
				t.Errorf("%q: %q can be read as %q, which is another path or not forwarded", target, below, reading)
			}
		}
		u, err := url.Parse("https://clerk.example.com" + below)
		if err != nil || u.Host != "clerk.example.com" || u.Path != below || u.EscapedPath() != below || u.RawQuery != "" {
			t.Errorf("%q: %q is sent on as %v (%v), want the same path at clerk.example.com", target, below, u, err)
		}
		if _, pattern := mux.Handler(r); pattern != prefix+"/" && r.Method != http.MethodConnect && r.URL.Host == "" {
			t.Errorf("%q: net/http takes it for %q, want %q", target, pattern, prefix+"/")
		}
	})
}

func known(method string) bool {
	return strings.Contains(" GET HEAD POST PUT PATCH DELETE OPTIONS ", " "+method+" ") && method != ""
}

// readings are the ways in which others may read a path.
func readings(t *testing.T, p string) []string {
	t.Helper()
	once, err := url.PathUnescape(p)
	if err != nil {
		t.Errorf("%q cannot be decoded: %v", p, err)
	}
	cut, _, _ := strings.Cut(p, ";")
	return []string{path.Clean(p), once, path.Clean(once), strings.ReplaceAll(p, `\`, "/"), strings.ReplaceAll(p, "//", "/"), cut}
}
