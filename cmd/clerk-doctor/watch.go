package main

import (
	"context"
	"fmt"
	"time"
)

// lookAgain is the time between two rounds of -wait.
const lookAgain = 10 * time.Second

// watch makes one round of checks or, with -wait, as many as it takes. A round that the end of the time cut short does not
// count: the last whole one is reported.
func watch(ctx context.Context, w world, o options) (report, error) {
	start := w.now()
	var last report
	for round := 1; ; round++ {
		net, err := o.network(w)
		if err != nil {
			return report{}, err
		}
		d := &doctor{options: o, net: net}
		checks := d.examine(ctx, w.progress)
		w.clear()
		if round == 1 || ctx.Err() == nil {
			last = report{Domain: o.domain, Exit: verdict(checks), Checks: checks}
		}
		if !o.wait || last.Exit == exitGood || ctx.Err() != nil {
			return last, nil
		}
		w.waiting(last, w.now().Sub(start))
		if w.pause(ctx, lookAgain); ctx.Err() != nil {
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

// waiting says how far things are, between two rounds of -wait.
func (w world) waiting(r report, passed time.Duration) {
	end := "\n"
	if w.live {
		end = ""
	}
	w.say("waiting for %d of %d, looking again in %v (%v so far)%s",
		open(r.Checks), len(r.Checks), lookAgain, passed.Round(time.Second), end)
}

// open is how many checks keep the report from being good.
func open(checks []check) int {
	n := 0
	for _, c := range checks {
		if c.Status == fail || c.Status == unknown {
			n++
		}
	}
	return n
}
