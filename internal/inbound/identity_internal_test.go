package inbound

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What a decision reads of a request's header must be part of the request's identity, so that it reads Lines
// and nothing else. This finds Header["Name"], h["Name"], Header.Get and Header.Values in the source of this package and of the one
// that decides.
func TestIdentityHasAllThatIsRead(t *testing.T) {
	var sources []string
	for _, pattern := range []string{"*.go", "../decision/*.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: got %v, %d files, want at least one", pattern, err, len(found))
		}
		sources = append(sources, found...)
	}
	for _, name := range lineNames {
		if name == "" || name != http.CanonicalHeaderKey(name) {
			t.Errorf("lineNames has %q, want %q, and no empty name", name, http.CanonicalHeaderKey(name))
		}
	}
	looked := 0
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		looked++
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.IndexExpr:
				if name := literal(n.Index); name != "" {
					t.Errorf("%s reads %q beside Lines", source, name)
				}
			case *ast.SelectorExpr:
				inner, ok := n.X.(*ast.SelectorExpr)
				if !ok || inner.Sel.Name != "Header" || n.Sel.Name != "Get" && n.Sel.Name != "Values" {
					break
				}
				if of, ok := inner.X.(*ast.Ident); ok && of.Name == "r" {
					t.Errorf("%s: r.Header.%s beside Lines", source, n.Sel.Name)
				}
			}
			return true
		})
	}
	if looked < 20 {
		t.Errorf("looked at %d files, want at least 20", looked)
	}
}

// literal is the value of a string literal, or else empty.
func literal(e ast.Expr) string {
	text, ok := e.(*ast.BasicLit)
	if !ok || text.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(text.Value)
	if err != nil {
		return ""
	}
	return s
}
