package fapiproxy

import (
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// keyed adds the secret key, as the last thing that happens to a request. Of the answer it lets pass the header and the
// body, but neither informational answers nor trailers, which nothing else looks at.
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
	answer := *resp // a transport puts trailers into its own
	answer.Trailer = nil
	return &answer, nil
}

// newTransport returns a transport for one host. There is no limit to the connections: each stands for one of a client's,
// which the server limits, and who reads slowly must not keep others waiting.
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
		DisableCompression:     true, // bodies pass as they come
	}
}

// buffers are what bodies are copied with.
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
