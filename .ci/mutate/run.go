package main

import (
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
	tests  []test // the quickest first
}

type test struct {
	name    string
	took    time.Duration
	reaches map[int]bool // mutants
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
func (s *suite) prepare(out string) error {
	start := time.Now()
	if text, err := s.run(context.Background(), ".*"); err != nil {
		return fmt.Errorf("the tests of %s fail without a mutant: %w\n%s", s.dir, err, text)
	}
	s.limit = 15*time.Second + 2*time.Since(start)
	names, err := exec.Command(s.binary, "-test.list", ".").Output() //nolint:gosec,noctx // built above
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(string(names)) {
		start := time.Now()
		reached, err := s.reach(name, filepath.Join(out, "reached"))
		if err != nil {
			return err
		}
		s.tests = append(s.tests, test{name, time.Since(start), reached})
	}
	slices.SortStableFunc(s.tests, func(a, b test) int { return cmp.Compare(a.took, b.took) })
	return nil
}

// reach runs one test with all mutants off and returns those that it reaches.
func (s *suite) reach(name, list string) (map[int]bool, error) {
	if err := os.RemoveAll(list); err != nil {
		return nil, err
	}
	// A test that needs another one, or that counts what the switches do, may fail here, which must not end the run.
	_, _ = s.run(context.Background(), name, "MUTANT_REACHED="+list)
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

// kills reports whether a test fails, or does not end, with a mutant. Only tests that reach it run, the quick ones together
// and before the slow ones.
func (s *suite) kills(m mutant) bool {
	var names []string
	var sum time.Duration // of names
	for _, t := range s.tests {
		if !t.reaches[m.number] {
			continue
		}
		if sum += t.took; sum > time.Second/4 && names != nil {
			if s.fails(m, names) {
				return true
			}
			names, sum = nil, t.took
		}
		names = append(names, t.name)
	}
	return names != nil && s.fails(m, names)
}

func (s *suite) fails(m mutant, names []string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	_, err := s.run(ctx, strings.Join(names, "|"), fmt.Sprintf("MUTANT=%d", m.number))
	return err != nil
}

// run runs the tests with one of the names, a regular expression.
func (s *suite) run(ctx context.Context, names string, environment ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, s.binary, "-test.short", "-test.failfast", "-test.run", "^("+names+")$", "-test.skip", *skip) //nolint:gosec // built above
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
