package fapiproxy_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/clerkauth/clerkauth/internal/fapiproxy"
)

// serveFront is a proxy on this machine that forwards to address over its own transport.
func serveFront(t *testing.T, address string, change func(*fapiproxy.Config)) *httptest.Server {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(c *fapiproxy.Config) {
		c.Upstream, c.Transport, c.ProxyURL = u, nil, func(*http.Request) string { return "https://example.com/__clerk" }
		if change != nil {
			change(c)
		}
	})
	front := httptest.NewServer(s.handler)
	t.Cleanup(front.Close)
	return front
}

// fetched is a complete answer.
type fetched struct {
	status          int
	header, trailer http.Header
	body            string
	informed        []int // statuses of the informational answers before it
}

func fetch(t *testing.T, address string) (f fetched) {
	t.Helper()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
		f.informed = append(f.informed, code)
		return nil
	}})
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	f.status, f.header, f.trailer, f.body = resp.StatusCode, resp.Header, resp.Trailer, string(body)
	return f
}

// The Frontend API repeats what it was sent, in every possible way.
func TestEcho(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Trailer", "X-Announced")
		h.Set("Link", "</"+r.Header.Get("Clerk-Secret-Key")+">; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		h.Set("Location", "https://evil.test/?"+r.Header.Get("Clerk-Secret-Key"))
		_, _ = w.Write([]byte("body"))
		h.Set("X-Announced", r.Header.Get("Clerk-Secret-Key"))
		h.Set(http.TrailerPrefix+"X-Late", r.Header.Get("Clerk-Secret-Key"))
	}))
	defer upstream.Close()
	front := serveFront(t, upstream.URL, nil)
	got := fetch(t, front.URL+"/__clerk/v1/client")
	if got.status != http.StatusOK || got.body != "body" || len(got.informed) != 0 || len(got.trailer) != 0 || got.header.Get("Trailer") != "" {
		t.Errorf("got %+v, want 200 with the body and nothing before or after it", got)
	}
	if place := shows(got.header, got.trailer, got.body); place != "" {
		t.Errorf("the secret key is in the %s, want it nowhere", place)
	}
}

// An answer that switches protocols without naming one would give the connection away.
func TestUnnamedSwitch(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n")
		_ = conn.Close()
	}))
	defer upstream.Close()
	front := serveFront(t, upstream.URL, nil)
	if got := fetch(t, front.URL+"/__clerk/v1/client"); got.status != http.StatusBadGateway || len(got.informed) != 0 {
		t.Errorf("got %+v, want 502", got)
	}
}

// A body that turns out to be too long ends the request to Clerk, and is not reported as a failure
// of Clerk's.
func TestLongBodyInChunks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second")
	}
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(io.Discard, r.Body); err == nil {
			t.Errorf("Clerk got a complete body of %d bytes, want an error", n)
		}
	}))
	defer upstream.Close()
	failed := make(chan error, 1)
	front := serveFront(t, upstream.URL, func(c *fapiproxy.Config) { c.Failed = func(err error) { failed <- err } })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, front.URL+"/__clerk/v1/me/profile_image", io.LimitReader(&endless{}, fapiproxy.MaxBody+1))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge || len(failed) != 0 {
		t.Errorf("got %d and %d failures, want 413 and none", resp.StatusCode, len(failed))
	}
}

// The browser follows a redirect, not the proxy: no other host gets the secret key.
func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the redirect was followed to %s with %v", r.URL, r.Header)
	}))
	defer elsewhere.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		upstream := httptest.NewServer(http.RedirectHandler(elsewhere.URL, status))
		front := serveFront(t, upstream.URL, nil)
		if got := fetch(t, front.URL+"/__clerk/v1/client"); got.status != status || got.header.Get("Location") != elsewhere.URL {
			t.Errorf("%d: status %d to %s, want %d %s", status, got.status, got.header.Get("Location"), status, elsewhere.URL)
		}
		upstream.Close()
	}
}

// An answer that ends early is an error for the client too.
func TestBrokenAnswer(t *testing.T) {
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("begun"))
	}))
	defer upstream.Close()
	front := serveFront(t, upstream.URL, nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, front.URL+"/__clerk/v1/client", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return // it ended before any byte was received
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("%q was read as a complete answer, want an error", body)
	}
}

// These are requests that no HTTP client sends, over a real connection.
func TestRawRequests(t *testing.T) {
	var mu sync.Mutex // guards asked
	var paths []string
	upstream := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		paths = append(paths, r.Method+" "+r.RequestURI)
	}))
	defer upstream.Close()
	front := serveFront(t, upstream.URL, nil)
	for request, want := range map[string]string{
		"GET /__clerk/v1/client HTTP/1.1\nHost: example.com\n":                                                          "200",
		"GET http://evil.test/__clerk/v1/client HTTP/1.1\nHost: example.com\n":                                          "404",
		"GET //evil.test/__clerk/v1/client HTTP/1.1\nHost: example.com\n":                                               "404",
		"CONNECT evil.test:443 HTTP/1.1\nHost: evil.test:443\n":                                                         "405",
		"CONNECT /__clerk/v1/client HTTP/1.1\nHost: example.com\n":                                                      "405",
		"TRACE /__clerk/v1/client HTTP/1.1\nHost: example.com\n":                                                        "405",
		"OPTIONS * HTTP/1.1\nHost: example.com\n":                                                                       "200", // answered by net/http
		"PRI * HTTP/2.0\n\nSM\n":                                                                                        "405",
		"POST /__clerk/v1/client HTTP/1.1\nHost: example.com\nContent-Length: 3\nTransfer-Encoding: chunked\n\n0\n":     "200",
		"POST /__clerk/v1/client HTTP/1.1\nHost: example.com\nTransfer-Encoding: chunked, gzip\n":                       "501",
		"POST /__clerk/v1/client HTTP/1.1\nHost: example.com\nContent-Length: 3\nContent-Length: 4\n":                   "400",
		"GET /__clerk/v1/client HTTP/1.1\nHost: example.com\nHost: evil.test\n":                                         "400",
		"GET /__clerk/v1/client HTTP/1.1\nHost: example.com\nClerk-Secret-Key : x\n":                                    "400",
		"GET /__clerk/v1/client HTTP/1.1\nHost: example.com\nX-Fold: a\n Clerk-Proxy-Url: b\n":                          "200",
		"GET /__clerk/v1/client HTTP/1.1\nHost: example.com\nConnection: Upgrade\nUpgrade: websocket\n":                 "400",
		"GET /__clerk/v1/x HTTP/1.1\nHost: example.com\nContent-Length: 34\n\nGET /__clerk/admin HTTP/1.1\nHost: x\n\n": "200",
	} {
		if got := status(t, front.Listener.Addr().String(), request); got != want {
			t.Errorf("%q: got %s, want %s", request, got, want)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, a := range paths {
		if _, path, _ := strings.Cut(a, " "); path != "/v1/client" && path != "/v1/x" {
			t.Errorf("Clerk got the request %s, want only /v1/client or /v1/x", a)
		}
	}
}

// status returns the status of the first answer to what was written.
func status(t *testing.T, address, request string) string {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, strings.ReplaceAll(strings.Replace(request, "HTTP/1.1\n", "HTTP/1.1\nConnection: close\n", 1), "\n", "\r\n")+"\r\n")
	all, _ := io.ReadAll(conn)
	if strings.Contains(string(all), secret) {
		t.Errorf("%q: the answer has the secret key", request)
	}
	_, rest, _ := strings.Cut(string(all), " ")
	code, _, _ := strings.Cut(rest, " ")
	return strings.TrimSpace(code)
}
