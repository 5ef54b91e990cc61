// Package transport adapts an application's HTTP client for requests to Clerk.
package transport

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth/internal/redact"
)

// APIVersion is the version of Clerk's APIs that is used.
const APIVersion = "2026-05-12"

// Client is a copy of c, which may be nil, that follows no redirects: a secret is sent to one address only. A panic of its
// transport becomes an error, and no error contains a credential or a query.
func Client(c *http.Client) *http.Client {
	client := http.Client{}
	if c != nil {
		client = *c
	}
	client.Transport = guarded{client.Transport}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// guarded is the transport of an application's own HTTP client. Fetches run on goroutines of this package, where a panic
// would end the process: here it becomes an error of that fetch. Errors do not contain the credential and the query that
// were sent.
type guarded struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g guarded) RoundTrip(r *http.Request) (resp *http.Response, err error) {
	defer recovered(&err)
	next := g.next
	if next == nil {
		next = http.DefaultTransport
	}
	resp, err = next.RoundTrip(r)
	if err != nil {
		_, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		err = WithoutSecret(err, secret, r.URL.RawQuery)
	}
	if err == nil && resp != nil && resp.Body != nil {
		resp.Body = guardedBody{resp.Body}
	}
	return resp, err
}

// redacted is an error with another text. It matches what the error matches, without exposing it.
type redacted struct {
	err  error
	text string
}

func (e *redacted) Error() string { return e.text }

// Is serves errors.Is.
func (e *redacted) Is(target error) bool { return errors.Is(e.err, target) }

// WithoutSecret is err without secrets in its text, or anything that looks like one.
func WithoutSecret(err error, secrets ...string) error {
	if text := redact.Text(err.Error(), secrets...); text != err.Error() {
		return &redacted{err, text}
	}
	return err
}

// guardedBody is a body returned by such a transport.
type guardedBody struct{ io.ReadCloser }

func (b guardedBody) Read(p []byte) (n int, err error) {
	defer recovered(&err)
	return b.ReadCloser.Read(p)
}

func (b guardedBody) Close() (err error) {
	defer recovered(&err)
	return b.ReadCloser.Close()
}

// recovered must be deferred. It turns a panic into err, without its text, which may contain anything.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("clerkauth: HTTPClient panicked with a %T", p)
	}
}
