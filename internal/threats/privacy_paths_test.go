package threats_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// ask verifies tokens and credentials without a request, and checks whether the keys are there.
func (m *marked) ask() {
	for what, r := range m.visits {
		m.send(r)
		credential, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			continue
		}
		_, err := m.VerifyToken(r.Context(), credential) // a session is the application's to print, and so is a machine
		m.show(what, err)
		_, err = m.VerifyMachine(r.Context(), credential, clerkauth.APIKeys(), clerkauth.M2MTokens(), clerkauth.OAuthTokens())
		m.show(what, err)
		_, err = m.VerifyMachine(r.Context(), credential, clerkauth.APIKeys("x"))
		m.show(what, err)
	}
	m.show("ready", m.Ready(m.tb.Context()))
}

// Whatever fails, and however, no person is named and no secret is shown.
func TestNobodyIsNamed(t *testing.T) {
	harness.Long(t)
	var fallback harness.Log
	before := slog.Default()
	slog.SetDefault(fallback.Logger())
	defer slog.SetDefault(before)
	reasons := map[any]bool{}
	for _, development := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m := newMarked(t, development)
			m.failEveryWay()
			m.search()
			m.seen.Range(func(reason, _ any) bool {
				reasons[reason] = true
				return true
			})
		})
	}
	if text := fallback.String(); text != "" {
		t.Errorf("the default logger was used beside Config.Logger: got %s, want none", text)
	}
	if len(reasons) < 20 {
		t.Errorf("only %d reasons were seen, want 20 at least: %v", len(reasons), reasons)
	}
}

// failEveryWay calls ask while the Backend API fails in every way, and while the keys do too.
func (m *marked) failEveryWay() {
	for name, fault := range map[string]clerktest.Fault{
		"nothing": nil, "down": clerktest.Down, "garbage": clerktest.Garbage, "refused": clerktest.Status(http.StatusUnauthorized, nil), "failing": clerktest.Status(http.StatusInternalServerError, nil),
		"echoed as refused": echo(http.StatusUnauthorized), "echoed as wrong": echo(http.StatusUnprocessableEntity), "echoed as good": echo(http.StatusOK), "redirected": clerktest.Redirect("https://evil.test/" + markName),
	} {
		_, _ = fmt.Fprintln(&m.shown, "the Backend API:", name)
		for _, endpoint := range []clerktest.Endpoint{
			clerktest.BackendHandshake, clerktest.BackendRefresh, clerktest.BackendVerifyAPIKey, clerktest.BackendVerifyM2M, clerktest.BackendVerifyOAuth,
		} {
			m.Clerk.Fault(endpoint, fault)
		}
		if name == "down" || name == "garbage" {
			m.Clerk.Fault(clerktest.FrontendSessionTokens, fault) // what FrontendAPIProxy requests
		}
		for _, keys := range []clerktest.Fault{nil, fault} {
			m.Clerk.Fault(clerktest.BackendJWKS, keys)
			m.restart(m.Clerk)
			m.ask()
		}
	}
	_, _ = fmt.Fprintln(&m.shown, "the transport tells what it was given")
	m.tells = true
	m.restart(m.Clerk)
	m.ask()
}

// The search would find nothing if a mark were not sent: each is in a request, in a session or in
// the configuration.
func TestMarksAreSent(t *testing.T) {
	m := newMarked(t, false)
	var sent strings.Builder
	for _, r := range m.visits {
		_, _ = fmt.Fprintln(&sent, r.URL, r.Header)
	}
	s := m.AuthenticateRequest(m.visits["signed in"]).Session
	var claims struct{ Email string }
	if err := s.Claims(&claims); err != nil {
		t.Fatal(err)
	}
	_, _ = fmt.Fprintln(&sent, s.UserID, s.ID, s.Organization.ID, claims.Email, m.Clerk.SecretKey(), markKey, markState)
	for _, mark := range m.marks {
		if _, ok := harness.Leaks(sent.String(), []string{mark}); !ok {
			t.Errorf("the mark %q is sent nowhere", mark)
		}
	}
}
