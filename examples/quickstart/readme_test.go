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

// What the README shows compiles: it stands, word for word, in a file that does.
func TestCodeOfTheReadmeCompiles(t *testing.T) {
	program := strings.NewReplacer("package clerkauth_test", "package main", "func Example_program()", "func main()").
		Replace(read(t, "readme_test.go"))
	compiled := []string{program}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		compiled = append(compiled, read(t, "examples", "quickstart", file))
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(read(t, "README.md"), -1)
	if len(blocks) < 2 || blocks[0][1] != program {
		t.Errorf("the first of %d blocks is not the program of readme_test.go", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(strings.Join(compiled, "\n"), block[1]) {
			t.Errorf("stands in no compiled file:\n%s", block[1])
		}
	}
}

func TestReadmeIsShort(t *testing.T) {
	if lines := strings.Count(read(t, "README.md"), "\n"); lines > 167 {
		t.Errorf("README.md has %d lines, want 167 at most", lines)
	}
}

// What the README says that a client sees is what it sees.
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
		for _, line := range shown {
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
		t.Errorf("status %d, body %s", w.Code, w.Body)
	}
}
