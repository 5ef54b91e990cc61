package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// newApp is the app with an instance of its own, at https://example.com.
func newApp(t *testing.T) (*clerktest.Instance, http.Handler) {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	return clerk, app(auth)
}

// get asks with a bearer token, and returns the status and the reason.
func get(h http.Handler, path, token string) (status int, reason string) {
	r := httptest.NewRequest(http.MethodGet, path, http.NoBody)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Header().Get("X-Clerk-Auth-Reason")
}

func TestWhoGetsIn(t *testing.T) {
	clerk, h := newApp(t)
	acme := clerkauth.Organization{ID: "org_acme", Role: "org:admin"}
	for _, tc := range []struct {
		name, path, token string
		status            int
		reason            string
	}{
		{"somebody", "/account", clerk.Token(clerktest.Claims{Subject: "user_ada"}), 200, ""},
		{"nobody", "/account", "", 401, "session-token-and-uat-missing"},
		{"of another origin", "/account", clerk.Token(clerktest.Claims{AuthorizedParty: "https://blog.example.com"}), 401, "token-invalid-authorized-parties"},
		{"forged", "/account", clerk.Forge(clerktest.Claims{}), 401, "token-invalid-signature"},
		{"an admin", "/admin", clerk.Token(clerktest.Claims{Organization: acme}), 200, ""},
		{"no admin", "/admin", clerk.Token(clerktest.Claims{}), 403, "session-check-failed"},
	} {
		if status, reason := get(h, tc.path, tc.token); status != tc.status || reason != tc.reason {
			t.Errorf("%s: got %d %s, want %d %s", tc.name, status, reason, tc.status, tc.reason)
		}
	}
}

func TestExpiredToken(t *testing.T) {
	clerk, h := newApp(t)
	token := clerk.Token(clerktest.Claims{ExpiresAt: time.Now().Add(-time.Minute)})
	status, reason := get(h, "/account", token)
	if status != http.StatusUnauthorized || reason != "session-token-expired-refresh-non-eligible-no-refresh-cookie" {
		t.Errorf("got %d %s, want 401 for an expired token", status, reason)
	}
}

// A page of somebody whose session has expired is sent to Clerk and back; a script is refused.
func TestExpiredSession(t *testing.T) {
	clerk, h := newApp(t)
	expired := clerk.Token(clerktest.Claims{ExpiresAt: time.Now().Add(-time.Minute)})
	for destination, want := range map[string]int{"document": http.StatusTemporaryRedirect, "empty": http.StatusUnauthorized} {
		r := httptest.NewRequest(http.MethodGet, "/account", http.NoBody)
		r.Header.Set("Sec-Fetch-Dest", destination)
		for _, c := range clerk.Cookies(expired) {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: got %d, want %d", destination, w.Code, want)
		}
	}
}

// In a synctest bubble time passes at once: five minutes later the browser is still signed in.
func TestBrowserStaysSignedIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clerk, h := newApp(t)
		browser := clerk.Browser(h)
		session := clerk.SignIn(browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_ada"}})

		time.Sleep(5 * time.Minute)
		if status, body := visit(t, browser, "/account"); status != http.StatusOK || body != "account of user_ada" {
			t.Errorf("after five minutes: got %d %s, want 200", status, body)
		}
		session.SignOut() // as if on another device
		time.Sleep(5 * time.Minute)
		if status, _ := visit(t, browser, "/account"); status != http.StatusUnauthorized {
			t.Errorf("after the session ended: got %d, want 401", status)
		}
	})
}

func visit(t *testing.T, browser *http.Client, path string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com"+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestClerkIsDown(t *testing.T) {
	clerk, h := newApp(t)
	clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	if status, reason := get(h, "/account", clerk.Token(clerktest.Claims{})); status != http.StatusServiceUnavailable {
		t.Errorf("got %d %s, want 503: nobody is signed out by an outage", status, reason)
	}
}

// The handler alone, without the middleware.
func TestAccount(t *testing.T) {
	ctx := clerkauth.NewContext(t.Context(), &clerkauth.Session{UserID: "user_ada"})
	w := httptest.NewRecorder()
	account(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/account", http.NoBody))
	if w.Body.String() != "account of user_ada" {
		t.Errorf("got %q, want account of user_ada", w.Body)
	}
}
