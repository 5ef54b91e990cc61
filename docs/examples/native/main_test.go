package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestOnlyNativeRoutesGoWithoutTheAllowlist(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	handler, err := routes(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	without := clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}})
	other := clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"})
	for _, tc := range []struct {
		path, token string
		status      int
	}{
		{"/me", clerk.Token(clerktest.Claims{}), http.StatusOK},
		{"/me", without, http.StatusUnauthorized},
		{"/native/me", without, http.StatusOK},
		{"/native/me", other, http.StatusUnauthorized},
	} {
		r := httptest.NewRequest(http.MethodGet, tc.path, http.NoBody)
		r.Header.Set("Authorization", "Bearer "+tc.token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != tc.status {
			t.Errorf("%s: got %d %s, want %d", tc.path, w.Code, w.Body, tc.status)
		}
	}
}
