package clerkauth_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// At a host that is not on the list, only signed-out requests get that reason. A person who is not
// allowed to do something, and what cannot be decided, have their own reasons there.
func TestUnlistedHostHidesNoOtherReason(t *testing.T) {
	for _, tc := range []struct {
		name   string
		fault  clerktest.Fault
		status int
		reason clerkauth.Reason
	}{
		{"signed in, and may not", nil, http.StatusForbidden, clerkauth.ReasonCheckFailed},
		{"the keys are out of reach", clerktest.Down, http.StatusServiceUnavailable, clerkauth.ReasonKeysUnavailable},
	} {
		clerk := clerktest.New(t, clerktest.Options{})
		clerk.Fault(clerktest.BackendJWKS, tc.fault)
		auth, err := clerkauth.New(clerk.Config())
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "https://unlisted.test/", http.NoBody)
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Sec-Fetch-Dest", "document")
		for _, c := range clerk.Cookies(clerk.Token(clerktest.Claims{})) {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		auth.Authorize(clerkauth.Role("org:owner"))(http.NotFoundHandler()).ServeHTTP(w, r)
		if got := clerkauth.Reason(w.Header().Get("X-Clerk-Auth-Reason")); w.Code != tc.status || got != tc.reason {
			t.Errorf("%s: got %d %q, want %d %q", tc.name, w.Code, got, tc.status, tc.reason)
		}
	}
}
