package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const (
	app  = "https://app.example.com"
	evil = "https://evil.example.com"
)

func TestAPI(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Origins: []string{app}})
	api, err := handler(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	token := "Bearer " + clerk.Token(clerktest.Claims{Subject: "user_ada", FirstFactorAt: time.Now().Add(-time.Hour)})
	for _, tt := range []struct {
		name, method, origin, authorization string
		preflight                           string // the method that is asked for
		cookies                             bool
		status                              int
		allowed                             bool // the page may read the answer
		want                                string
	}{
		{"a preflight request of the app", http.MethodOptions, app, "", "GET", false, http.StatusNoContent, true, ""},
		{"a preflight request of another origin", http.MethodOptions, evil, "", "GET", false, http.StatusNoContent, false, ""},
		{"a preflight request for another method", http.MethodOptions, app, "", "PUT", false, http.StatusNoContent, false, ""},
		{"the app", http.MethodGet, app, token, "", false, http.StatusOK, true, `{"user":"user_ada"}`},
		{"the app, signed out", http.MethodGet, app, "", "", false, http.StatusUnauthorized, true, "session-token-and-uat-missing"},
		{"the app, with a forged token", http.MethodGet, app, "Bearer " + clerk.Forge(clerktest.Claims{}), "", false, http.StatusUnauthorized, true, "token-invalid-signature"},
		{"the app, with cookies alone", http.MethodGet, app, "", "", true, http.StatusUnauthorized, true, "session-token-and-uat-missing"},
		{"the app, where a check does not pass", http.MethodDelete, app, token, "", false, http.StatusForbidden, true, "reverification-error"},
		{"another origin", http.MethodGet, evil, "", "", true, http.StatusUnauthorized, false, ""},
		{"another origin, with a token for it", http.MethodGet, evil, "Bearer " + clerk.Token(clerktest.Claims{AuthorizedParty: evil}), "", false, http.StatusUnauthorized, false, "token-invalid-authorized-parties"},
		{"no browser", http.MethodGet, "", token, "", false, http.StatusOK, false, `{"user":"user_ada"}`},
	} {
		r := httptest.NewRequestWithContext(t.Context(), tt.method, "https://api.example.com/me", http.NoBody)
		for name, value := range map[string]string{"Origin": tt.origin, "Authorization": tt.authorization, "Access-Control-Request-Method": tt.preflight} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if tt.preflight != "" {
			r.Header.Set("Access-Control-Request-Headers", "authorization")
		}
		if tt.cookies {
			for _, c := range clerk.Cookies(strings.TrimPrefix(token, "Bearer ")) {
				r.AddCookie(c)
			}
		}
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: got %d with %q, want %d with %q", tt.name, w.Code, w.Body, tt.status, tt.want)
		}
		wantOrigin := ""
		if tt.allowed {
			wantOrigin = app
		}
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != wantOrigin {
			t.Errorf("%s: Access-Control-Allow-Origin %q, want %q", tt.name, got, wantOrigin)
		}
		if got := w.Header().Get("Access-Control-Allow-Credentials"); got != "" {
			t.Errorf("%s: got Access-Control-Allow-Credentials %q, want none", tt.name, got)
		}
		if tt.allowed && tt.status >= http.StatusBadRequest && w.Header().Get("Access-Control-Expose-Headers") != "X-Clerk-Auth-Reason" {
			t.Errorf("%s: the page cannot read why", tt.name)
		}
	}
}

// For every spelling of an origin that New accepts, the page at that origin can read responses, and its tokens are
// accepted.
func TestSpellingsOfAnOrigin(t *testing.T) {
	for entry, sent := range map[string]string{
		app:                           app,
		app + "/":                     app,
		app + ":443":                  app,
		app + ":443/":                 app,
		app + ":0443":                 app,
		"HTTPS://App.Example.com":     app,
		"http://localhost:80":         "http://localhost",
		"http://localhost:5173/":      "http://localhost:5173",
		"http://LOCALHOST:05173":      "http://localhost:5173",
		"https://app.example.com:80":  "https://app.example.com:80",
		"http://localhost:443":        "http://localhost:443",
		"https://app.example.com.":    "https://app.example.com.",
		"http://127.0.0.1:5173":       "http://127.0.0.1:5173",
		"http://[0:0:0:0:0:0:0:1]:80": "http://[::1]",
		"http://[::1]:5173":           "http://[::1]:5173",
		"https://[2001:DB8::1]":       "https://[2001:db8::1]",
		"chrome-extension://abcdef/":  "chrome-extension://abcdef",
		"Chrome-Extension://abcdef":   "chrome-extension://abcdef",
		"moz-extension://AbcDef":      "moz-extension://AbcDef",
	} {
		if got := normal(entry); got != sent {
			t.Errorf("%s is %s, want %s", entry, got, sent)
		}
		clerk := clerktest.New(t, clerktest.Options{Origins: []string{sent}})
		cfg := clerk.Config()
		cfg.AuthorizedParties = []string{entry}
		if _, err := clerkauth.New(cfg); err != nil {
			t.Errorf("%s: no spelling that New reads: %v", entry, err)
			continue
		}
		api, err := handler(cfg)
		if err != nil {
			t.Errorf("%s: %v", entry, err)
			continue
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example.com/me", http.NoBody)
		r.Header.Set("Origin", sent)
		r.Header.Set("Authorization", "Bearer "+clerk.Token(clerktest.Claims{AuthorizedParty: sent}))
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); w.Code != http.StatusOK || got != sent {
			t.Errorf("%s: %d, readable by %q, want %q", entry, w.Code, got, sent)
		}
	}
}

// Entries that New refuses are refused in every spelling.
func TestWhatIsNoOrigin(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	for _, entry := range []string{
		"", "null", "app.example.com", "https://", "https:///", "https://app.example.com/path", "https://app.example.com//", "https://me@app.example.com", "https://app.example.com?a",
		"https://app.example.com:0", "https://app.example.com:65536", "https://app.example.com:x", "https://[::1", "https://app example.com", "https:app.example.com", "wss://app.example.com",
	} {
		cfg := clerk.Config()
		cfg.AuthorizedParties = []string{entry}
		if _, err := handler(cfg); err == nil {
			t.Errorf("%q: got no error, want one", entry)
		}
	}
}

func TestOriginsHaveToBeNamed(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	for _, origins := range [][]string{nil, {"https://*.example.com"}, {app, "https://*.preview.example.com"}} {
		cfg := clerk.Config()
		cfg.AuthorizedParties, cfg.InsecureAllowAnyParty = origins, len(origins) == 0
		if _, err := handler(cfg); err == nil {
			t.Errorf("%q: got no error, want one", origins)
		}
	}
	cfg := clerk.Config()
	cfg.PublishableKey = "pk_live_none"
	if _, err := handler(cfg); err == nil {
		t.Error("a publishable key that New refuses: got no error, want one")
	}
}
