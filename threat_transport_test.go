package clerkauth_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
)

// telling is a transport of the application's own whose errors hold the whole request, as those of test doubles and of
// tracing do.
type telling struct{}

func (telling) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("no answer to %s %s %v", r.Method, r.URL, r.Header)
}

// What a transport says of a request that failed goes to the log and into an error's detail, without the secret key.
func TestTransportErrorsHoldNoSecret(t *testing.T) {
	var log logged
	var secret string
	a := newApp(t, func(c *clerkauth.Config) {
		secret = c.SecretKey
		c.Logger = log.logger()
		c.HTTPClient = &http.Client{Transport: telling{}}
	})
	err := a.Ready(t.Context())
	if err == nil || secret == "" {
		t.Fatalf("error %v, secret of %d bytes", err, len(secret))
	}
	if piece, ok := leaks(log.String()+errors.Unwrap(err).Error(), pieces(secret[len("sk_live_"):])); ok {
		t.Errorf("%q is in the log or the detail: %s %v", piece, log.String(), errors.Unwrap(err))
	}
}
