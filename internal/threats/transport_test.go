package threats_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// telling is an application's own transport whose errors contain the whole request, as those of
// test doubles and of tracing do.
type telling struct{}

func (telling) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("no answer to %s %s %v", r.Method, r.URL, r.Header)
}

// What a transport says of a failed request is in the log and in an error's detail, without the
// secret key.
func TestTransportErrorsHoldNoSecret(t *testing.T) {
	var log harness.Log
	var secret string
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		secret = c.SecretKey
		c.Logger = log.Logger()
		c.HTTPClient = &http.Client{Transport: telling{}}
	})
	err := a.Ready(t.Context())
	if err == nil || secret == "" {
		t.Fatalf("got the error %v and a secret of %d bytes, want both", err, len(secret))
	}
	if piece, ok := harness.Leaks(log.String()+errors.Unwrap(err).Error(), harness.Pieces(secret[len("sk_live_"):])); ok {
		t.Errorf("%q, a piece of the secret key, is in the log or the detail: %s %v", piece, log.String(), errors.Unwrap(err))
	}
}
