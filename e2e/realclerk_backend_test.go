package e2e_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// TestRealBackendFindsPeopleAndEndsSessions calls the Backend API with the clients of @clerk/backend.
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
			t.Fatalf("got %d %s, want 200", got.status, got.body)
		}
		return f
	}
	s.clerk.SignIn(nil, dora)
	got := ask("dora+clerk_test@example.com")
	if !slices.Equal(got.Users, []string{"user_dora"}) || got.Total != 1 || !slices.Equal(got.Ended, []string{"revoked"}) ||
		!slices.Equal(got.Organizations, []string{"acme", "zeta"}) || got.Ticket == "" || got.Testing == "" {
		t.Errorf("@clerk/backend finds %+v, want the one person with acme and zeta", got)
	}
	if len(s.clerk.BrowserSessions()) != 0 {
		t.Error("the session is still active after @clerk/backend revoked it")
	}
	if got := ask("nobody@example.com"); len(got.Users) != 0 || got.Total != 0 {
		t.Errorf("@clerk/backend finds %+v, want nobody", got)
	}
}

// machineTold is what a server says about a machine that it accepts.
type machineTold struct {
	Type, ID, Subject, User, Organization, Client, Name string
	Scopes                                              []string
}

// TestRealBackendVerifiesMachines sends each kind of credential to @clerk/express and to this library.
func TestRealBackendVerifiesMachines(t *testing.T) {
	t.Parallel()
	s := newSides(t, false)
	auth, err := clerkauth.New(s.clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	ours := httptest.NewServer(auth.Accept(clerkauth.APIKeys(), clerkauth.OAuthTokens(), clerkauth.M2MTokens())(http.HandlerFunc(tellMachine)))
	t.Cleanup(ours.Close)
	who := clerktest.MachineClaims{Scopes: []string{"a", clerktest.MachineID}}
	organization := clerktest.MachineClaims{Subject: "org_acme", Scopes: who.Scopes}
	late := clerktest.MachineClaims{ExpiresAt: time.Now().Add(-time.Hour)}
	for name, tt := range map[string]struct {
		credential string
		good       bool
	}{
		"API key": {s.clerk.APIKey(who), true}, "API key of an organization": {s.clerk.APIKey(organization), true},
		"M2M token": {s.clerk.M2M(who), true}, "M2M token, JWT": {s.clerk.M2MJWT(who), true},
		"OAuth token": {s.clerk.OAuth(who), true}, "OAuth token, JWT": {s.clerk.OAuthJWT(who), true},
		"made up": {"ak_made_up", false}, "late M2M JWT": {s.clerk.M2MJWT(late), false}, "late OAuth JWT": {s.clerk.OAuthJWT(late), false},
	} {
		var said [2]machineTold
		for i, server := range []string{s.express, ours.URL} {
			got := s.ask(t, server, visit{http.MethodGet, "/machine", http.Header{"Authorization": {"Bearer " + tt.credential}}})
			if (got.status == http.StatusOK) != tt.good {
				t.Errorf("%s at %s: got %d %s, want let in %t", name, server, got.status, got.body, tt.good)
			}
			if tt.good {
				if err := json.Unmarshal(got.body, &said[i]); err != nil {
					t.Fatal(err)
				}
			}
		}
		if !reflect.DeepEqual(said[0], said[1]) || tt.good && said[1].Subject == "" {
			t.Errorf("%s: @clerk/express says %+v, this library %+v, want the same", name, said[0], said[1])
		}
	}
}

func tellMachine(w http.ResponseWriter, r *http.Request) {
	m, _ := clerkauth.MachineFromContext(r.Context())
	_ = json.NewEncoder(w).Encode(machineTold{string(m.Type), m.ID, m.Subject, m.UserID, m.OrganizationID, m.ClientID, m.Name, m.Scopes})
}
