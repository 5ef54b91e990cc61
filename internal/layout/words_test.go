package layout_test

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// unclear are words that only their author understands, or that have a plainer one. What stands behind the colon is to be
// written instead.
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

// exempt are uses with a meaning of their own: methods of the standard library and JavaScript's class.
var exempt = regexp.MustCompile(`\.Round\(|new Promise|Promise\.`)

// Names, comments and documents use the words that everybody in the field knows.
func TestWordsAreClear(t *testing.T) {
	list, err := exec.CommandContext(t.Context(), "git", "-C", "../..", "ls-files", "-z", "--", "*.go", "*.md", ":!CHANGELOG.md", ":!internal/layout/words_test.go").Output()
	if err != nil {
		t.Skip("needs git, and a clone: ", err)
	}
	unclearWord := regexp.MustCompile(`(?i)\b(` + strings.Join(slices.Collect(maps.Keys(unclear)), "|") + `)\b`)
	files := strings.Split(strings.TrimSuffix(string(list), "\x00"), "\x00")
	if len(files) < 300 {
		t.Fatalf("%d files", len(files))
	}
	for _, file := range files {
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
			for _, seen := range unclearWord.FindAll(exempt.ReplaceAll(line, nil), -1) {
				t.Errorf("%s:%d: %q: write %s", file, number, seen, clearer(seen))
			}
		}
	}
}

func clearer(seen []byte) string {
	for words, instead := range unclear {
		if regexp.MustCompile(`(?i)^(` + words + `)$`).Match(seen) {
			return instead
		}
	}
	return ""
}
