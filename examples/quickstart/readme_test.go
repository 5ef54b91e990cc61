package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// root is where the README is.
const root = "../.."

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{root}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The README shows the real output.
func TestTranscriptOfTheReadme(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	readme := read(t, "README.md")
	for _, name := range []string{"no-token", "sibling"} {
		trial, _ := a.trial(name)
		x, err := a.try(t.Context(), trial, people[0])
		if err != nil {
			t.Fatal(err)
		}
		shown := []string{regexp.MustCompile(`localhost:[0-9]+`).ReplaceAllString(x.Body, "localhost:8080")}
		if name == "no-token" {
			for _, line := range x.Header {
				if strings.HasPrefix(line, "Www-") || strings.HasPrefix(line, "X-Clerk-") {
					shown = append(shown, line)
				}
			}
		}
		_, port, _ := strings.Cut(strings.TrimPrefix(a.base, "http://"), ":")
		for _, line := range shown {
			line = strings.ReplaceAll(line, ":"+port, ":8080")
			if !strings.Contains(readme, "\n"+line+"\n") {
				t.Errorf("%s: the README does not show %q", name, line)
			}
		}
	}
}

func TestMe(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{}) // production, of example.com
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/me", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+clerk.Token(clerktest.Claims{Subject: "user_ada"}))
	w := httptest.NewRecorder()
	auth.Require(http.HandlerFunc(me)).ServeHTTP(w, r)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "user_ada") {
		t.Errorf("got %d %s, want 200 with user_ada", w.Code, w.Body)
	}
}
