package clerkauth

import (
	"fmt"
	"io"
	"net/http"
)

// guarded is the transport of an application's own HTTP client. Fetches happen on goroutines of this package, where a
// panic would end the process: here it is an error of that fetch.
type guarded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer recovered(&err)
	next := g.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err = next.RoundTrip(r)
	if err == nil && resp != nil && resp.Body != nil {
		resp.Body = guardedBody{resp.Body}
	}
	return resp, err
}

// guardedBody is a body that such a transport made.
type guardedBody struct{ io.ReadCloser }

func (b guardedBody) Read(p []byte) (n int, err error) {
	defer recovered(&err)
	return b.ReadCloser.Read(p)
}

func (b guardedBody) Close() (err error) {
	defer recovered(&err)
	return b.ReadCloser.Close()
}

// recovered must be deferred. It turns a panic into err, without its text, which may hold anything.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("clerkauth: HTTPClient panicked with a %T", p)
	}
}
