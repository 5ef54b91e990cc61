package main

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

// FuzzOriginal checks that the gate decides about the request that a gateway's headers name, and
// that it allows no request without a session.
func FuzzOriginal(f *testing.F) {
	for _, address := range []string{
		"https://example.com/a?b=c", "http://example.com//evil.test/", "https://example.com", "wss://example.com/socket", "https://example.com@evil.test/", "https:///a", "ftp://example.com/", "https://example.com/a\x7f", "https://example.com/%2e%2e/a", `https://example.com/\a`,
		"https://example.com/a#b", "https://[::1]:8080/a", "//example.com/a", "https://example.com/?a=/../",
	} {
		scheme, rest, _ := strings.Cut(address, "://")
		host, path, _ := strings.Cut(rest, "/")
		f.Add("GET", address, host, "/"+path, scheme, "Bearer x", false)
		f.Add("", address, host, "/"+path, scheme, "", false)
		f.Add("", address, host, path, scheme, "", true)
		f.Add("OPTIONS", address, host, "*", scheme, "Bearer a.b.c", false)
	}
	cfg := clerktest.New(f, clerktest.Options{}).Config()
	var gates []*gate
	for _, g := range gateways {
		o, err := parseOptions([]string{"-gateway", g.name}, io.Discard)
		if err != nil {
			f.Fatal(err)
		}
		o.clerk = cfg
		g, err := newGate(o, slog.New(slog.DiscardHandler))
		if err != nil {
			f.Fatal(err)
		}
		gates = append(gates, g)
	}
	f.Fuzz(func(t *testing.T, method, address, host, uri, scheme, authorization string, twice bool) {
		h := http.Header{"X-Original-Url": {address}, "X-Original-Method": {method}, "X-Forwarded-Method": {method}, "X-Forwarded-Host": {host}, "X-Forwarded-Uri": {uri}, "X-Forwarded-Proto": {scheme}}
		if authorization != "" {
			h.Set("Authorization", authorization)
		}
		if twice {
			for _, name := range []string{"X-Original-Url", "X-Forwarded-Host"} {
				h.Add(name, h.Get(name))
			}
		}
		for _, g := range gates {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://gate.internal:4180/auth", http.NoBody)
			r.RemoteAddr, r.Header = "127.0.0.1:1234", h
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if w.Code >= 100 && w.Code < 300 {
				t.Errorf("%s: got %d %v, want a refusal", g.gateway.name, w.Code, h)
			}
			named := address
			if g.gateway.name != "nginx" {
				named = scheme + "://" + host + uri
			}
			if original, refused := g.gateway.original(r); refused == nil {
				asItIsNamed(t, original, method, named, twice)
			}
		}
	})
}

// asItIsNamed checks that a request is the one that its gateway's headers name.
func asItIsNamed(t *testing.T, original *http.Request, method, named string, twice bool) {
	t.Helper()
	if method == "" {
		method = http.MethodPost
	}
	scheme := "http"
	if original.TLS != nil {
		scheme = "https"
	}
	said, _, _ := strings.Cut(named, "://")
	secure := said == "https" || said == "wss"
	path, _, _ := strings.Cut(original.RequestURI, "?")
	decoded, err := url.PathUnescape(path)
	switch {
	case twice, original.Method != method, secure != (original.TLS != nil), !strings.HasSuffix(named, "://"+original.Host+original.RequestURI):
		t.Errorf("%s %q, twice %t, is decided as %s %s://%s%s, want what the header names, sent once", method, named, twice, original.Method, scheme, original.Host, original.RequestURI)
	case !strings.HasPrefix(path, "/"), err != nil, original.URL.Host != "", original.URL.User != nil, original.URL.Path != decoded && !strings.HasPrefix(path, "//"):
		t.Errorf("%q is parsed as %q, the URL %v and the host %q, want its path alone", named, original.RequestURI, original.URL, original.URL.Host)
	}
}
