package clerkauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// These are the headers that Chrome sends with a script's fetch, and with a page opened from
// another one of the same site.
var (
	chrome = harness.Headers(
		"Accept-Encoding: gzip, deflate, br, zstd", "Accept-Language: en-GB,en;q=0.9", "Priority: u=1, i", "Sec-Fetch-Site: same-origin",
		`Sec-Ch-Ua: "Chromium";v="143", "Not_A Brand";v="24"`, "Sec-Ch-Ua-Mobile: ?0", `Sec-Ch-Ua-Platform: "Linux"`,
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
	)
	chromeScript = harness.All(harness.AsServer, harness.Host("example.com"), chrome, harness.Headers(
		"Accept: application/json", "Referer: https://example.com/invoices", "Sec-Fetch-Dest: empty", "Sec-Fetch-Mode: cors"))
	chromePage = harness.All(harness.AsServer, harness.Host("example.com"), chrome, harness.Headers(
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "Cache-Control: max-age=0",
		"Referer: https://example.com/invoices", "Sec-Fetch-Dest: document", "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1",
		"Upgrade-Insecure-Requests: 1"))
)

// commonRequest is a request that is common in applications, and its middleware.
type commonRequest struct {
	name        string
	allocations float64
	handler     http.Handler
	request     *http.Request
}

type contextOnlyKey struct{}

// contextOnly is the smallest middleware that adds a context value.
func contextOnly(next http.Handler) http.Handler {
	handed := &struct{}{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextOnlyKey{}, handed)))
	})
}

// commonRequests returns the common requests, with tokens in the cache. The first is the baseline:
// middleware that only adds a context value.
func commonRequests(tb testing.TB) []commonRequest {
	tb.Helper()
	clerk := clerktest.New(tb, clerktest.Options{Now: harness.AtNoon})
	auth := harness.New(tb, clerk)
	token := clerk.Token(clerktest.Claims{})
	done := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	script := func(edits ...harness.Edit) *http.Request {
		return harness.Request(http.MethodGet, harness.Origin+"/api/invoices?page=2", append(edits, chromeScript)...)
	}
	page := func(edits ...harness.Edit) *http.Request {
		return harness.Request(http.MethodGet, harness.Origin+"/invoices?page=2", append(edits, chromePage)...)
	}
	pair := func(c *http.Cookie) string { return c.Name + "=" + c.Value }
	var cookies strings.Builder
	cookies.WriteString("theme=dark; _ga=GA1.1.1234567890.1234567890")
	for _, c := range clerk.Cookies(token) {
		cookies.WriteString("; " + pair(c))
	}
	both := harness.With("Cookie", cookies.String())
	held := harness.With("Cookie", cookies.String()+"; "+pair(harness.SetPartyCookie(auth.AuthenticateRequest(script(both)))))
	asks := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if s, ok := clerkauth.FromContext(r.Context()); !ok || s.UserID == "" {
			tb.Error("no session")
		}
	})
	require, optional := auth.Require(done), auth.Optional(done)
	return []commonRequest{
		{"floor", 2, contextOnly(done), script(harness.WithBearer(token))},
		{"bearer", 1, require, script(harness.WithBearer(token))},
		{"bearer, and a handler that asks", 2, auth.Require(asks), script(harness.WithBearer(token))},
		{"script", 1, require, script(held)},
		{"page", 1, require, page(held)},
		{"page without its party cookie", 10, require, page(both)},
		{"nothing, Optional", 2, optional, script()},
		{"nothing, Require", 3, require, script()},
	}
}

// silent is a ResponseWriter without a client.
type silent struct{ header http.Header }

func (s silent) Header() http.Header         { return s.header }
func (s silent) Write(b []byte) (int, error) { return len(b), nil }
func (s silent) WriteHeader(int)             {}

func (s silent) WriteString(text string) (int, error) { return len(text), nil } // as net/http's own

func BenchmarkCommonRequests(b *testing.B) {
	for _, c := range commonRequests(b) {
		w := silent{http.Header{}}
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				c.handler.ServeHTTP(w, c.request)
			}
		})
	}
}

func TestAllocationsOfCommonRequests(t *testing.T) {
	harness.CountsAllocations(t)
	for _, c := range commonRequests(t) {
		w := silent{http.Header{}}
		got := testing.AllocsPerRun(100, func() {
			clear(w.header)
			c.handler.ServeHTTP(w, c.request)
		})
		if got != c.allocations {
			t.Errorf("%s: %v allocations, want %v", c.name, got, c.allocations)
		}
	}
}

func BenchmarkVerifyToken(b *testing.B) {
	clerk := clerktest.New(b, clerktest.Options{Now: harness.AtNoon})
	auth, never := harness.New(b, clerk), harness.New(b, clerk, func(c *clerkauth.Config) { c.TokenCacheSize = -1 })
	token := clerk.Token(clerktest.Claims{})
	garbage := string(make([]byte, len(token)))
	for name, verify := range map[string]func() error{
		"seen":       func() error { _, err := auth.VerifyToken(b.Context(), token); return err },
		"never seen": func() error { _, err := never.VerifyToken(b.Context(), token); return err },
		"garbage":    func() error { _, err := auth.VerifyToken(b.Context(), garbage); return err },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := verify(); (err != nil) != (name == "garbage") {
					b.Fatalf("got the error %v, want one only for garbage", err)
				}
			}
		})
	}
}
