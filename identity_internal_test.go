package clerkauth

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What a decision reads of a request's header must be part of the request's identity. This finds h["Name"] and
// value(h, "Name") in the source; private.go and respond.go look at responses.
func TestIdentityHasAllThatIsRead(t *testing.T) {
	sources, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") || source == "private.go" || source == "respond.go" {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			name := ""
			switch n := n.(type) {
			case *ast.IndexExpr:
				name = literal(n.Index)
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "value" && len(n.Args) == 2 {
					name = literal(n.Args[1])
				}
			}
			if name == "" {
				return true
			}
			found[name] = true
			if name != http.CanonicalHeaderKey(name) || !slices.Contains(readHeader[:], name) {
				t.Errorf("%s reads %q, which is not in readHeader", source, name)
			}
			return true
		})
	}
	if len(found) < 9 {
		t.Errorf("found %d names only: %v", len(found), found)
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
