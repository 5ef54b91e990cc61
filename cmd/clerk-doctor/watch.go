package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// lookAgain is the time between two looks of -wait.
const lookAgain = 10 * time.Second

// watch looks once or, with -wait, until all is well or what is wrong is nothing that time changes. A look that the end of the time,
// or an interrupt, cuts short does not count: the last whole one is reported.
func watch(ctx context.Context, w world, o options) (report, error) {
	since := map[ref]time.Time{}
	var last report
	var said string
	for first := true; ; first = false {
		net, err := o.network(w)
		if err != nil {
			return report{}, err
		}
		d := newDoctor(o, net)
		if first {
			d.chooseDomain(ctx)
			o = d.options
		}
		checks := d.examine(ctx, w.progress)
		w.clear()
		interrupted := errors.Is(ctx.Err(), context.Canceled)
		if first && interrupted {
			return report{}, errInterrupted
		}
		if first || ctx.Err() == nil {
			last = newReport(o, checks)
		}
		if !o.wait || last.Exit == exitGood || ctx.Err() != nil {
			return last, nil
		}
		if idle := idle(last.Findings); len(idle) > 0 {
			w.say("not waiting: time does not change %s\n", strings.Join(idle, ", "))
			return last, nil
		}
		if now := pending(last.checks, since, w.now()); now != said {
			w.say("waiting for %s\n", now)
			said = now
		}
		if w.pause(ctx, lookAgain); ctx.Err() != nil {
			w.clear()
			return last, nil
		}
	}
}

const eraseLine = "\r\x1b[K"

// say writes to standard error. If that fails there is nobody left to tell.
func (w world) say(format string, args ...any) { _, _ = fmt.Fprintf(w.stderr, format, args...) }

// progress rewrites one line, on a terminal only.
func (w world) progress(finished, all int) {
	if w.live {
		w.say(eraseLine+"looked at %d of %d", finished, all)
	}
}

func (w world) clear() {
	if w.live {
		w.say(eraseLine)
	}
}

// pending names what is waited for, and since when.
func pending(checks []check, since map[ref]time.Time, now time.Time) string {
	var order []string
	names := map[string][]string{}
	for _, c := range checks {
		if !c.bad() {
			continue
		}
		if _, seen := since[*c.ref()]; !seen {
			since[*c.ref()] = now
		}
		what := c.kind().id + " since " + since[*c.ref()].Format(time.TimeOnly)
		if names[what] == nil {
			order = append(order, what)
		}
		names[what] = append(names[what], c.name)
	}
	for i, what := range order {
		order[i] = what + " (" + strings.Join(names[what], ", ") + ")"
	}
	return strings.Join(order, "; ")
}

// idle is what keeps the report from being good, and does not change with time.
func idle(fs []finding) []string {
	var codes []string
	for _, f := range fs {
		lasting := slices.ContainsFunc(catalogue[:], func(k kind) bool { return k.id == f.Code && !k.waits })
		if lasting && (f.Status == fail || f.Status == unknown) {
			codes = append(codes, f.Code)
		}
	}
	return codes
}
