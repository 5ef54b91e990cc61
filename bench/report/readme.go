package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/clerkauth/clerkauth/bench"
)

// readmePath is the README's path from bench/, and opening and closing enclose its sentence.
const (
	readmePath = "../README.md"
	opening    = "<!-- from bench/RESULTS.md -->\n"
	closing    = "<!-- end -->\n"
)

// sentence is what RESULTS.md begins with and the README repeats.
func (d document) sentence() string {
	own := d.at(ownName, bench.SameToken).serial.median
	floors := func(row string) float64 { return d.row(row).serial.median / d.floor() }
	return fmt.Sprintf("A script's request with a bearer token that was verified before takes %.1f times as long as a middleware that only adds "+
		"a value to the context (%s). By cookies it takes %.1f times as long, and a page load %.1f times. %s takes %.0f times as long as clerkauth (%s).",
		floors(bench.BearerRow), nanoseconds(d.floor()), floors(bench.CookiesRow), floors(bench.PageRow),
		clerkSDK, d.at(clerkSDK, bench.SameToken).serial.median/own, nanoseconds(own))
}

var errNoPlace = errors.New("the README has no place for the sentence")

// writeReadme puts the sentence where the README has the last one.
func writeReadme(path, sentence string) error {
	text, err := os.ReadFile(path) //nolint:gosec // a constant path
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), opening)
	_, after, ended := strings.Cut(rest, closing)
	if !ok || !ended {
		return errNoPlace
	}
	return os.WriteFile(path, []byte(before+opening+sentence+"\n"+closing+after), 0o644) //nolint:gosec // made to be read by everybody
}
