// Package migrate_test checks docs/from-clerk-sdk-go.md.
package migrate_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The page names everything that the http and jwt packages of clerk-sdk-go export, in the version of go.mod.
func TestEveryNameOfTheSDKIsOnThePage(t *testing.T) {
	page, err := os.ReadFile("../../from-clerk-sdk-go.md")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/clerk/clerk-sdk-go/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"http", "jwt"} {
		names := exportedNames(t, filepath.Join(strings.TrimSpace(string(dir)), sub))
		if len(names) < 5 {
			t.Errorf("%s: %d names were found, want all of them", sub, len(names))
		}
		for _, name := range names {
			if !strings.Contains(string(page), "`"+sub+"."+name+"`") {
				t.Errorf("the page says nothing of `%s.%s`", sub, name)
			}
		}
	}
}

// exportedNames are the exported functions and types of a package, and the exported fields of its types.
func exportedNames(t *testing.T, dir string) []string {
	t.Helper()
	set := token.NewFileSet()
	sources, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, filepath.Join(dir, source), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	p, err := doc.NewFromFiles(set, files, "x")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range p.Funcs {
		names = append(names, f.Name)
	}
	for _, typ := range p.Types {
		names = append(names, typ.Name)
		for _, f := range typ.Funcs {
			names = append(names, f.Name)
		}
		for _, m := range typ.Methods {
			names = append(names, typ.Name+"."+m.Name)
		}
	}
	return names
}
