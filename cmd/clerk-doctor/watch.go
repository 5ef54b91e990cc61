package main

import (
	"context"
	"errors"
	"fmt"
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
		if idle := idle(last.checks); len(idle) > 0 {
			w.say("not waiting: time does not change %s\n", strings.Join(idle, ", "))
			return last, nil
		}
		w.waiting(last.checks, since)
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

// waiting names what is pending, and since when, between two looks.
func (w world) waiting(checks []check, since map[ref]time.Time) {
	now := w.now()
	var names []string
	for _, c := range checks {
		if !c.bad() {
			continue
		}
		if _, seen := since[*c.ref()]; !seen {
			since[*c.ref()] = now
		}
		names = append(names, fmt.Sprintf("%s of %s since %s", c.kind().id, c.name, since[*c.ref()].Format(time.TimeOnly)))
	}
	end := "\n"
	if w.live {
		end = ""
	}
	w.say("%s: waiting for %s%s", now.Format(time.TimeOnly), strings.Join(names, ", "), end)
}

// idle is what keeps the report from being good, and does not change with time.
func idle(checks []check) []string {
	var names []string
	for _, c := range checks {
		if c.bad() && !c.kind().waits {
			names = append(names, c.kind().id+" of "+c.name)
		}
	}
	return names
}
