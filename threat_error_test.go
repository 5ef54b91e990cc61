package clerkauth_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// An error belongs to whoever got it: changing it changes nobody else's answer.
func TestErrorIsItsCallersOwn(t *testing.T) {
	spoil := func(t *testing.T, err error) {
		t.Helper()
		refusal, ok := errors.AsType[*clerkauth.Error](err)
		if !ok || refusal.Reason == "spoiled" {
			t.Fatalf("%v", err)
		}
		refusal.Reason, refusal.Check = "spoiled", clerkauth.Role("org:admin")
	}
	down := newApp(t)
	down.clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	a := newApp(t, func(c *clerkauth.Config) {
		c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
			clerkauth.DefaultErrorHandler(w, r, err)
			spoil(t, err)
		}
	})
	expired := a.clerk.Token(clerktest.Claims{ExpiresAt: noon.Add(-1e12)})
	for range 2 {
		for _, carry := range []edit{headers(), withBearer("x"), withBearer(expired), a.withCookies(expired), with("Authorization", "Bearer a", "Bearer b")} {
			spoil(t, a.AuthenticateRequest(asking("GET", "/", carry)).Err)
			serve(a.Require(greet), asking("GET", "/", carry))
		}
		for _, token := range []string{"", "x", expired, a.clerk.Forge(clerktest.Claims{})} {
			_, err := a.VerifyToken(t.Context(), token)
			spoil(t, err)
		}
		serve(a.Authorize(clerkauth.Role("org:nobody"))(greet), asking("GET", "/", a.signedIn()))
		spoil(t, down.Ready(t.Context()))
		state, _ := clerkauth.StateFromContext(clerkauth.NewContext(t.Context(), nil))
		spoil(t, state.Err)
	}
}
