package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// status is what one check came to.
type status string

const (
	ok      status = "ok"
	warn    status = "warn"    // works today, but somebody should look
	fail    status = "fail"    // has to be mended
	unknown status = "unknown" // could not be checked from here
	skipped status = "skipped" // not asked for
)

// The exit codes.
const (
	exitGood    = 0
	exitFails   = 1
	exitUnknown = 2 // also for wrong usage
)

// check is one line of the report. It never holds a secret key or a token.
type check struct {
	Group  string   `json:"group"`
	Name   string   `json:"name"`
	Status status   `json:"status"`
	Says   string   `json:"says"`
	Fix    []string `json:"fix,omitempty"` // what to do, in words, one step per element
	See    []string `json:"see,omitempty"` // commands that show the same thing
}

// report is everything one round of checks found.
type report struct {
	Domain string  `json:"domain"`
	Exit   int     `json:"exit"`
	Checks []check `json:"checks"`
}

// verdict is the exit code: a failure outweighs what could not be checked, because it is certain.
func verdict(checks []check) int {
	code := exitGood
	for _, c := range checks {
		switch c.Status {
		case fail:
			return exitFails
		case unknown:
			code = exitUnknown
		case ok, warn, skipped:
		}
	}
	return code
}

func writeJSON(w io.Writer, r report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// paint holds the escape sequences; the zero paint writes plain text.
type paint struct{ status map[status]string }

var colours = paint{status: map[status]string{
	ok:      "\x1b[32m",
	warn:    "\x1b[33m",
	fail:    "\x1b[1;31m",
	unknown: "\x1b[35m",
	skipped: "\x1b[2m",
}}

const (
	dim   = "\x1b[2m"
	bold  = "\x1b[1m"
	reset = "\x1b[0m"
)

func (p paint) in(escape, text string) string {
	if p.status == nil {
		return text
	}
	return escape + text + reset
}

func writeText(w io.Writer, r report, p paint) error {
	width := 0
	for _, c := range r.Checks {
		width = max(width, len(c.Name))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", p.in(bold, "clerk-doctor "+r.Domain))
	group := ""
	for _, c := range r.Checks {
		if c.Group != group {
			group = c.Group
			fmt.Fprintf(&b, "\n%s\n", p.in(bold, group))
		}
		writeCheck(&b, c, width, p)
	}
	fmt.Fprintf(&b, "\n%s\n", summary(r.Checks))
	_, err := io.WriteString(w, b.String())
	return err
}

// writeCheck writes the line of the check, then, further in, what to do and how to see it.
func writeCheck(b *strings.Builder, c check, width int, p paint) {
	word := string(c.Status)
	switch c.Status {
	case fail:
		word = "FAIL"
	case unknown:
		word = "?"
	case skipped:
		word = "-"
	case ok, warn:
	}
	fmt.Fprintf(b, "  %s %-*s  %s\n", p.in(p.status[c.Status], fmt.Sprintf("%-4s", word)), width, c.Name, c.Says)
	for i, step := range c.Fix {
		head := "fix:"
		if i > 0 {
			head = "    "
		}
		fmt.Fprintf(b, "       %s %s\n", head, step)
	}
	for _, line := range c.See {
		fmt.Fprintf(b, "       %s\n", p.in(dim, "$ "+line))
	}
}

func summary(checks []check) string {
	count := map[status]int{}
	for _, c := range checks {
		count[c.Status]++
	}
	parts := []string{fmt.Sprintf("%d fine", count[ok])}
	for _, s := range []struct {
		status status
		words  string
	}{{warn, "to look at"}, {fail, "to mend"}, {unknown, "could not be checked"}, {skipped, "not asked for"}} {
		if n := count[s.status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, s.words))
		}
	}
	return strings.Join(parts, ", ") + "."
}
