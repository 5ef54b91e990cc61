package docs_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A page's shell blocks are run, in the repository and by bash. A comment above a block says if not:
//
//	<!-- not run: why -->       why nobody can run it here
//	<!-- tested by: TestName --> a test of that name runs it, because it needs something beside it
//	<!-- serves: text -->       it runs until it has printed text, and is then interrupted
//
// In a console block, lines after "$ " are run, and the others are their output; … matches anything.
const (
	notRun   = "not run: "
	testedBy = "tested by: "
	serves   = "serves: "
)

const longestRun = 3 * time.Minute

func TestShellOfThePagesRuns(t *testing.T) {
	needBash(t)
	tests := testNames(t)
	for _, p := range guides(t) {
		for _, b := range p.blocks {
			if b.language != "sh" && b.language != "console" {
				continue
			}
			t.Run(fmt.Sprintf("%s:%d", p.path, b.line), func(t *testing.T) { checkShell(t, b, tests) })
		}
	}
}

func needBash(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("there is no bash; on Debian it is in the package bash")
	}
}

func checkShell(t *testing.T, b block, tests map[string]bool) {
	t.Helper()
	script, printed := b.text, ""
	if b.language == "console" {
		script, printed = transcript(b.text)
	}
	if strings.TrimSpace(script) == "" {
		t.Fatal("there is no command in it")
	}
	syntax := exec.CommandContext(t.Context(), "bash", "-n", "-c", script) //nolint:gosec // it is read, not run
	if out, err := syntax.CombinedOutput(); err != nil {
		t.Fatalf("bash cannot read it: %v\n%s", err, out)
	}
	if why, ok := strings.CutPrefix(b.note, notRun); ok {
		if len(strings.Fields(why)) < 3 {
			t.Errorf("it is not run, and %q is no reason", why)
		}
		return
	}
	if name, ok := strings.CutPrefix(b.note, testedBy); ok {
		if !tests[name] {
			t.Errorf("there is no test %s", name)
		}
		return
	}
	if testing.Short() {
		t.Skip("commands are run without -short")
	}
	text, server := strings.CutPrefix(b.note, serves)
	got, err := run(t, script, text, server)
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if printed != "" && !matches(printed, got) {
		t.Errorf("it prints\n%s\nand not\n%s", got, printed)
	}
}

// transcript takes a console block apart: what is typed, and what is printed.
func transcript(text string) (script, printed string) {
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "$ "); ok {
			script += command
		} else {
			printed += line
		}
	}
	return script, printed
}

func matches(want, got string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(strings.TrimSpace(want)), "…", "(?s:.*)")
	return regexp.MustCompile("^" + pattern + "$").MatchString(strings.TrimSpace(got))
}

// run runs a script to its end, or a server until it has printed text.
func run(t *testing.T, script, text string, server bool) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longestRun)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script) //nolint:gosec // of this repository's own pages
	cmd.Dir = root
	cmd.Env = append(cmd.Environ(), "GOWORK=")
	var out output
	out.cancel, out.text = cancel, text
	cmd.Stdout, cmd.Stderr = &out, &out
	inGroup(cmd)
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	if server {
		if !strings.Contains(out.String(), text) {
			return out.String(), fmt.Errorf("it never printed %q: %w", text, err)
		}
		return out.String(), nil
	}
	return out.String(), err
}

// output is what a command has printed. It ends the command when that has text in it.
type output struct {
	mu     sync.Mutex // guards buffer
	buffer bytes.Buffer
	text   string // empty: never
	cancel func()
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.buffer.Write(p)
	if o.text != "" && bytes.Contains(o.buffer.Bytes(), []byte(o.text)) {
		o.cancel()
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buffer.String()
}

// testNames are those of all tests of the repository.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	for _, path := range files(t, "_test.go") {
		for _, m := range function.FindAllStringSubmatch(read(t, path), -1) {
			names[m[1]] = true
		}
	}
	return names
}

func TestMatches(t *testing.T) {
	for _, x := range []struct {
		want, got string
		same      bool
	}{
		{"a\nb\n", "a\nb", true}, {"a…\nc", "a 1\nb\nc", true}, {"a…", "b", false}, {"a.c", "abc", false}, {"a", "a\nb", false},
	} {
		if matches(x.want, x.got) != x.same {
			t.Errorf("%q as %q: want %t", x.got, x.want, x.same)
		}
	}
	if script, printed := transcript("$ go version\ngo1\n$ id\n"); script != "go version\nid\n" || printed != "go1\n" {
		t.Errorf("got %q, %q, want the two commands and the line go1", script, printed)
	}
}

func TestRun(t *testing.T) {
	needBash(t)
	if testing.Short() {
		t.Skip("commands are run without -short")
	}
	if out, err := run(t, "echo hello; exit 3", "", false); err == nil || out != "hello\n" {
		t.Errorf("got %q, %v; want what it printed and an error", out, err)
	}
	if out, err := run(t, "echo ready; sleep 100", "ready", true); err != nil || out != "ready\n" {
		t.Errorf("got %q, %v; want it to be interrupted", out, err)
	}
	if _, err := run(t, "echo failed", "ready", true); err == nil {
		t.Error("a server that never was ready passes")
	}
}
