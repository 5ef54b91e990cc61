package threats_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The table in SECURITY.md names tests that exist, each once, and all TestWalk… tests.
func TestSecurityNamesTheWalk(t *testing.T) {
	named, tests := securityTests(t), testsHere(t)
	if len(named) < 15 {
		t.Fatalf("the table of threats has %d lines, want 15 at least", len(named))
	}
	seen := map[string]bool{}
	for _, row := range named {
		if !slices.ContainsFunc(row, func(name string) bool { return strings.HasPrefix(name, "TestWalk") }) {
			t.Errorf("the line of %q names no TestWalk… test", row)
		}
		for _, name := range row {
			if !slices.Contains(tests, name) {
				t.Errorf("the table names %s, which does not exist", name)
			}
			if seen[name] {
				t.Errorf("the table names %s twice", name)
			}
			seen[name] = true
		}
	}
	for _, name := range tests {
		if strings.HasPrefix(name, "TestWalk") && !seen[name] {
			t.Errorf("the table does not name %s", name)
		}
	}
}

// securityTests are the tests that each line of the table names.
func securityTests(t *testing.T) [][]string {
	t.Helper()
	text, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n| threat | what stops it | test |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if !found {
		t.Fatal("SECURITY.md has no table of threats")
	}
	code := regexp.MustCompile("`([^`]+)`")
	var rows [][]string
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 3 {
			t.Fatalf("%q has %d cells, want 3", line, len(cells))
		}
		var row []string
		for _, match := range code.FindAllStringSubmatch(cells[2], -1) {
			row = append(row, match[1])
		}
		rows = append(rows, row)
	}
	return rows
}

// testsHere returns the names of the tests in this package.
func testsHere(t *testing.T) []string {
	t.Helper()
	sources, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}
