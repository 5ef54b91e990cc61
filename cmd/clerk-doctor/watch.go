package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// lookAgain is the time between two runs of -wait.
const lookAgain = 10 * time.Second

// watch runs the checks once or, with -wait, until all is well or the problems do not change with time. A run that the end
// of the time, or an interrupt, cuts short does not count: the last complete one is reported.
func watch(ctx context.Context, env environment, o options) (report, error) {
	var last report
	waiting := pending{since: map[ref]time.Time{}}
	for first := true; ; first = false {
		r, err := lookOnce(ctx, env, &o)
		if err != nil && (first || !errors.Is(err, errInterrupted)) {
			return report{}, err
		}
		if first || ctx.Err() == nil {
			last = r
		}
		if !o.wait || last.Exit == exitGood || ctx.Err() != nil || !waiting.goesOn(env, last) {
			return last, nil
		}
		if env.pause(ctx, lookAgain); ctx.Err() != nil {
			return last, nil
		}
	}
}

// lookOnce makes all checks, and puts their domain into the options.
func lookOnce(ctx context.Context, env environment, o *options) (report, error) {
	net, err := o.network(env)
	if err != nil {
		return report{}, err
	}
	d := newDoctor(*o, net)
	d.chooseDomain(ctx)
	o.domain = d.domain
	checks := d.examine(ctx, env.progress)
	env.clear()
	if errors.Is(ctx.Err(), context.Canceled) {
		return report{}, errInterrupted
	}
	return newReport(*o, checks), nil
}

// pending is what -wait remembers from one run to the next.
type pending struct {
	since map[ref]time.Time
	said  string
}

// goesOn reports whether time may make the report good, and says what it waits for, or why it does not.
func (p *pending) goesOn(env environment, r report) bool {
	if idle := idle(r.Findings); len(idle) > 0 {
		env.tell("not waiting: time does not change " + strings.Join(idle, ", "))
		return false
	}
	if now := p.list(r.checks, env.now()); now != p.said {
		env.tell("waiting for " + now)
		p.said = now
	}
	return true
}

const eraseLine = "\r\x1b[K"

// say writes to standard error. If that fails, there is nobody to tell.
func (env environment) say(format string, args ...any) {
	_, _ = fmt.Fprintf(env.stderr, format, args...)
}

// tell writes a line to standard error, broken between words on a terminal.
func (env environment) tell(text string) {
	if env.width == 0 {
		env.say("%s\n", text)
		return
	}
	p := newPage(env, false)
	p.block("", "  ", text, "")
	env.say("%s", p.String())
}

// progress rewrites one line, only on a terminal.
func (env environment) progress(finished, all int) {
	if env.live {
		env.say(eraseLine+"looked at %d of %d", finished, all)
	}
}

func (env environment) clear() {
	if env.live {
		env.say(eraseLine)
	}
}

// list names what is waited for, and since when.
func (p *pending) list(checks []check, now time.Time) string {
	var order []string
	names := map[string][]string{}
	for _, c := range checks {
		if !c.bad() {
			continue
		}
		if _, seen := p.since[*c.ref()]; !seen {
			p.since[*c.ref()] = now
		}
		what := c.kind().id + " since " + p.since[*c.ref()].Format(time.TimeOnly)
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

// idle lists the problems that do not change with time.
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
