package threats_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// An answer that is no set of keys may be anybody's: the detail names the address that was requested.
func TestAnswersThatAreNoKeys(t *testing.T) {
	for _, body := range []string{"<html>", "{}", `{"keys":[]}`} {
		b := harness.NewApp(t, func(c *clerkauth.Config) { c.JWTKey = "" })
		b.Clerk.Fault(clerktest.BackendJWKS, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
		})
		err := b.AuthenticateRequest(b.Page(b.Clerk.Token(clerktest.Claims{}))).Err
		if why := errors.Unwrap(err); why == nil || !strings.Contains(why.Error(), "https://api.clerk.com/v1/jwks: ") {
			t.Errorf("%s: the detail is %v, want one that names https://api.clerk.com/v1/jwks", body, why)
		}
	}
}
