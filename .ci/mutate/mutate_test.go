package main

import (
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const example = `package p

func f(a, b int, ok bool) (bool, error) {
	if a < b && ok {
		return false, errOf(a)
	}
	for a != b {
		a++
		continue
	}
	switch {
	case ok:
		a = b
	}
	x := a == b
	return x || g(func() int { return 7 }), nil
}
`

// Every mutant is there once, and the file stays the same but for the conditions that turn them on.
func TestMutate(t *testing.T) {
	number := 10
	got, mutants, err := mutate("p/p.go", []byte(example), &number)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := format.Source(got); err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	var changes []string
	for i, m := range mutants {
		if m.number != 11+i || m.file != "p/p.go" || !strings.Contains(string(got), "mutantOn("+strconv.Itoa(m.number)+")") {
			t.Errorf("got %+v, want the number %d, the file p/p.go, and a mutantOn in the program", m, 11+i)
		}
		changes = append(changes, m.change)
	}
	want := []string{
		"a < b && ok → true", "a < b && ok → false", "a < b → true", "ok → true", "a < b → a <= b",
		"return false, errOf(a) → return true, errOf(a)", "return false, errOf(a) → return false, zero",
		"a != b → false", "a++ → nothing", "continue → nothing",
		"ok → true", "ok → false", "a = b → nothing", "a == b → a != b",
		"return x || g(func() int { return 7 }), nil → return !(x || g(func() int { return 7 })), nil",
		"x → false", "g(func() int { return 7 }) → false", "return 7 → return zero",
	}
	slices.Sort(changes)
	slices.Sort(want)
	if !slices.Equal(changes, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(changes, "\n"), strings.Join(want, "\n"))
	}
}

// A mutant that a test notices is killed, one that no test notices survives, and nothing in the tree is changed.
func TestSurvive(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"go.mod":        "module example.com/m\n\ngo 1.26\n",
		"p/p.go":        "package p\n\ntype flag bool\n\nfunc Small(n int, yes flag) bool {\n\tif yes {\n\t\treturn n < 10\n\t}\n\treturn false\n}\n",
		"p/p_test.go":   "package p\n\nimport \"testing\"\n\nfunc TestSmall(t *testing.T) {\n\tif !Small(1, true) || Small(20, true) || Small(1, false) {\n\t\tt.Fail()\n\t}\n}\n",
		"survivors.txt": "# comment\n\np/p.go: return n < 10\nn < 10 → n <= 10\nBecause.\n\np/q.go: x\nx → y\nGone.\n",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	*packages, *suites, *count = "p", "p", 0
	files, all, err := mutateAll()
	if err != nil {
		t.Fatal(err)
	}
	ran, survivors, err := survive(files, choose(all))
	if err != nil {
		t.Fatal(err)
	}
	if ran != 5 || len(survivors) != 1 || survivors[0].change != "n < 10 → n <= 10" {
		t.Fatalf("got %d run, and of %v survive %v, want 5, and only n < 10 → n <= 10", ran, all, survivors)
	}
	known, err := readReasons("survivors.txt")
	if err != nil {
		t.Fatal(err)
	}
	if known[survivors[0].key()] != "Because." || !slices.Equal(known.without(all), []string{"p/q.go: x\nx → y"}) {
		t.Errorf("got the reasons %q, want Because. for the survivor, and only x → y left over", known)
	}
	if report(ran, survivors, reasons{}) || !report(ran, survivors, known) {
		t.Error("a survivor without a reason passes, or one with a reason fails")
	}
}
