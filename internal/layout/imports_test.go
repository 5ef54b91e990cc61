package layout_test

import (
	"context"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// order is from the bottom up: a package imports only packages above it in this list.
var order = []string{
	"internal/jose",
	"internal/reasons",
	"internal/origin",
	"internal/publishable",
	"internal/tokencache",
	"internal/livesessions",
	"internal/orgpath",
	"internal/proxypath",
	"internal/redact",
	"internal/warnings",
	"internal/transport",
	"internal/private",
	"internal/limits",
	"internal/jwks",
	"internal/sessiontoken",
	"internal/machine",
	"internal/backendapi",
	"internal/fapiproxy",
	"internal/inbound",
	"internal/decision",
	root,
	"internal/offline",
	"clerktest",
}

// forTests are imported only by tests. They import only the exported API, and one another.
var forTests = []string{"docs", "internal/harness", "internal/layout", "internal/soak", "internal/threats", "internal/vectors"}

// programs are below these directories. They import the exported API, and the packages named here.
var programs = map[string][]string{
	"cmd/":              nil,
	"cmd/clerk-offline": {"internal/offline"},
	"docs/":             nil,
	"examples/":         nil,
	"docs":              nil, // and what draws their pictures
	"bench/":            {"internal/livesessions"},
}

// importers are all packages that may import those that send the secret key.
var importers = map[string][]string{
	"internal/backendapi": {"internal/decision", root},
	"internal/machine":    {root},
	"internal/fapiproxy":  {root},
}

// program returns what a program may import besides the exported API; ok is false if name is not a program.
func program(name string) (more []string, ok bool) {
	for prefix, allowed := range programs {
		if strings.HasPrefix(name, prefix) {
			more, ok = append(more, allowed...), true
		}
	}
	return more, ok
}

func TestPackagesImportInOneDirection(t *testing.T) {
	found := packages(t)
	for i, name := range order {
		p, ok := found[name]
		if !ok {
			t.Errorf("there is no package %s", name)
		}
		for _, imported := range locals(p.Imports) {
			if !slices.Contains(order[:i], imported) {
				t.Errorf("%s imports %s, which does not stand above it", name, imported)
			}
		}
	}
	for name := range found {
		if _, ok := program(name); !ok && !slices.Contains(order, name) && !slices.Contains(forTests, name) {
			t.Errorf("%s has no place in the order", name)
		}
	}
}

// CONTRIBUTING.md shows the same order: a line has the names of packages, the first with its folder, and their purpose.
func TestContributingShowsTheOrder(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(folder, "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## Where things are\n")
	var shown []string
	for line := range strings.Lines(section) {
		line, ok := strings.CutPrefix(line, "    ")
		if !ok && shown != nil {
			break
		}
		names, _, _ := strings.Cut(line, "  ")
		for i, name := range strings.Fields(names) {
			if !ok || name == "cmd" || name == "examples" {
				continue
			}
			if below := "internal/" + name; i > 0 && slices.Contains(order, below) {
				name = below
			}
			shown = append(shown, name)
		}
	}
	found := packages(t)
	want := slices.DeleteFunc(slices.Clone(order), func(name string) bool {
		_, ok := found[name]
		return !ok
	})
	if !slices.Equal(shown, want) {
		t.Errorf("it shows %q, want %q", shown, want)
	}
}

// The checks here read all files of a package, for every platform.
func TestNoFileIsLeftOut(t *testing.T) {
	for file := range elsewhere(t) {
		if !inModule(path.Dir(file)) && !strings.HasPrefix(file, ".ci/") { // which is run as files
			t.Errorf("%s is in no package, on this platform", file)
		}
	}
	for name, p := range packages(t) {
		var left []string
		for _, file := range slices.Concat(p.CgoFiles, p.IgnoredGoFiles) {
			if !strings.HasSuffix(file, "_test.go") {
				left = append(left, file)
			}
		}
		if len(left) > 0 {
			t.Errorf("%s: %q are built only on some platforms, or with cgo, so that they are not checked", name, left)
		}
	}
}

func TestOnlyTestsImportWhatIsForTests(t *testing.T) {
	exported := []string{root, "clerktest"}
	for name, p := range packages(t) {
		for _, imported := range locals(p.Imports) {
			if slices.Contains(forTests, imported) {
				t.Errorf("%s imports %s, which is for tests", name, imported)
			}
		}
		if !slices.Contains(forTests, name) {
			continue
		}
		for _, imported := range locals(p.Imports, p.TestImports, p.XTestImports) {
			if !slices.Contains(exported, imported) && !slices.Contains(forTests, imported) {
				t.Errorf("%s imports %s, which its users do not see", name, imported)
			}
		}
	}
}

func TestProgramsUseTheExportedAPI(t *testing.T) {
	for name, p := range packages(t) {
		if more, ok := program(name); ok {
			usesExportedAPI(t, name, more, locals(p.Imports, p.TestImports, p.XTestImports))
		}
	}
	for file, imports := range elsewhere(t) {
		more, _ := program(file)
		usesExportedAPI(t, file, more, locals(imports))
	}
}

func usesExportedAPI(t *testing.T, name string, more, imports []string) {
	t.Helper()
	for _, imported := range imports {
		if internal := strings.HasPrefix(imported, "internal/"); internal && !slices.Contains(more, imported) {
			t.Errorf("%s imports %s, want no internal package but %q", name, imported, more)
		}
	}
}

// elsewhere are the imports of each file that is in no package of this module: those of the modules below it, whether or not what they require is downloaded.
func elsewhere(t *testing.T) map[string][]string {
	t.Helper()
	here := packages(t)
	all, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	imports := map[string][]string{}
	for _, name := range all {
		if _, ok := here[path.Dir(name)]; ok {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(folder, filepath.FromSlash(name)), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		imports[name] = []string{}
		for _, spec := range file.Imports {
			importPath, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			imports[name] = append(imports[name], importPath)
		}
	}
	if len(imports) == 0 {
		t.Error("there are no other modules")
	}
	return imports
}

// inModule reports whether a folder below the root is in a module of its own.
func inModule(dir string) bool {
	for ; dir != root; dir = path.Dir(dir) {
		if _, err := os.Stat(filepath.Join(folder, filepath.FromSlash(dir), "go.mod")); err == nil {
			return true
		}
	}
	return false
}

func TestFewSeeTheSecretKey(t *testing.T) {
	for name, p := range packages(t) {
		for _, imported := range locals(p.Imports) {
			if allowed, ok := importers[imported]; ok && !slices.Contains(allowed, name) {
				t.Errorf("%s imports %s, which sends the secret key", name, imported)
			}
		}
	}
}

// Every user downloads what the module requires.
func TestTheModuleRequiresLittle(t *testing.T) {
	want := []string{"github.com/MicahParks/jwkset", "github.com/MicahParks/keyfunc/v3", "github.com/golang-jwt/jwt/v5"}
	out, err := output(exec.CommandContext(context.Background(), "go", "mod", "edit", "-json"))
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Replace, Exclude []any
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range mod.Require {
		if !r.Indirect {
			got = append(got, r.Path)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || len(mod.Replace) > 0 || len(mod.Exclude) > 0 {
		t.Errorf("go.mod requires %q, replaces %v and excludes %v; want %q alone", got, mod.Replace, mod.Exclude, want)
	}
}
