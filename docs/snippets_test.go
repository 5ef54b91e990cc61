package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Go on a page compiles: it is copied, line for line except for its indentation, from a file that does. HTML is from a
// program's page.
func TestGoOfThePagesCompiles(t *testing.T) {
	for _, language := range []string{"go", "html"} {
		var sources [][]string
		for _, path := range files(t, "."+language) {
			sources = append(sources, strings.Split(read(t, path), "\n"))
		}
		for _, p := range guides(t) {
			for _, b := range p.blocks {
				if b.language == language && !standsIn(sources, b.text) {
					t.Errorf("%s:%d: stands in no %s file:\n%s", p.path, b.line, language, b.text)
				}
			}
		}
	}
}

// What a page shows as JavaScript is at least that.
func TestJavaScriptOfThePagesParses(t *testing.T) {
	if testing.Short() {
		t.Skip("starts node for each block")
	}
	node, err := exec.LookPath("node")
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal("node is not installed: Debian package nodejs")
	case err != nil:
		t.Skip("node is not installed: Debian package nodejs")
	}
	for _, p := range guides(t) {
		for _, b := range p.blocks {
			if b.language != "js" {
				continue
			}
			file := filepath.Join(t.TempDir(), "block.mjs")
			if err := os.WriteFile(file, []byte(b.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.CommandContext(t.Context(), node, "--check", file).CombinedOutput(); err != nil { //nolint:gosec // it is read, not run
				t.Errorf("%s:%d: %v\n%s", p.path, b.line, err, out)
			}
		}
	}
}

func standsIn(sources [][]string, text string) bool {
	wanted := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for _, lines := range sources {
		for i := range lines {
			if startsAt(lines[i:], wanted) {
				return true
			}
		}
	}
	return false
}

// startsAt reports whether lines begin with the wanted ones, all of them behind the same tabs.
func startsAt(lines, wanted []string) bool {
	if len(lines) < len(wanted) || wanted[0] == "" {
		return false
	}
	tabs, ok := strings.CutSuffix(lines[0], wanted[0])
	if !ok || strings.Trim(tabs, "\t") != "" {
		return false
	}
	for i, line := range wanted {
		if line != "" {
			line = tabs + line
		}
		if lines[i] != line {
			return false
		}
	}
	return true
}

func TestStandsIn(t *testing.T) {
	sources := [][]string{{"package p", "", "func f() {", "\tif x {", "\t\ty()", "", "\t}", "}"}}
	for text, want := range map[string]bool{
		"if x {\n\ty()\n\n}\n":    true,
		"\ty()\n":                 true,
		"if x {\n\tz()\n\n}\n":    false,
		"if x {\ny()\n\n}\n":      false,
		"f() {\n":                 false,
		"func f() {\n\tif x {\n":  true,
		"package p\n\nfunc f() {": true,
		"package q":               false,
	} {
		if got := standsIn(sources, text); got != want {
			t.Errorf("%q: got %t, want %t", text, got, want)
		}
	}
}
