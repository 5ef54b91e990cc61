package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// switches is added to each package that is mutated. With MUTANT_REACHED it writes to a file which mutants are reached,
// with all of them off.
const switches = `package %s

import (
	"fmt"
	"os"
	"strconv"
	"sync"
)

var (
	mutantNumber, _ = strconv.Atoi(os.Getenv("MUTANT"))
	mutantReached   = os.Getenv("MUTANT_REACHED")
	mutantsSeen     sync.Map
)

func mutantOn(n int) bool { return n == mutantNumber || mutantReached != "" && mutantNote(n) }

//go:noinline
func mutantNote(n int) bool {
	if _, seen := mutantsSeen.LoadOrStore(n, true); !seen {
		if f, err := os.OpenFile(mutantReached, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
			fmt.Fprintln(f, n)
			f.Close()
		}
	}
	return false
}
`

// A suite is the tests of one package, with every mutant in them.
type suite struct {
	dir    string // from the root
	binary string
	limit  time.Duration
}

// A test is one of a suite.
type test struct {
	*suite
	name    string
	took    time.Duration
	reaches map[int]bool // mutants
	killed  *atomic.Int64
}

// build compiles the tests of a directory with an overlay.
func build(dir, overlay, out string) (*suite, error) {
	s := &suite{dir: dir, binary: filepath.Join(out, strings.ReplaceAll(dir, "/", "_")+".test")}
	command := exec.Command("go", "test", "-c", "-vet=off", "-overlay", overlay, "-o", s.binary, "./"+dir) //nolint:gosec,noctx // our own directories
	if text, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the tests of %s: %w\n%s", dir, err, text)
	}
	return s, nil
}

// prepare runs the tests without mutants, which must pass, and then each alone, to find out how long it takes and which
// mutants it reaches.
func (s *suite) prepare(out string) ([]test, error) {
	start := time.Now()
	if text, err := s.run(context.Background(), []string{".*"}); err != nil {
		return nil, fmt.Errorf("the tests of %s fail without a mutant: %w\n%s", s.dir, err, text)
	}
	s.limit = 15*time.Second + 2*time.Since(start)
	names, err := exec.Command(s.binary, "-test.list", ".").Output() //nolint:gosec,noctx // built above
	if err != nil {
		return nil, err
	}
	var tests []test
	for name := range strings.FieldsSeq(string(names)) {
		start := time.Now()
		reached, err := s.reach(name, filepath.Join(out, "reached"))
		if err != nil {
			return nil, err
		}
		tests = append(tests, test{s, name, time.Since(start), reached, new(atomic.Int64)})
	}
	return tests, nil
}

// reach runs one test with all mutants off and returns those that it reaches.
func (s *suite) reach(name, list string) (map[int]bool, error) {
	if err := os.RemoveAll(list); err != nil {
		return nil, err
	}
	// A test that needs another one, or that counts what the switches do, may fail here, which must not end the run.
	_, _ = s.run(context.Background(), []string{name}, "MUTANT_REACHED="+list)
	text, err := os.ReadFile(list) //nolint:gosec // our own file
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	reached := map[int]bool{}
	for field := range strings.FieldsSeq(string(text)) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		reached[n] = true
	}
	return reached, nil
}

// killed reports whether a test fails, or does not end, with a mutant. Only tests that reach it run: first those that are
// quick and killed many others.
func killed(tests []test, m mutant) bool {
	var reaching []test
	cost := map[string]time.Duration{}
	for _, t := range tests {
		if t.reaches[m.number] {
			reaching = append(reaching, t)
			cost[t.dir+t.name] = t.took / time.Duration(1+t.killed.Load())
		}
	}
	slices.SortStableFunc(reaching, func(a, b test) int { return cmp.Compare(cost[a.dir+a.name], cost[b.dir+b.name]) })
	for limit := time.Second / 4; len(reaching) > 0; limit *= 4 {
		n, sum := 0, time.Duration(0)
		for n < len(reaching) && (n == 0 || sum < limit) {
			sum += reaching[n].took
			n++
		}
		if fails(reaching[:n], m) {
			return true
		}
		reaching = reaching[n:]
	}
	return false
}

// fails runs tests, those of a suite together, until one fails with a mutant.
func fails(tests []test, m mutant) bool {
	for len(tests) > 0 {
		var together, others []test
		for _, t := range tests {
			if t.suite == tests[0].suite {
				together = append(together, t)
			} else {
				others = append(others, t)
			}
		}
		if tests[0].runWith(together, m) {
			return true
		}
		tests = others
	}
	return false
}

// runWith runs tests of the suite with a mutant, and reports whether one fails.
func (s *suite) runWith(tests []test, m mutant) bool {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	var names []string
	for _, t := range tests {
		names = append(names, t.name)
	}
	out, err := s.run(ctx, names, fmt.Sprintf("MUTANT=%d", m.number))
	for _, t := range tests {
		if bytes.Contains(out, []byte("--- FAIL: "+t.name+" ")) {
			t.killed.Add(1)
		}
	}
	return err != nil
}

func (s *suite) run(ctx context.Context, names []string, environment ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, s.binary, "-test.short", "-test.failfast", //nolint:gosec // built above
		"-test.run", "^("+strings.Join(names, "|")+")$", "-test.skip", *skip)
	command.Dir = s.dir
	command.Env = append(os.Environ(), environment...)
	command.WaitDelay = time.Second
	return command.CombinedOutput()
}

// write puts the mutated files, and the switches of their packages, into an overlay (go help build).
func write(out string, files map[string][]byte) (string, error) {
	replace := map[string]string{}
	add := func(file string, text []byte) error {
		absolute, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		copied := filepath.Join(out, strings.ReplaceAll(file, "/", "_"))
		replace[absolute] = copied
		return os.WriteFile(copied, text, 0o600)
	}
	for file, text := range files {
		dir := filepath.Dir(file)
		on := fmt.Sprintf(switches, filepath.Base(dir))
		if err := errors.Join(add(file, text), add(filepath.Join(dir, "mutants_on.go"), []byte(on))); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(out, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}
