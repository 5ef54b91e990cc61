package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	dir     string // from the root
	binary  string
	limit   time.Duration
	reached map[int]bool
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

// prepare runs the tests without mutants, which must pass, and finds out how long that takes and which mutants they reach.
func (s *suite) prepare(out string) error {
	start := time.Now()
	if text, err := s.run(context.Background(), true); err != nil {
		return fmt.Errorf("the tests of %s fail without a mutant: %w\n%s", s.dir, err, text)
	}
	s.limit = 15*time.Second + 2*time.Since(start)
	list := filepath.Join(out, filepath.Base(s.binary)+".reached")
	// Tests that count allocations may fail here, which must not end the run.
	_, _ = s.run(context.Background(), false, "MUTANT_REACHED="+list)
	text, err := os.ReadFile(list) //nolint:gosec // our own file
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	s.reached = map[int]bool{}
	for field := range strings.FieldsSeq(string(text)) {
		n, err := strconv.Atoi(field)
		if err != nil {
			return err
		}
		s.reached[n] = true
	}
	return nil
}

// kills reports whether a test fails, or does not end, with a mutant.
func (s *suite) kills(m mutant) bool {
	if !s.reached[m.number] {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.limit)
	defer cancel()
	_, err := s.run(ctx, true, fmt.Sprintf("MUTANT=%d", m.number))
	return err != nil
}

func (s *suite) run(ctx context.Context, failfast bool, environment ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, s.binary, "-test.short", fmt.Sprintf("-test.failfast=%t", failfast), "-test.skip", *skip) //nolint:gosec // built above
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
