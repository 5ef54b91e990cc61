package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

var errDisagree = errors.New("not every answer is the expected one")

// smoke sends every trial that can be sent, and fails unless each is answered as expected.
func (a *app) smoke(ctx context.Context, out io.Writer) error {
	var table strings.Builder
	row := func(title string, want, actual any, verdict string) {
		fmt.Fprintf(&table, "%-32v  %-36v  %-36v  %s\n", title, want, actual, verdict)
	}
	row("request", "expected", "actual", "verdict")
	sent, agreed := 0, 0
	for _, t := range a.trials {
		if !a.can(t) {
			row(t.Title, t.Want, "not sent", "needs the built-in instance")
			continue
		}
		sent++
		x, err := a.try(ctx, t, people[0])
		switch {
		case err != nil:
			row(t.Title, t.Want, err, "FAIL")
		case x.answer != t.Want:
			row(t.Title, t.Want, x.answer, "FAIL")
		default:
			agreed++
			row(t.Title, t.Want, x.answer, "ok")
		}
	}
	fmt.Fprintf(&table, "\n%s: %d of %d as expected\n", a.base, agreed, sent)
	if _, err := io.WriteString(out, table.String()); err != nil {
		return err
	}
	if agreed != sent {
		return errDisagree
	}
	return nil
}
