package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestAfter(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Origins: []string{"https://app.example.com"}})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	claims := clerktest.Claims{
		Subject: "user_ada", SessionID: "sess_1", Organization: clerkauth.Organization{ID: "org_acme", Role: "org:member"},
		Extra: map[string]any{"tier": "gold"},
	}
	token := clerk.Token(claims)
	for _, tc := range []struct {
		method, path, token string
		status              int
		body                string
	}{
		{http.MethodGet, "/me", token, http.StatusOK, "user_ada sess_1 org_acme gold"},
		{http.MethodGet, "/me", "", http.StatusUnauthorized, "session-token-and-uat-missing"},
		{http.MethodPost, "/invoices", token, http.StatusForbidden, "session-check-failed"},
	} {
		r := httptest.NewRequest(tc.method, tc.path, http.NoBody)
		if tc.token != "" {
			r.Header.Set("Authorization", "Bearer "+tc.token)
		}
		w := httptest.NewRecorder()
		routes(auth).ServeHTTP(w, r)
		if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.body) {
			t.Errorf("%s %s: got %d %s, want %d %s", tc.method, tc.path, w.Code, w.Body, tc.status, tc.body)
		}
	}
	if who, err := user(t.Context(), auth, token); err != nil || who != "user_ada" {
		t.Errorf("user: got %q, %v, want user_ada", who, err)
	}
}
