package soak_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// clock is the clock of Clerk and of the application. It changes only between requests.
type clock struct{ nanoseconds atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(0, c.nanoseconds.Load()).UTC() }

func (c *clock) jump(d time.Duration) { c.nanoseconds.Add(int64(d)) }

// backend is the Backend API, keys included, on a port of its own that can refuse connections.
type backend struct {
	tb      testing.TB
	address string
	handler http.Handler
	server  *http.Server // nil: nothing listens
	serving sync.WaitGroup
}

func startBackend(tb testing.TB, clerk *clerktest.Instance) *backend {
	tb.Helper()
	b := &backend{tb: tb, address: "127.0.0.1:0", handler: &httputil.ReverseProxy{
		Transport:    clerk.Config().HTTPClient.Transport,
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "https", Host: "api.clerk.com"}) },
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0),
	}}
	b.start()
	tb.Cleanup(b.kill)
	return b
}

// start listens, on the same port as before.
func (b *backend) start() {
	if b.server != nil {
		return
	}
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", b.address)
	if err != nil {
		b.tb.Fatal(err)
	}
	b.address = l.Addr().String()
	b.server = &http.Server{Handler: b.handler, ReadHeaderTimeout: time.Minute}
	b.serving.Go(func() { _ = b.server.Serve(l) })
}

// kill closes every connection, and refuses new ones.
func (b *backend) kill() {
	if b.server == nil {
		return
	}
	_ = b.server.Close()
	b.serving.Wait()
	b.server = nil
}

// questions counts an application's calls of the Backend API, by kind, with or without an answer.
type questions struct {
	next http.RoundTripper
	now  func() time.Time

	mu     sync.Mutex // guards the fields below
	by     map[string]int
	slow   int       // calls that took longer than tooSlow of real time
	slowAt time.Time // when the last of them ended
}

// tooSlow is half of what a refresh waits for. A busy machine takes that long sometimes, and the
// application cannot distinguish that from an outage.
const tooSlow = time.Second

// RoundTrip implements http.RoundTripper.
func (q *questions) RoundTrip(r *http.Request) (*http.Response, error) {
	kind := "credentials of machines"
	switch {
	case strings.HasSuffix(r.URL.Path, "/jwks"):
		kind = "keys"
	case strings.HasSuffix(r.URL.Path, "/refresh"):
		kind = "refreshes"
	case strings.HasSuffix(r.URL.Path, "/handshake_payload"):
		kind = "nonces"
	}
	q.mu.Lock()
	q.by[kind]++
	q.mu.Unlock()
	late := time.AfterFunc(tooSlow, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.slow++
		q.slowAt = q.now()
	})
	defer late.Stop()
	return q.next.RoundTrip(r)
}

// slowLately reports whether a call took too long, and the application may not call again yet.
func (q *questions) slowLately() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.slow > 0 && q.now().Before(q.slowAt.Add(recovery))
}
