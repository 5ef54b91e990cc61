package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheReadmeSaysWhatTheResultsSay(t *testing.T) {
	results, err := os.ReadFile("../RESULTS.md")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join("..", readmePath))
	if err != nil {
		t.Fatal(err)
	}
	paragraphs := strings.Split(string(results), "\n\n")
	if len(paragraphs) < 3 || !strings.HasPrefix(paragraphs[2], "A script's request with") {
		t.Fatal("RESULTS.md does not begin with the sentence")
	}
	if !strings.Contains(string(readme), opening+paragraphs[2]+"\n"+closing) {
		t.Error("the README has another sentence than RESULTS.md: go run ./report writes both")
	}
}

func TestWriteReadme(t *testing.T) {
	path := filepath.Join(t.TempDir(), "README.md")
	for text, want := range map[string]string{
		"a\n" + opening + "old\n" + closing + "z\n": "a\n" + opening + "new\n" + closing + "z\n",
		"a\n" + opening + "old\n":                   "",
		"a\n" + closing:                             "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := writeReadme(path, "new")
		got, _ := os.ReadFile(path) //nolint:gosec // a temporary file
		if want == "" && err == nil || want != "" && string(got) != want {
			t.Errorf("%q becomes %q, %v, want %q", text, got, err, want)
		}
	}
}
