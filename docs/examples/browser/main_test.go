package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// A person is sent to sign in, and comes back to the page.
func TestSomebodySignsIn(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{"http://localhost:8080"}})
	cfg := clerk.Config()
	cfg.SignInURL = clerk.URL(clerktest.SignInPage)
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	browser := clerk.Browser(routes(auth))
	if body := visit(t, browser, "/"); !strings.Contains(body, "Sign in at /account") {
		t.Errorf("signed out, the home page says %q, want Sign in at /account in it", body)
	}
	if body := visit(t, browser, "/account"); !strings.Contains(body, "<form") {
		t.Errorf("signed out, the account leads to %q, want a form", body)
	}
	browser = clerk.Browser(routes(auth))
	clerk.SignIn(browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_ada"}})
	for path, want := range map[string]string{"/": "Welcome back, user_ada", "/account": "The account of user_ada"} {
		if body := visit(t, browser, path); strings.TrimSpace(body) != want {
			t.Errorf("signed in, %s says %q, want %q", path, body, want)
		}
	}
}

func visit(t *testing.T, browser *http.Client, path string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:8080"+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestInvoicesWantAPermission(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Origins: []string{"http://localhost:8080"}})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	acme := clerkauth.Organization{ID: "org_acme", Role: "org:member"}
	for want, claims := range map[int]clerktest.Claims{
		http.StatusOK:        {Organization: acme, Permissions: []string{"org:invoices:create"}},
		http.StatusForbidden: {Organization: acme},
	} {
		r := httptest.NewRequest(http.MethodPost, "/invoices", strings.NewReader(url.Values{}.Encode()))
		r.Header.Set("Authorization", "Bearer "+clerk.Token(claims))
		w := httptest.NewRecorder()
		routes(auth).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%+v: got %d %s, want %d", claims, w.Code, w.Body, want)
		}
	}
}
