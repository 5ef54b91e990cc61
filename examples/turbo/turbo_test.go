package turbo_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/turbo"
)

func TestWhatTurboMakesAPageLoadOf(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	cfg := clerk.Config()
	cfg.SignInURL, cfg.ErrorHandler = clerk.URL(clerktest.SignInPage), turbo.ErrorHandler
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	app := turbo.Routes(auth)
	const html, text, reload = "text/html; charset=utf-8", "text/plain; charset=utf-8", `<meta name="turbo-visit-control" content="reload">`
	id := http.Header{"X-Turbo-Request-Id": {"1"}, "Accept": {"text/html, application/xhtml+xml"}}
	with := func(h http.Header, name, value string) http.Header {
		h = h.Clone()
		h.Add(name, value)
		return h
	}
	token := "Bearer " + clerk.Token(clerktest.Claims{Subject: "user_ada"})
	tests := []struct {
		name, method string
		header       http.Header
		status       int
		contentType  string
		body         string
	}{
		{"a visit", http.MethodGet, id, http.StatusUnauthorized, text, ""},
		{"a frame", http.MethodGet, with(id, "Turbo-Frame", "frame"), http.StatusUnauthorized, html, reload},
		{"a frame of an older Turbo", http.MethodGet, http.Header{"Turbo-Frame": {"frame"}}, http.StatusUnauthorized, html, reload},
		{"a form", http.MethodPost, id, http.StatusUnauthorized, html, reload},
		{"a form in a frame", http.MethodPost, with(id, "Turbo-Frame", "frame"), http.StatusUnauthorized, html, reload},
		{"a page", http.MethodGet, http.Header{"Accept": {"text/html"}}, http.StatusFound, "", ""},
		{"a script", http.MethodGet, http.Header{}, http.StatusUnauthorized, "application/json; charset=utf-8", "Nobody is signed in."},
		{"two tokens", http.MethodGet, with(with(id, "Authorization", token), "Authorization", token), http.StatusBadRequest, html, "More than one"},
		{"a frame of somebody", http.MethodGet, with(with(id, "Turbo-Frame", "frame"), "Authorization", token), http.StatusOK, html, "user_ada"},
		{"a form of somebody", http.MethodPost, with(id, "Authorization", token), http.StatusSeeOther, "", ""},
	}
	for _, tt := range tests {
		r := httptest.NewRequestWithContext(t.Context(), tt.method, "/me", http.NoBody)
		maps.Copy(r.Header, tt.header)
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code != tt.status || w.Header().Get("Content-Type") != tt.contentType || !strings.Contains(w.Body.String(), tt.body) {
			t.Errorf("%s: %d, %s, %q, want %d, %s, %q", tt.name, w.Code, w.Header().Get("Content-Type"), w.Body, tt.status, tt.contentType, tt.body)
		}
		if w.Code == http.StatusUnauthorized && (w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("WWW-Authenticate") == "") {
			t.Errorf("%s: %v", tt.name, w.Header())
		}
	}
}
