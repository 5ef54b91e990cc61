package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const (
	repository = "https://github.com/clerkauth/clerkauth"
	packages   = "https://pkg.go.dev/github.com/clerkauth/clerkauth"
)

var (
	link = regexp.MustCompile(`(?:\]\(|(?:href|src|srcset)=")([^)"\s]+)[)"]`)
	bare = regexp.MustCompile(`<(https?://[^>\s]+)>`)
	code = regexp.MustCompile("`[^`]*`")
)

// Links work. Those into this repository, including its pages on GitHub and on pkg.go.dev, are followed with their anchors.
// For others only the form is checked, without the internet.
func TestLinksLeadSomewhere(t *testing.T) {
	pages := map[string]page{}
	for _, file := range files(t, ".md") {
		pages[file] = readPage(t, file)
	}
	followed := 0
	for _, p := range pages {
		for i, line := range p.prose {
			for _, target := range targets(line) {
				followed++
				if problem := follow(t, pages, p.path, target); problem != "" {
					t.Errorf("%s:%d: %s %s", p.path, i+1, target, problem)
				}
			}
		}
	}
	if followed < 50 {
		t.Errorf("%d links were found, want more", followed)
	}
}

func targets(line string) []string {
	line = code.ReplaceAllStringFunc(line, func(span string) string {
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune("()<>\"", r) {
				return '_'
			}
			return r
		}, span)
	})
	var found []string
	for _, m := range append(link.FindAllStringSubmatch(line, -1), bare.FindAllStringSubmatch(line, -1)...) {
		found = append(found, m[1])
	}
	return found
}

// follow says what is wrong with a link.
func follow(t *testing.T, pages map[string]page, from, target string) string {
	t.Helper()
	address, fragment, _ := strings.Cut(target, "#")
	switch {
	case strings.HasPrefix(target, packages):
		return followPackage(t, strings.TrimPrefix(address, packages), fragment)
	case strings.HasPrefix(target, repository+"/blob/main/"):
		address = strings.TrimPrefix(address, repository+"/blob/main/")
	case strings.HasPrefix(target, "http://localhost"), strings.HasPrefix(target, "http://127.0.0.1"):
		return ""
	case strings.HasPrefix(target, "https://"):
		return ""
	case strings.Contains(target, ":"):
		return "is neither https nor relative"
	case address == "":
		address = from
	default:
		address = path.Join(path.Dir(from), address)
	}
	if strings.HasPrefix(address, "..") {
		return "leaves the repository"
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(address))); err != nil {
		return "is not there"
	}
	if fragment == "" {
		return ""
	}
	if p, ok := pages[address]; !ok || !p.anchors[fragment] {
		return "has no such heading"
	}
	return ""
}

// followPackage looks an exported name up, as in #Config or #Authenticator.Require.
func followPackage(t *testing.T, dir, name string) string {
	t.Helper()
	dir, _, _ = strings.Cut(strings.Trim(dir, "/"), "@")
	names := exported(t, dir)
	if len(names) == 0 {
		return "is no package of this module"
	}
	if name != "" && !strings.HasPrefix(name, "pkg-") && !names[name] && !names[strings.TrimPrefix(name, "example-")] {
		return "is not an exported name"
	}
	return ""
}

var packageNames = map[string]map[string]bool{}

// exported are the exported names of a package, and the methods of its types as Type.Method.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	if names, ok := packageNames[dir]; ok {
		return names
	}
	names := map[string]bool{}
	sources, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			declared(d, names)
		}
	}
	packageNames[dir] = names
	return names
}

func declared(d ast.Decl, names map[string]bool) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			receiver := d.Recv.List[0].Type
			if star, ok := receiver.(*ast.StarExpr); ok {
				receiver = star.X
			}
			if id, ok := receiver.(*ast.Ident); ok {
				name = id.Name + "." + name
			}
		}
		names[name] = ast.IsExported(d.Name.Name)
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				names[spec.Name.Name] = spec.Name.IsExported()
				if s, ok := spec.Type.(*ast.StructType); ok {
					for _, f := range s.Fields.List {
						for _, n := range f.Names {
							names[spec.Name.Name+"."+n.Name] = n.IsExported()
						}
					}
				}
			case *ast.ValueSpec:
				for _, n := range spec.Names {
					names[n.Name] = n.IsExported()
				}
			}
		}
	}
}

func TestFollow(t *testing.T) {
	pages := map[string]page{"docs/real-clerk.md": {anchors: map[string]bool{"here": true}}}
	pages["README.md"] = pages["docs/real-clerk.md"]
	for target, good := range map[string]bool{
		"#here": true, "#there": false, "../README.md#here": true, "../README.md#there": false, "../LICENSE": true, "none.md": false,
		"../../x": false, "ftp://example.com": false, "http://example.com": false, "https://example.com": true,
		packages + "#Config": true, packages + "#Config.SecretKey": true, packages + "#Authenticator.Require": true,
		packages + "#policy": false, packages + "#Nothing": false, packages + "/clerktest#Instance.Token": true, packages + "/none": false,
		repository + "/blob/main/LICENSE": true, repository + "/blob/main/NONE": false,
	} {
		if problem := follow(t, pages, "docs/real-clerk.md", target); (problem == "") != good {
			t.Errorf("%s: got %q, want it to be good: %t", target, problem, good)
		}
	}
	if got := targets("a [b](c.md#d) <https://e.example> `[f](g)` <img src=\"h.png\">"); strings.Join(got, " ") != "c.md#d h.png https://e.example" {
		t.Errorf("got the targets %q, want c.md#d, h.png and https://e.example", got)
	}
}
