package fapiproxy

import (
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// keyed adds the secret key as the last step. It passes on the header and the body of the response, but neither
// informational responses nor trailers, which nothing else checks.
type keyed struct {
	secret string
	next   http.RoundTripper
}

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	if trace := httptrace.ContextClientTrace(r.Context()); trace != nil {
		trace.Got1xxResponse = nil
	}
	r.Header.Set("Clerk-Secret-Key", k.secret) // ReverseProxy's copy, as is the trace
	resp, err := k.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	answer := *resp // a transport writes trailers into its own response
	answer.Trailer = nil
	return &answer, nil
}

// newTransport returns a transport for one host. It does not limit connections: each belongs to one client connection,
// which the server limits, and a slow client must not delay others.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    64,
		MaxResponseHeaderBytes: 256 << 10,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // bodies pass unchanged
	}
}

// buffers are for copying bodies.
type buffers struct{ pool sync.Pool }

// Get implements httputil.BufferPool.
func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

// Put implements httputil.BufferPool.
func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
