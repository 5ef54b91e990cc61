package clerkauth_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A refusal is one Event with a Reason: the decision's, or another one for a check that fails.
func TestEveryRefusalIsObservedOnce(t *testing.T) {
	a := harness.NewApp(t)
	owner := clerkauth.Role("owner")
	member := harness.WithBearer(a.Clerk.Token(clerktest.Claims{Organization: acme}))
	for name, tt := range map[string]struct {
		h              http.Handler
		carry          harness.Edit
		decisions      int
		reason         clerkauth.Reason
		statusOfReason clerkauth.Status
	}{
		"held":                  {a.Authorize(clerkauth.Role("admin"))(harness.Greet), member, 1, "", 0},
		"check fails":           {a.Authorize(owner)(harness.Greet), member, 1, clerkauth.ReasonCheckFailed, clerkauth.StatusSignedIn},
		"inside Optional":       {a.Optional(a.Authorize(owner)(harness.Greet)), member, 1, clerkauth.ReasonCheckFailed, clerkauth.StatusSignedIn},
		"two Authorize":         {a.Authorize(owner)(a.Authorize(owner)(harness.Greet)), member, 1, clerkauth.ReasonCheckFailed, clerkauth.StatusSignedIn},
		"Accept":                {a.Accept(clerkauth.Sessions(owner), clerkauth.Sessions(owner))(harness.Greet), member, 1, clerkauth.ReasonCheckFailed, clerkauth.StatusSignedIn},
		"signed out, Authorize": {a.Authorize(owner)(harness.Greet), harness.Headers(), 1, clerkauth.ReasonSessionTokenAndUATMissing, clerkauth.StatusSignedOut},
	} {
		a.Events()
		harness.Serve(tt.h, harness.Request("GET", "/", tt.carry))
		decisions, refusals := 0, 0
		for _, e := range a.Events() {
			if e.Reason != clerkauth.ReasonCheckFailed {
				decisions++
			}
			if (e.Reason == "") != (e.Err == nil) {
				t.Errorf("%s: got reason %q and error %v, want both or neither", name, e.Reason, e.Err)
			}
			if e.Reason == "" {
				continue
			}
			refusals++
			refusal, _ := errors.AsType[*clerkauth.Error](e.Err)
			if e.Reason != tt.reason || e.Status != tt.statusOfReason || refusal == nil || refusal.Reason != tt.reason {
				t.Errorf("%s: got %+v, want %q", name, e, tt.reason)
			}
			if e.Reason == clerkauth.ReasonCheckFailed && (refusal.Check != owner || refusal.Unwrap() == nil || e.Type != clerkauth.SessionToken || e.Elapsed != 0 || e.CacheHit) {
				t.Errorf("%s: got %+v of %v, want the check and nothing of the decision", name, e, refusal.Check)
			}
		}
		if want := map[bool]int{true: 0, false: 1}[tt.reason == ""]; decisions != tt.decisions || refusals != want {
			t.Errorf("%s: got %d decisions and %d refusals, want %d and %d", name, decisions, refusals, tt.decisions, want)
		}
	}
}
