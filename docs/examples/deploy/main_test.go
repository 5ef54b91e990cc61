package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}

func TestReadyAndHealthy(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	cfg := clerk.Config()
	cfg.Observe, cfg.ErrorHandler = count, logRefusal
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name, path string
		fault      clerktest.Fault
		status     int
	}{
		{"alive without keys", "/healthz", clerktest.Down, http.StatusNoContent},
		{"no keys", "/readyz", clerktest.Down, http.StatusServiceUnavailable},
	} {
		clerk.Fault(clerktest.BackendJWKS, step.fault)
		if got := status(auth, step.path, ""); got != step.status {
			t.Errorf("%s: got %d, want %d", step.name, got, step.status)
		}
	}
	clerk.Fault(clerktest.BackendJWKS, nil)
	other, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	before := decisions.String()
	if got := status(other, "/readyz", ""); got != http.StatusNoContent {
		t.Errorf("with keys: got %d, want 204", got)
	}
	if got := status(other, "/account", ""); got != http.StatusUnauthorized {
		t.Errorf("signed out: got %d, want 401", got)
	}
	if got := status(other, "/account", clerk.Token(clerktest.Claims{})); got != http.StatusOK {
		t.Errorf("signed in: got %d, want 200", got)
	}
	if decisions.Get("signed-in ") == nil || decisions.Get("signed-out session-token-and-uat-missing") == nil || decisions.String() == before {
		t.Errorf("got the counts %s, want one of signed-in, one of signed-out session-token-and-uat-missing, and others than %s", decisions, before)
	}
}

func status(auth *clerkauth.Authenticator, path, token string) int {
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	routes(auth).ServeHTTP(w, r)
	return w.Code
}
