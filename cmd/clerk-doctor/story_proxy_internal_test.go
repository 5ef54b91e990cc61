package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const proxyAddress = "https://www.proxying.example/__clerk"

// proxying is a site whose Frontend API is behind the proxy of an application, with changes to its
// configuration, and a handler before it.
func proxying(change func(*clerkauth.Config), front func(http.Handler) http.Handler) func(*testing.T, internet, *site) {
	return func(t *testing.T, in internet, s *site) {
		s.certs["www.proxying.example"] = in.ca.issue(t, noon.AddDate(0, 0, 60), "www.proxying.example")
		s.prefix, s.issuer = "/__clerk", proxyAddress
		s.Instance = clerktest.New(t, clerktest.Options{
			Domain: "proxying.example", Origins: []string{"https://www.proxying.example"}, ProxyURLs: []string{proxyAddress}, Now: atNoon,
		})
		cfg := s.Config()
		if change != nil {
			change(&cfg)
		}
		auth, err := clerkauth.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		mux.Handle(cfg.ProxyURL[strings.LastIndexByte(cfg.ProxyURL, '/'):]+"/", auth.FrontendAPIProxy())
		if s.front = mux; front != nil {
			s.front = front(mux)
		}
	}
}

// altered is a handler that changes the header of answers from the paths of scripts.
func altered(change func(http.Header)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/v1/") {
				w = &alteredWriter{w, change}
			}
			next.ServeHTTP(w, r)
		})
	}
}

type alteredWriter struct {
	http.ResponseWriter
	change func(http.Header)
}

func (w *alteredWriter) WriteHeader(status int) {
	w.change(w.Header())
	w.ResponseWriter.WriteHeader(status)
}

func tellProxyStories(t *testing.T, in internet) {
	for _, st := range []story{
		{name: "a proxy of the application", exit: exitGood, args: []string{"-v"}, site: proxying(nil, nil)},
		{name: "a proxy that Clerk does not know", exit: exitFails, site: proxying(func(c *clerkauth.Config) {
			c.ProxyURL = "https://www.proxying.example/other"
		}, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.RequestURI = strings.Replace(r.RequestURI, "/__clerk/", "/other/", 1)
				r.URL.Path = strings.Replace(r.URL.Path, "/__clerk/", "/other/", 1)
				next.ServeHTTP(w, r)
			})
		})},
		{name: "a proxy with another secret key", exit: exitFails, site: proxying(func(c *clerkauth.Config) {
			c.SecretKey = "sk_live_" + "OfAnotherInstance"
		}, nil)},
		{name: "a proxy for keys only", exit: exitFails, site: proxying(nil, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/v1/") {
					http.NotFound(w, r)
					return
				}
				next.ServeHTTP(w, r)
			})
		})},
		{name: "a proxy for keys beside a page for every path", exit: exitFails, site: proxying(nil, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.Path, "/v1/") {
					w.Header().Set("Content-Type", "text/html; charset=utf-8")
					_, _ = w.Write([]byte("<!doctype html><div id=app></div>"))
					return
				}
				next.ServeHTTP(w, r)
			})
		})},
		{name: "a proxy that hangs up", exit: exitUnknown, site: proxying(nil, altered(func(http.Header) { panic(http.ErrAbortHandler) }))},
		{name: "a proxy behind a cache", exit: exitFails, site: proxying(nil, altered(func(h http.Header) { h.Set("X-Cache", "Hit from cloudfront") }))},
		{name: "a proxy behind a cache that tells the age", exit: exitFails, site: proxying(nil, altered(func(h http.Header) { h.Set("Age", "17") }))},
		{name: "a proxy whose answers may be kept", exit: exitGood, site: proxying(nil, altered(func(h http.Header) { h.Set("Cache-Control", "public, max-age=300") }))},
		{name: "a proxy that loses cookies", exit: exitGood, site: proxying(nil, altered(func(h http.Header) { h.Del("Set-Cookie") }))},
		{name: "a proxy with the cookies of another domain", exit: exitFails, site: proxying(nil, altered(func(h http.Header) {
			h.Set("Set-Cookie", "__client=x; Path=/; Domain=frontend-api.clerk.dev; Secure")
		}))},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.args = append(st.args, "-proxy-url", proxyAddress, "proxying.example")
			st.run(t, in)
		})
	}
}

func TestCachesAreNoticed(t *testing.T) {
	for field, want := range map[string]bool{
		"Age: 0": false, "Age: 3": true, "X-Cache: MISS": false, "X-Cache: HIT": true, "X-Cache: Miss from cloudfront": false, "Cf-Cache-Status: DYNAMIC": false,
		"Cf-Cache-Status: HIT": true, "Cache-Status: ExampleCache; hit; ttl=30": true, "Cache-Status: ExampleCache; fwd=miss": false, "X-Cache: TCP_HIT, HIT": true,
		"X-Cache: white": false,
	} {
		name, value, _ := strings.Cut(field, ": ")
		if got := cacheHit(http.Header{name: {value}}); (got != "") != want {
			t.Errorf("%s: got %q, want a cache hit: %t", field, got, want)
		}
	}
	for control, want := range map[string]bool{
		"": false, "no-store": false, "private, max-age=60": false, "no-cache": false, "max-age=0": false, "public, max-age=60, no-store": false,
		"public": true, "max-age=60": true, "s-maxage=5": true, "PUBLIC, Max-Age=60": true,
	} {
		if invites(control) != want {
			t.Errorf("%q: got %t, want %t", control, !want, want)
		}
	}
}
