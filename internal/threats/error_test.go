package threats_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A caller may change the error it got: others get their own.
func TestErrorIsItsCallersOwn(t *testing.T) {
	spoil := func(t *testing.T, err error) {
		t.Helper()
		refusal, ok := errors.AsType[*clerkauth.Error](err)
		if !ok || refusal.Reason == "spoiled" {
			t.Fatalf("got %v, want an *Error that no other caller has changed", err)
		}
		refusal.Reason, refusal.Check = "spoiled", clerkauth.Role("org:admin")
	}
	down := harness.NewApp(t)
	down.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
			clerkauth.DefaultErrorHandler(w, r, err)
			spoil(t, err)
		}
	})
	expired := a.Clerk.Token(clerktest.Claims{ExpiresAt: harness.Noon.Add(-1e12)})
	for range 2 {
		for _, carry := range []harness.Edit{harness.Headers(), harness.WithBearer("x"), harness.WithBearer(expired), a.WithCookies(expired), harness.With("Authorization", "Bearer a", "Bearer b")} {
			spoil(t, a.AuthenticateRequest(harness.Request("GET", "/", carry)).Err)
			harness.Serve(a.Require(harness.Greet), harness.Request("GET", "/", carry))
		}
		for _, token := range []string{"", "x", expired, a.Clerk.Forge(clerktest.Claims{})} {
			_, err := a.VerifyToken(t.Context(), token)
			spoil(t, err)
		}
		harness.Serve(a.Authorize(clerkauth.Role("org:nobody"))(harness.Greet), harness.Request("GET", "/", a.SignedIn()))
		spoil(t, down.Ready(t.Context()))
		state, _ := clerkauth.StateFromContext(clerkauth.NewContext(t.Context(), nil))
		spoil(t, state.Err)
	}
}
