package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// reasons say why surviving mutants need no test. The key is the file, the text of the line and the change, so that it
// stays the same when lines move.
type reasons map[string]string

// readReasons reads paragraphs of three lines: file and text, change, reason. Lines that begin with # are comments.
func readReasons(file string) (reasons, error) {
	text, err := os.ReadFile(file) //nolint:gosec // our own file
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	if len(lines)%3 != 0 {
		return nil, fmt.Errorf("%s: %d lines are not paragraphs of three", file, len(lines))
	}
	known := reasons{}
	for entry := range slices.Chunk(lines, 3) {
		known[entry[0]+"\n"+entry[1]] = entry[2]
	}
	return known, nil
}

// without returns the keys for which there is no mutant.
func (r reasons) without(all []mutant) []string {
	there := map[string]bool{}
	for _, m := range all {
		there[m.key()] = true
	}
	var stale []string
	for key := range r {
		if !there[key] {
			stale = append(stale, key)
		}
	}
	slices.Sort(stale)
	return stale
}
