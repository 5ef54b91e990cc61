package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
)

var errDisagree = errors.New("not every answer is the expected one")

// table is the output of the smoke test: each request, its expected result and its actual one.
type table struct {
	rows         *tabwriter.Writer
	sent, agreed int
}

func newTable(out io.Writer) *table {
	t := &table{rows: tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)}
	t.row("request", "expected", "actual", "result")
	return t
}

func (t *table) row(title string, want, actual any, result string) {
	fmt.Fprintf(t.rows, "%v\t%v\t%v\t%v\n", title, want, actual, result) //nolint:errcheck // Flush reports it
}

func (t *table) skip(title string, want any) {
	t.row(title, want, "not sent", errNeedsInstance.Error())
}

// compare adds the result of a request. Both answers print themselves.
func (t *table) compare(title string, want, actual fmt.Stringer, err error) {
	t.sent++
	switch {
	case err != nil:
		t.row(title, want, err, "FAIL")
	case actual.String() != want.String():
		t.row(title, want, actual, "FAIL")
	default:
		t.agreed++
		t.row(title, want, actual, "ok")
	}
}

// smoke takes a browser through a session and sends every trial that can be sent. It fails unless each response is as
// expected.
func (a *app) smoke(ctx context.Context, out io.Writer) error {
	t := newTable(out)
	if err := a.travel(ctx, t); err != nil { // first: minutes pass, so that keys are refreshed, and the instance must not end meanwhile
		return err
	}
	for _, trial := range a.trials {
		if !a.can(trial) {
			t.skip(trial.Title, trial.Want)
			continue
		}
		x, err := a.try(ctx, trial, people[0])
		t.compare(trial.Title, trial.Want, x.answer, err)
	}
	fmt.Fprintf(t.rows, "\n%s: %d of %d as expected\n", a.base, t.agreed, t.sent) //nolint:errcheck // Flush reports it
	if err := t.rows.Flush(); err != nil {
		return err
	}
	if t.agreed != t.sent {
		return errDisagree
	}
	return nil
}
