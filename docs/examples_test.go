package docs_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// Everything that a program calls has its own Example, shown on pkg.go.dev.
func TestEveryFunctionHasAnExample(t *testing.T) {
	for _, dir := range []string{"", "clerktest"} {
		p := documented(t, dir)
		for _, f := range p.Funcs {
			needExample(t, dir, f, "")
		}
		for _, typ := range p.Types {
			for _, f := range typ.Funcs {
				needExample(t, dir, f, "")
			}
			for _, m := range typ.Methods {
				needExample(t, dir, m, typ.Name+".")
			}
		}
	}
}

// called are methods that other packages call: fmt, log/slog, encoders and errors.
var called = map[string]bool{
	"Format": true, "LogValue": true, "MarshalText": true, "Error.Error": true, "Error.Unwrap": true, "Reason.Error": true,
	"Status.String": true, "RequestState.String": true,
}

func needExample(t *testing.T, dir string, f *doc.Func, of string) {
	t.Helper()
	if !called[f.Name] && !called[of+f.Name] && len(f.Examples) == 0 {
		t.Errorf("%s%s%s has no Example", strings.TrimPrefix(dir+".", "."), of, f.Name)
	}
}

func documented(t *testing.T, dir string) *doc.Package {
	t.Helper()
	set := token.NewFileSet()
	sources, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	for _, source := range sources {
		if strings.HasSuffix(source, "_internal_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, source, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, file)
	}
	p, err := doc.NewFromFiles(set, parsed, "github.com/clerkauth/clerkauth/"+dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Types) == 0 {
		t.Fatalf("%q has no types", dir)
	}
	return p
}

// The comment of every field of Config has its default, an example, and what happens when it is wrong.
func TestEveryFieldIsExplained(t *testing.T) {
	fields := 0
	for _, typ := range documented(t, "").Types {
		if typ.Name != "Config" {
			continue
		}
		for _, f := range typ.Decl.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType).Fields.List {
			if !f.Names[0].IsExported() {
				continue
			}
			fields++
			for _, part := range []string{"Default: ", "Example: ", "When wrong: "} {
				if strings.Count(f.Doc.Text(), "\n"+part) != 1 {
					t.Errorf("Config.%s has no line %q", f.Names[0], part)
				}
			}
		}
	}
	if fields < 20 {
		t.Errorf("%d fields were found, want all", fields)
	}
}
