// Package fapiproxy forwards browsers' requests to Clerk's Frontend API, with the secret key, which tells Clerk the
// instance. It sends the key to that host only.
//
// See https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi. It sends the same headers as clerkFrontendApiProxy of
// @clerk/backend.
package fapiproxy

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clerkauth/clerkauth/internal/proxypath"
)

const (
	// MaxBody is the largest request body that is forwarded, in bytes.
	MaxBody = 10 << 20

	// timeout is the longest time for one request, with both bodies.
	timeout = 2 * time.Minute
)

// Config says where to forward requests, and how. All fields but Transport are required.
type Config struct {
	Upstream  *url.URL // the Frontend API; only scheme, host and path count
	SecretKey string
	Path      string // the path of the proxy, escaped, without a slash at its end: "/__clerk"

	// ProxyURL is the proxy's own URL as the client of a request sees it, without a slash at its end; empty: the request's
	// host is not one of the application's.
	ProxyURL func(r *http.Request) string

	// Forwarded takes the client's address from X-Forwarded-For. False: from the connection.
	Forwarded bool

	// Transport opens the connections. nil: the proxy's own, with limits. Redirects are never followed.
	Transport http.RoundTripper

	// Failed is called with the reason why Clerk could not be reached. The error may contain anything that was sent.
	Failed func(error)
}

// proxy is the handler.
type proxy struct {
	Config

	transport http.RoundTripper
	buffers   buffers
}

// New returns the handler. It works under any pattern and inside http.StripPrefix: the path is read from the request line.
func New(cfg Config) http.Handler {
	next := cfg.Transport
	if next == nil {
		next = newTransport()
	}
	return &proxy{Config: cfg, transport: keyed{secret: cfg.SecretKey, next: next}}
}

// exchange is one request and its answer.
type exchange struct {
	*proxy

	target *url.URL // at the Frontend API, without the query
	self   string   // the proxy's URL
	public bool     // the answer is the same for everybody
	sent   *body
}

// body is what the client sends.
type body struct {
	io.ReadCloser

	failed atomic.Bool // it could not be read to the end
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		b.failed.Store(true)
	}
	return n, err
}

// hurry limits how long the client may take to send and to read, unless its server does, and returns a function that
// removes the limit. A context does not end a read that waits for the client.
func hurry(w http.ResponseWriter, r *http.Request) (release func()) {
	release = func() {}
	server, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok {
		return release
	}
	client, end := http.NewResponseController(w), time.Now().Add(timeout)
	if server.ReadTimeout <= 0 {
		_ = client.SetReadDeadline(end) // a wrapped writer may not support it: then the server's limits apply
	}
	if server.WriteTimeout <= 0 {
		_ = client.SetWriteDeadline(end)
		release = func() { _ = client.SetWriteDeadline(time.Time{}) }
	}
	return release
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x, refused := p.read(r)
	if refused != nil {
		refused.write(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	defer hurry(w, r)()
	r = r.WithContext(ctx)
	sent := &body{ReadCloser: http.MaxBytesReader(w, r.Body, MaxBody)}
	r.Body = sent
	x.sent = sent
	forward := httputil.ReverseProxy{
		Rewrite: x.rewrite, Transport: p.transport, ModifyResponse: x.localize,
		ErrorHandler: x.fail, ErrorLog: quiet, BufferPool: &p.buffers,
	}
	forward.ServeHTTP(w, r)
}

// read determines the target, or why the request is not forwarded. The URL at Clerk is built from parts: nothing of the
// request is resolved against another URL, where "//evil.test" would be a host (GHSA-gjxx-92w9-8v8f).
func (p *proxy) read(r *http.Request) (*exchange, *refusal) {
	if !slices.Contains(proxypath.Methods, r.Method) {
		return nil, errMethod
	}
	path, _ := proxypath.Under(r, p.Path) // empty: no such path
	switch {
	case !proxypath.Forwarded(path), r.RequestURI != "" && r.RequestURI[0] != '/': // absolute URLs are for proxies that forward anywhere
		return nil, errPath
	case upgrades(r.Header):
		return nil, errUpgrade
	case r.ContentLength > MaxBody:
		return nil, errTooLarge
	}
	self := p.ProxyURL(r)
	if self == "" {
		return nil, errHost
	}
	target := &url.URL{Scheme: p.Upstream.Scheme, Host: p.Upstream.Host, Path: strings.TrimRight(p.Upstream.Path, "/") + path}
	return &exchange{proxy: p, target: target, self: self, public: !strings.HasPrefix(path, proxypath.Private)}, nil
}

// upgrades reports whether a request is for a WebSocket (RFC 6455 section 4.1). Clerk has none. Upgrades to other protocols
// are optional, and ignored (RFC 9110 section 7.8).
func upgrades(h http.Header) bool {
	return h["Sec-Websocket-Key"] != nil || slices.ContainsFunc(h["Upgrade"], func(v string) bool {
		return strings.Contains(strings.ToLower(v), "websocket")
	})
}

// fail responds when Clerk did not.
func (x *exchange) fail(w http.ResponseWriter, r *http.Request, err error) {
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case tooLarge:
		errTooLarge.write(w)
	case errors.Is(r.Context().Err(), context.Canceled), x.sent.failed.Load(): // the client failed, which says nothing about Clerk
		errUnreachable.write(w)
	case errors.Is(err, context.DeadlineExceeded):
		x.Failed(err)
		errTimeout.write(w)
	default:
		x.Failed(err)
		errUnreachable.write(w)
	}
}

// quiet is for failures after the response has begun: somebody hung up.
var quiet = log.New(io.Discard, "", 0)
