package fapiproxy_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/clerkauth/clerkauth/internal/fapiproxy"
)

const secret = "sk_live_0123456789abcdefghijklmnop"

// clerk is the network: it responds to every request with answer.
type clerk struct {
	mu       sync.Mutex
	received []*http.Request // their bodies were read
	bodies   []string
	answer   func(*http.Request) (*http.Response, error)
}

func (c *clerk) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	c.received, c.bodies = append(c.received, r), append(c.bodies, string(body))
	c.mu.Unlock()
	if c.answer != nil {
		return c.answer(r)
	}
	return answer(http.StatusOK, http.Header{}, "{}"), nil
}

func answer(status int, h http.Header, body string) *http.Response {
	return &http.Response{StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

// site is a proxy at https://example.com/__clerk, and the requests that it forwards.
type site struct {
	*clerk

	handler http.Handler
	failed  []error
}

func newSite(t *testing.T, change func(*fapiproxy.Config)) *site {
	t.Helper()
	s := &site{clerk: &clerk{}}
	cfg := fapiproxy.Config{
		Upstream:  &url.URL{Scheme: "https", Host: "frontend-api.clerk.test"},
		SecretKey: secret,
		Path:      "/__clerk",
		ProxyURL: func(r *http.Request) string {
			if r.Host != "example.com" {
				return ""
			}
			return "https://example.com/__clerk"
		},
		Transport: s.clerk,
		Failed:    func(err error) { s.failed = append(s.failed, err) },
	}
	if change != nil {
		change(&cfg)
	}
	s.handler = fapiproxy.New(cfg)
	return s
}

// read parses a request as a server does.
func read(t *testing.T, raw string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(raw, "\n", "\r\n"))))
	if err != nil {
		t.Fatalf("the request %q: %v", raw, err)
	}
	r.RemoteAddr = "192.0.2.7:4711"
	return r
}

// send sends a request with header lines, and checks that the response has no part of the secret key.
func (s *site) send(t *testing.T, line string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	lines := append([]string{line + " HTTP/1.1", "Host: example.com"}, header...)
	return s.serve(t, read(t, strings.Join(lines, "\n")+"\n\n"))
}

func (s *site) serve(t *testing.T, r *http.Request) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if shown := shows(w.Header(), w.Result().Trailer, w.Body.String()); shown != "" {
		t.Errorf("%s %s: the secret key is in the %s, want it nowhere", r.Method, r.RequestURI, shown)
	}
	return w
}

// shows returns where a response has the secret key; empty: nowhere.
func shows(header, trailer http.Header, body string) string {
	for place, text := range map[string]string{"header": dump(header), "trailer": dump(trailer), "body": body} {
		if strings.Contains(text, secret) || strings.Contains(text, "Clerk-Secret-Key") {
			return place
		}
	}
	return ""
}

func dump(h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b)
	return b.String()
}

var errRefused = errors.New("connection refused")
