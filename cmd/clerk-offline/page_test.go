package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// docs/testing.md shows what the program prints.
func TestTranscriptOfThePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(page), "cmd/clerk-offline ")
	block, _, _ = strings.Cut(block, "```")
	lines := strings.Split(strings.TrimSpace(block), "\n")
	if len(lines) < 5 || !strings.HasPrefix(lines[0], "-state .clerk -fault tokens=503") {
		t.Fatalf("the transcript in docs/testing.md is %q, want five lines with -state and -fault", lines)
	}
	p := start(t, "-state", t.TempDir(), "-fault", "tokens=503")
	browser, _ := p.signIn("user_2alice")
	request := regexp.MustCompile(`^\d\d:\d\d:\d\d (\d{3}  \S+ +\S+  from \S+)  \S+$`)
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, "=")
		form := request.FindStringSubmatch(line)
		switch {
		case line == "…":
		case form != nil:
			if log := p.log.String(); !strings.Contains(log, form[1]) || strings.Contains(log, browser) {
				t.Errorf("no line of the log looks like %q, or one has the browser's token:\n%s", line, log)
			}
		// Keys and ports differ.
		case !ok || p.variables[name] == "" || value[:7] != p.variables[name][:7]:
			t.Errorf("it prints %s=%s, but docs/testing.md has %q", name, p.variables[name], line)
		}
	}
}
