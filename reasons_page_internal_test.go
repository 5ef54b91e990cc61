package clerkauth

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what docs/reasons.md has from errors.go")

const (
	reasonsFile  = "docs/reasons.md"
	reasonsBegin = "<!-- From errors.go: go test -run TestReasonsPage . -update -->\n"
	reasonsEnd   = "<!-- to here -->\n"
)

// docs/reasons.md has a section for every reason, and no other, with the table's status and what to do.
func TestReasonsPage(t *testing.T) {
	text, err := os.ReadFile(reasonsFile)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	before, rest, ok := strings.Cut(page, reasonsBegin)
	_, sections, ok2 := strings.Cut(rest, reasonsEnd)
	if !ok || !ok2 {
		t.Fatalf("%s has no %q or no %q", reasonsFile, reasonsBegin, reasonsEnd)
	}
	names := declaredReasons(t, ".")
	want := before + reasonsBegin + reasonsTable() + reasonsEnd + reasonSections(names, sections)
	if *update {
		if err := os.WriteFile(reasonsFile, []byte(want), 0o600); err != nil { //nolint:gosec // a constant path
			t.Fatal(err)
		}
	} else if page != want {
		t.Errorf("%s differs from errors.go; go test -run TestReasonsPage . -update writes it", reasonsFile)
	}
	found := map[string]bool{}
	for _, section := range strings.Split(want, "\n### ")[1:] {
		reason, body, _ := strings.Cut(section, "\n")
		body, _, _ = strings.Cut(body, "\n## ")
		if _, ok := table[Reason(reason)]; !ok || found[reason] {
			t.Errorf("the section %q names no reason, or one that has a section already", reason)
		}
		found[reason] = true
		for _, part := range []string{"**What happened.** ", "**How it looks.** ", "**What to do.** ", "**At the browser.** "} {
			if _, after, ok := strings.Cut(body, part); !ok || len(strings.Fields(after)) < 3 {
				t.Errorf("%s has less than three words under %s", reason, part)
			}
		}
	}
	for reason := range table {
		if !found[string(reason)] {
			t.Errorf("the reason %s has no section", reason)
		}
	}
}

// reasonsTable returns a table of every reason with its status and sentence.
func reasonsTable() string {
	var b strings.Builder
	b.WriteString("| reason | status | the answer's message |\n|---|---|---|\n")
	for _, reason := range slices.Sorted(maps.Keys(table)) {
		fmt.Fprintf(&b, "| [%s](#%s) | %d | %s |\n", reason, reason, table[reason].status, table[reason].message)
	}
	return b.String()
}

var reasonHead = regexp.MustCompile(`(?m)^### ([a-z0-9-]+)\n\n(?:\d{3} · .*\n\n)?`)

// reasonSections adds the status and the name in Go to every section.
func reasonSections(names map[Reason]string, sections string) string {
	return reasonHead.ReplaceAllStringFunc(sections, func(head string) string {
		reason := Reason(reasonHead.FindStringSubmatch(head)[1])
		entry, ok := table[reason]
		if !ok {
			return head
		}
		return fmt.Sprintf("### %s\n\n%d · [`%s`](https://pkg.go.dev/github.com/clerkauth/clerkauth#%s)\n\n", reason, entry.status, names[reason], names[reason])
	})
}
