package layout_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unclear are words that only their author understands, or that have a plainer one. The value is what to write instead.
var unclear = map[string]string{
	`(browser )?rounds?`:               "handshake, or the count of redirects",
	`weigh(s|ed|ing)?|verdicts?`:       "judge, rank, result",
	`promise[sd]?`:                     "what a program does",
	`heal(s|ed|able)?|mend(s|ed)?`:     "recover, recoverable, fix",
	`came|cameback|passon|forgets?`:    "arrived, was sent, filter, discard",
	`flights?|patience`:                "fetch, longest wait",
	`vouche?[sd]?|begets`:              "sign, set",
	`nobody's|somebody else's`:         "not on the list, another person's",
	`doors?|reopens`:                   "check, allow",
	`ataglance|at a glance|leftbehind`: "quickly, handshake parameter",
	`lookelsewhere|foldable|settles?`:  "resync, names differ only in case, apply",
	`breaks down|rides? on|carriers?`:  "simulate outages, authenticated by cookie, token source",
}

// exempt are other uses: methods of the standard library and JavaScript's class.
var exempt = regexp.MustCompile(`\.Round\(|new Promise|Promise\.`)

// unclearInNames are plain words in a sentence that do not say enough in a name.
var unclearInNames = map[string]string{
	`asked|answered`:      "calls, requests, resolved",
	`worth|worthless`:     "rank, unusable",
	`land(s|ed)?|outside`: "finish, JWS",
	`siblings?`:           "sibling subdomain",
}

// exemptNames are the standard library's, and of a well-known algorithm.
var exemptNames = regexp.MustCompile(`round trip(per)?|round robin|sibling subdomains?`)

var unclearWord = regexp.MustCompile(`(?i)\b(` + strings.Join(slices.Collect(maps.Keys(unclear)), "|") + `)\b`)

// Comments and documents use the words that everybody in the field knows.
func TestWordsAreClear(t *testing.T) {
	for _, file := range filesInGit(t, "*.go", "*.md") {
		text, err := os.ReadFile("../../" + file) //nolint:gosec // one of git's
		if os.IsNotExist(err) {
			continue // deleted, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		number := 0
		for line := range bytes.Lines(text) {
			number++
			if !unclearWord.Match(line) {
				continue
			}
			for _, seen := range unclearWord.FindAll(exempt.ReplaceAll(line, nil), -1) {
				t.Errorf("%s:%d: %q: write %s", file, number, seen, clearer(seen))
			}
		}
	}
}

// Names use them too, word by word.
func TestNamesAreClear(t *testing.T) {
	words := slices.Concat(slices.Collect(maps.Keys(unclear)), slices.Collect(maps.Keys(unclearInNames)))
	unclearName := regexp.MustCompile(`\b(` + strings.Join(words, "|") + `)\b`)
	names := 0
	for _, file := range filesInGit(t, "*.go") {
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, "../../"+file, nil, parser.SkipObjectResolution)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			for _, name := range declared(n) {
				names++
				if seen := unclearName.FindString(exemptNames.ReplaceAllString(spaced(name.Name), "")); seen != "" {
					t.Errorf("%s: %s: write %s", files.Position(name.Pos()), name.Name, clearer([]byte(seen)))
				}
			}
			return true
		})
	}
	if names < 10_000 {
		t.Errorf("got %d names, want at least 10000", names)
	}
}

// declared are the names that a node declares.
func declared(n ast.Node) []*ast.Ident {
	var names []*ast.Ident
	add := func(expressions ...ast.Expr) {
		for _, e := range expressions {
			if name, ok := e.(*ast.Ident); ok {
				names = append(names, name)
			}
		}
	}
	switch n := n.(type) {
	case *ast.FuncDecl:
		add(n.Name)
	case *ast.TypeSpec:
		add(n.Name)
	case *ast.Field:
		return n.Names
	case *ast.ValueSpec:
		return n.Names
	case *ast.AssignStmt:
		if n.Tok == token.DEFINE {
			add(n.Lhs...)
		}
	case *ast.RangeStmt:
		if n.Tok == token.DEFINE {
			add(n.Key, n.Value)
		}
	}
	return names
}

var wordInName = regexp.MustCompile(`[A-Z]+s?([^A-Za-z]|$)|[A-Z]?[a-z]+|[A-Z]+`)

// spaced is a name in small letters, with spaces between its words.
func spaced(name string) string {
	return strings.ToLower(strings.Join(wordInName.FindAllString(name, -1), " "))
}

// filesInGit are the files of the project but for the changelog and this one.
func filesInGit(t *testing.T, patterns ...string) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("reading every file takes a second")
	}
	args := append([]string{"-C", "../..", "ls-files", "-z", "--", ":!CHANGELOG.md", ":!internal/layout/words_test.go"}, patterns...)
	list, err := exec.CommandContext(t.Context(), "git", args...).Output() //nolint:gosec // constants
	if err != nil {
		t.Skip("needs git, and a clone: ", err)
	}
	files := strings.Split(strings.TrimSuffix(string(list), "\x00"), "\x00")
	if len(files) < 300 {
		t.Fatalf("got %d files, want at least 300", len(files))
	}
	return files
}

func clearer(seen []byte) string {
	for _, table := range []map[string]string{unclear, unclearInNames} {
		for words, instead := range table {
			if regexp.MustCompile(`(?i)^(` + words + `)$`).Match(seen) {
				return instead
			}
		}
	}
	return ""
}
