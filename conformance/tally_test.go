package conformance_test

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
)

// silent keeps the library's log out of the test's output.
var silent = slog.New(slog.DiscardHandler)

// A tally counts the results of the cases.
type tally struct {
	mu                            sync.Mutex
	agree, deviate, skipped, fail int
	byRule, byCause               map[string]int
}

var counted = &tally{byRule: map[string]int{}, byCause: map[string]int{}}

func (c *tally) skip(cause string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.skipped++
	c.byCause[cause]++
}

// held counts a case that was run with the library. applied are the rules that
// changed what is expected of it.
func (c *tally) held(applied []string, same bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range applied {
		c.byRule[name]++
	}
	switch {
	case !same:
		c.fail++
	case len(applied) > 0:
		c.deviate++
	default:
		c.agree++
	}
}

func (c *tally) print(w io.Writer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range rules {
		if n := c.byRule[r.name]; n > 0 {
			_, _ = fmt.Fprintf(w, "rule  %5d  %s: %s\n", n, r.name, r.why)
		}
	}
	for _, cause := range causes {
		if n := c.byCause[cause.name]; n > 0 {
			_, _ = fmt.Fprintf(w, "skip  %5d  %s: %s\n", n, cause.name, cause.why)
		}
	}
	_, _ = fmt.Fprintf(w, "conformance: %d cases, %d agree, %d deviate by rule, %d skipped, %d differ\n",
		c.agree+c.deviate+c.skipped+c.fail, c.agree, c.deviate, c.skipped, c.fail)
}

// TestMain prints the count last, whatever else the tests say.
func TestMain(m *testing.M) {
	code := m.Run()
	printMissing(os.Stdout)
	printSteps(os.Stdout)
	printOwnLists(os.Stdout)
	printHas(os.Stdout)
	counted.print(os.Stdout)
	os.Exit(code)
}

// printMissing says which families another recording does not have.
func printMissing(w io.Writer) {
	r, err := loadOnce()
	if err != nil {
		_, _ = fmt.Fprintf(w, "conformance: nothing to decide: %v\n", err)
		return
	}
	if missing := r.missing(); len(missing) > 0 {
		_, _ = fmt.Fprintf(w, "conformance: the recording has no case of %s\n", strings.Join(missing, ", "))
	}
}
