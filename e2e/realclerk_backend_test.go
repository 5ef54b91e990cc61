package e2e_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
)

// TestRealBackendFindsPeopleAndEndsSessions asks the Backend API by the clients of @clerk/backend.
func TestRealBackendFindsPeopleAndEndsSessions(t *testing.T) {
	t.Parallel()
	s := newSides(t, false)
	type found struct {
		Users, Ended, Organizations []string
		Total                       int
		Ticket, Testing             string
	}
	ask := func(email string) (f found) {
		t.Helper()
		got := s.ask(t, s.express, visit{http.MethodGet, "/backend/" + email, http.Header{}})
		if err := json.Unmarshal(got.body, &f); err != nil || got.status != http.StatusOK {
			t.Fatalf("%d %s", got.status, got.body)
		}
		return f
	}
	s.clerk.SignIn(nil, dora)
	got := ask("dora+clerk_test@example.com")
	if !slices.Equal(got.Users, []string{"user_dora"}) || got.Total != 1 || !slices.Equal(got.Ended, []string{"revoked"}) ||
		!slices.Equal(got.Organizations, []string{"acme", "zeta"}) || got.Ticket == "" || got.Testing == "" {
		t.Errorf("@clerk/backend finds %+v", got)
	}
	if len(s.clerk.BrowserSessions()) != 0 {
		t.Error("the session goes on")
	}
	if got := ask("nobody@example.com"); len(got.Users) != 0 || got.Total != 0 {
		t.Errorf("@clerk/backend finds %+v", got)
	}
}
