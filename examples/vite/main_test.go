package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestRoutes(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{"http://localhost:5173"}})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	dist := t.TempDir()
	if err := os.WriteFile(filepath.Join(dist, "index.html"), []byte("the page"), 0o600); err != nil {
		t.Fatal(err)
	}
	app := routes(auth, dist)
	for _, tt := range []struct {
		name, path string
		token      string // in cookies
		status     int
		want       string
	}{
		{"the page of nobody", "/", "", http.StatusOK, "the page"},
		{"the API of nobody", "/api/me", "", http.StatusUnauthorized, "dev-browser-missing"},
		{"the API", "/api/me", clerk.Token(clerktest.Claims{Subject: "user_ada"}), http.StatusOK, `{"user":"user_ada"}`},
		{"a forged token", "/api/me", clerk.Forge(clerktest.Claims{}), http.StatusUnauthorized, ""},
		{"a token for another origin", "/api/me", clerk.Token(clerktest.Claims{AuthorizedParty: "http://localhost:3000"}), http.StatusUnauthorized, ""},
		{"what the API does not have", "/api/other", "", http.StatusNotFound, ""},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, tt.path, http.NoBody)
		r.Host = "localhost:5173"
		r.Header.Set("Sec-Fetch-Dest", "empty")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		if tt.token != "" {
			for _, c := range clerk.Cookies(tt.token) {
				r.AddCookie(c)
			}
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: got %d with %q, want %d with %q", tt.name, w.Code, w.Body, tt.status, tt.want)
		}
	}
}
