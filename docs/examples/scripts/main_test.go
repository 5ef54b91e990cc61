package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestThePageHasTheScriptOfTheInstance(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("CLERK_PUBLISHABLE_KEY", clerk.PublishableKey())
	t.Setenv("CLERK_FRONTEND_API_URL", "https://clerk.example.com")
	t.Setenv("CLERK_PROXY_URL", "")
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	for _, c := range clerk.Cookies(clerk.Token(clerktest.Claims{Subject: "user_ada"})) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	auth.Optional(http.HandlerFunc(home)).ServeHTTP(w, r)
	for _, want := range []string{
		`src="https://clerk.example.com/npm/@clerk/clerk-js@6/dist/clerk.browser.js"`, `data-clerk-publishable-key="` + clerk.PublishableKey() + `"`,
		"This server says: user_ada is signed in.",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page has no %s:\n%s", want, w.Body)
		}
	}
}
