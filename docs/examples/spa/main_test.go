package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestPagesMayCallTheAPI(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Origins: []string{page}})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, method, origin, token string
		status                      int
		readable                    bool
	}{
		{"preflight", http.MethodOptions, page, "", http.StatusNoContent, true},
		{"signed in", http.MethodGet, page, clerk.Token(clerktest.Claims{}), http.StatusOK, true},
		{"signed out", http.MethodGet, page, "", http.StatusUnauthorized, true},
		{"a token of the API's own origin", http.MethodGet, page, clerk.Token(clerktest.Claims{AuthorizedParty: "https://api.example.com"}), http.StatusUnauthorized, true},
		{"another site", http.MethodGet, "https://evil.test", clerk.Token(clerktest.Claims{}), http.StatusOK, false},
	} {
		r := httptest.NewRequest(tc.method, "https://api.example.com/me", http.NoBody)
		r.Header.Set("Origin", tc.origin)
		if tc.method == http.MethodOptions {
			r.Header.Set("Access-Control-Request-Method", "GET")
			r.Header.Set("Access-Control-Request-Headers", "authorization")
		}
		if tc.token != "" {
			r.Header.Set("Authorization", "Bearer "+tc.token)
		}
		w := httptest.NewRecorder()
		api(auth).ServeHTTP(w, r)
		if readable := w.Header().Get("Access-Control-Allow-Origin") == page; w.Code != tc.status || readable != tc.readable {
			t.Errorf("%s: %d, readable %t; want %d, %t", tc.name, w.Code, readable, tc.status, tc.readable)
		}
	}
}
