package layout_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	module = "github.com/clerkauth/clerkauth"
	root   = "." // the package clerkauth
	folder = "../.."
)

// pkg is a package, as go list describes it.
type pkg struct {
	ImportPath, Dir string
	Export          string // the file with its exports
	Module          *struct{ Path string }

	GoFiles, CgoFiles, IgnoredGoFiles  []string
	Imports, TestImports, XTestImports []string
}

// sources returns every Go file below the root of this module, those of other modules there included, by its path.
//
// It opens each directory. The go command takes a test's result from its cache unless something has changed that the test
// itself opened, so that go list alone would not be run again for a new file.
var sources = sync.OnceValues(func() ([]string, error) {
	var files []string
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules"):
			return fs.SkipDir
		case filepath.Ext(name) == ".go":
			below, err := filepath.Rel(folder, name)
			files = append(files, filepath.ToSlash(below))
			return err
		}
		return nil
	})
	return files, err
})

// list returns the packages of this module and all their dependencies.
var list = sync.OnceValues(func() ([]pkg, error) {
	if _, err := sources(); err != nil {
		return nil, err
	}
	out, err := output(exec.CommandContext(context.Background(), "go", "list", "-deps", "-export", "-json", "./..."))
	if err != nil {
		return nil, err
	}
	var all []pkg
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
})

// output runs a command in the root of the module.
func output(command *exec.Cmd) ([]byte, error) {
	command.Dir = folder
	out, err := command.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%v: %w\n%s", command.Args, err, failed.Stderr)
	}
	return out, err
}

// everything is what list returns.
func everything(t *testing.T) []pkg {
	t.Helper()
	if testing.Short() {
		t.Skip("go list takes a second")
	}
	all, err := list()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// packages are those of this module, by their paths below its root.
func packages(t *testing.T) map[string]pkg {
	t.Helper()
	found := map[string]pkg{}
	for _, p := range everything(t) {
		if name, ok := local(p.ImportPath); ok {
			found[name] = p
		}
	}
	if len(found) == 0 {
		t.Fatal("go list finds no package")
	}
	return found
}

// local returns the path of a package below the root of this module, if it belongs to it.
func local(importPath string) (string, bool) {
	if importPath == module {
		return root, true
	}
	return strings.CutPrefix(importPath, module+"/")
}

// locals are the packages of this module among imports.
func locals(imports ...[]string) []string {
	found := map[string]bool{}
	for _, importPath := range slices.Concat(imports...) {
		if name, ok := local(importPath); ok {
			found[name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}
