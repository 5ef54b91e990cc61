package frameworks_test

import (
	"bytes"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// maxLines is what an example has less than.
const maxLines = 90

// row is a line of the table.
type row struct {
	what, lost      string
	files, versions []string
	lines           []int
}

var (
	link   = regexp.MustCompile(`\]\((.+?)\)`)
	quoted = regexp.MustCompile("`(.+?)`")
)

// table is the README's.
func table(t *testing.T) (rows []row) {
	t.Helper()
	for line := range strings.Lines(string(read(t, "README.md"))) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || !strings.Contains(cells[2], "](") {
			continue
		}
		r := row{what: strings.TrimSpace(cells[1]), lost: strings.TrimSpace(cells[5])}
		for _, m := range link.FindAllStringSubmatch(cells[2], -1) {
			r.files = append(r.files, m[1])
		}
		for number := range strings.SplitSeq(cells[3], ",") {
			n, err := strconv.Atoi(strings.TrimSpace(number))
			if err != nil {
				t.Fatalf("%s: %v", r.what, err)
			}
			r.lines = append(r.lines, n)
		}
		for _, m := range quoted.FindAllStringSubmatch(cells[4], -1) {
			r.versions = append(r.versions, m[1])
		}
		rows = append(rows, r)
	}
	return rows
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path) //nolint:gosec // G304: they are ours
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// tested are the versions that the tests run, "module version": what is required directly here, by cors, and from npm.
func tested(t *testing.T) (all []string) {
	t.Helper()
	for _, path := range []string{"go.mod", "../cors/go.mod"} {
		for line := range strings.Lines(string(read(t, path))) {
			if fields := strings.Fields(strings.TrimPrefix(line, "require ")); len(fields) == 2 && strings.HasPrefix(fields[1], "v") {
				all = append(all, fields[0]+" "+fields[1])
			}
		}
	}
	var npm struct{ Dependencies map[string]string }
	if err := json.Unmarshal(read(t, "../../e2e/npm/package.json"), &npm); err != nil {
		t.Fatal(err)
	}
	for name, version := range npm.Dependencies {
		if alias, ok := strings.CutPrefix(version, "npm:"); ok {
			at := strings.LastIndexByte(alias, '@')
			name, version = alias[:at], alias[at+1:]
		}
		all = append(all, name+" "+version)
	}
	return all
}

func TestTableIsRight(t *testing.T) {
	rows, versions := table(t), tested(t)
	if len(rows) < 20 {
		t.Fatalf("the table has %d rows, want at least 20", len(rows))
	}
	for _, r := range rows {
		if len(r.files) != len(r.lines) {
			t.Errorf("%s: got %d files and %d numbers of lines, want one for each file", r.what, len(r.files), len(r.lines))
			continue
		}
		for i, file := range r.files {
			if n := bytes.Count(read(t, file), []byte("\n")); n != r.lines[i] || n >= maxLines {
				t.Errorf("%s has %d lines, the table says %d, and less than %d are wanted", file, n, r.lines[i], maxLines)
			}
		}
		for _, v := range r.versions {
			if !slices.Contains(versions, v) {
				t.Errorf("%s: %s is not what is tested", r.what, v)
			}
		}
		if r.lost == "" {
			t.Errorf("%s: the row does not say what is lost", r.what)
		}
	}
}

// What a file imports is the standard library's, clerkauth's, or of a module whose version its row says.
func TestTableSaysWhatIsImported(t *testing.T) {
	for _, r := range table(t) {
		for _, file := range r.files {
			if filepath.Ext(file) != ".go" {
				continue
			}
			source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range source.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				said := slices.ContainsFunc(append(beside, r.versions...), func(module string) bool {
					module, _, _ = strings.Cut(module, " ")
					return imported == module || strings.HasPrefix(imported, module+"/")
				})
				if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") && !said {
					t.Errorf("%s: %s imports %s, of which the row has no version", r.what, file, imported)
				}
			}
		}
	}
}

// beside are modules that come with a framework of the table, or serve the tests alone.
var beside = []string{
	"github.com/VictoriaMetrics/metricsql", "github.com/clerkauth/clerkauth",
	"go.opentelemetry.io/otel/metric", "go.opentelemetry.io/otel/sdk", "go.opentelemetry.io/otel/sdk/metric", "go.opentelemetry.io/otel/trace",
	"google.golang.org/protobuf",
}

// elsewhere are directories of programs and helpers that the table leaves out.
var elsewhere = []string{"../quickstart/", "../frameworks/"}

func TestTableIsWhole(t *testing.T) {
	var files, versions []string
	for _, r := range table(t) {
		for _, file := range r.files {
			files = append(files, filepath.Clean(file))
		}
		versions = append(versions, r.versions...)
	}
	for _, pattern := range []string{"*/*.go", "../*/*.go", "../*/web/*.js"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: got %d files, %v, want at least one", pattern, len(found), err)
		}
		for _, file := range found {
			left := strings.HasSuffix(file, "_test.go") || slices.ContainsFunc(elsewhere, func(dir string) bool { return strings.HasPrefix(file, dir) })
			if !left && !slices.Contains(files, file) {
				t.Errorf("%s is not in the table", file)
			}
		}
	}
	for line := range strings.Lines(string(read(t, "go.mod"))) {
		fields := strings.Fields(line)
		if len(fields) != 2 || !strings.HasPrefix(fields[1], "v") || slices.Contains(beside, fields[0]) {
			continue
		}
		if !slices.Contains(versions, fields[0]+" "+fields[1]) {
			t.Errorf("%s is not in the table", line)
		}
	}
}
