package clerkauth_test

import (
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A decision that a bearer token signs in reads no cookies: where a handler changes them, it is still the same one.
func TestBearerDecisionReadsNoCookies(t *testing.T) {
	a := harness.NewApp(t)
	h := a.Optional(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Cookie", "__session=x; __client_uat=1")
		a.Require(harness.Greet).ServeHTTP(w, r)
	}))
	w := harness.Serve(h, harness.Request("GET", "/", harness.Document, harness.WithBearer(a.Clerk.Token(clerktest.Claims{}))))
	if n := len(a.Events()); n != 1 || w.Body.String() != harness.Welcome {
		t.Errorf("got %d %q after %d decisions, want %q after one", w.Code, w.Body, n, harness.Welcome)
	}
}
