// Package fapiproxy forwards browsers' requests to Clerk's Frontend API, with the secret key that tells Clerk whose they
// are. It sends the key to that host only.
//
// See https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi. What to send is what clerkFrontendApiProxy of
// @clerk/backend sends.
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
	"time"

	"github.com/clerkauth/clerkauth/internal/proxypath"
)

const (
	// MaxBody is the size of the largest request body that is forwarded, in bytes.
	MaxBody = 10 << 20

	// timeout is how long one request may take, with both bodies.
	timeout = 2 * time.Minute
)

// Config says where to forward to and as whom. All fields but Transport are required.
type Config struct {
	Upstream  *url.URL // the Frontend API; of its parts, scheme, host and path count
	SecretKey string
	Path      string // of the proxy at this host, escaped, without a slash at its end: "/__clerk"

	// ProxyURL is the proxy's own address as the client of a request sees it, without a slash at its end; empty: the
	// request's host is none of the application's own.
	ProxyURL func(r *http.Request) string

	// Forwarded takes the client's address from X-Forwarded-For. False: it is the connection's.
	Forwarded bool

	// Transport opens the connections. nil: one of the proxy's own, with bounds. Redirects are never followed.
	Transport http.RoundTripper

	// Failed is told why Clerk could not be reached. The error may name anything that was sent.
	Failed func(error)
}

// proxy is the handler.
type proxy struct {
	Config

	transport http.RoundTripper
	buffers   buffers
}

// New returns the handler. It may be reached under any pattern and behind http.StripPrefix: the path is read from the
// request line.
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
	self   string   // the proxy's address
	public bool     // the answer is the same for everybody
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x, refused := p.read(r)
	if refused != nil {
		refused.write(w)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	r = r.WithContext(ctx)
	r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
	forward := httputil.ReverseProxy{
		Rewrite: x.rewrite, Transport: p.transport, ModifyResponse: x.localize,
		ErrorHandler: x.fail, ErrorLog: quiet, BufferPool: &p.buffers,
	}
	forward.ServeHTTP(w, r)
}

// read finds out what is asked for, or why it is not forwarded. The address at Clerk is put together from parts: nothing
// of the request is ever resolved against another address, where "//evil.test" would be a host (GHSA-gjxx-92w9-8v8f).
func (p *proxy) read(r *http.Request) (*exchange, *refusal) {
	if !slices.Contains(methods, r.Method) {
		return nil, errMethod
	}
	path, _ := proxypath.Under(r, p.Path) // empty: none
	i := slices.IndexFunc(forwarded, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
	switch {
	case i < 0, r.RequestURI != "" && r.RequestURI[0] != '/': // an absolute URL is asked of proxies that lead anywhere
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
	return &exchange{proxy: p, target: target, self: self, public: forwarded[i] != privatePath}, nil
}

// methods are those of the Frontend API. TRACE would send the secret key back, CONNECT would leave the host open.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// privatePath is where the answers are one browser's; the other paths have keys and scripts.
const privatePath = "/v1/"

// forwarded are the paths of the Frontend API that browsers need.
var forwarded = []string{privatePath, "/.well-known/", "/npm/"}

// upgrades reports whether a request is for a WebSocket (RFC 6455 section 4.1). Clerk has none. Other protocols are
// offers, which are ignored (RFC 9110 section 7.8).
func upgrades(h http.Header) bool {
	return h["Sec-Websocket-Key"] != nil || slices.ContainsFunc(h["Upgrade"], func(v string) bool {
		return strings.Contains(strings.ToLower(v), "websocket")
	})
}

// fail answers what Clerk did not answer.
func (x *exchange) fail(w http.ResponseWriter, r *http.Request, err error) {
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	switch {
	case tooLarge:
		errTooLarge.write(w)
	case errors.Is(r.Context().Err(), context.Canceled): // the client is gone, which says nothing about Clerk
		errUnreachable.write(w)
	case errors.Is(err, context.DeadlineExceeded):
		x.Failed(err)
		errTimeout.write(w)
	default:
		x.Failed(err)
		errUnreachable.write(w)
	}
}

// quiet is for what goes wrong once the answer has begun: somebody hung up.
var quiet = log.New(io.Discard, "", 0)
