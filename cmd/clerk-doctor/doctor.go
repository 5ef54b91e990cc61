package main

import (
	"context"
	"encoding/base64"
	"slices"
	"sync"
)

// The groups of the report, in its order.
const (
	groupKeys    = "Keys"
	groupDNS     = "DNS"
	groupCAA     = "CAA"
	groupCerts   = "Certificates"
	groupAPI     = "Frontend API"
	groupParties = "Allowlist"
	groupToken   = "Token"
)

// doctor is one round of checks. Safe for concurrent use: the checks of a round run at once.
type doctor struct {
	options
	net *network

	seen sync.Map // host to func() evidence
}

// task finds out one or more lines of the report.
type task func(context.Context) []check

// plan is everything there is to check, in the order of the report. No task waits for another, except that who finds
// something amiss looks at what may explain it.
func (d *doctor) plan() []task {
	tasks := []task{d.checkKeys}
	if d.domain == "" {
		return tasks
	}
	tasks = append(tasks, d.checkZone)
	rs := records(d.domain, d.satellite, d.proxy != nil)
	var blocks, certs []task
	for _, r := range rs {
		tasks = append(tasks, one(d.checkRecord, r))
		if r.serves {
			blocks = append(blocks, one(d.checkCAA, r.host))
			certs = append(certs, one(d.checkCert, r))
		}
	}
	tasks = append(tasks, func(ctx context.Context) []check { return d.checkIDs(ctx, rs) })
	tasks = slices.Concat(tasks, blocks, certs, []task{d.checkFrontend, one(d.checkIssuer, d.frontend())})
	if len(d.parties) == 0 {
		tasks = append(tasks, d.noParties)
	}
	for _, p := range d.parties {
		tasks = append(tasks, one(d.checkParty, p))
	}
	return append(tasks, d.checkToken)
}

func one[T any](run func(context.Context, T) check, of T) task {
	return func(ctx context.Context) []check { return []check{run(ctx, of)} }
}

// examine runs the plan at once and tells done of every task that is finished.
func (d *doctor) examine(ctx context.Context, done func(finished, all int)) []check {
	tasks := d.plan()
	var mu sync.Mutex
	finished := 0
	lines := each(tasks, func(run task) []check {
		found := run(ctx)
		mu.Lock()
		defer mu.Unlock()
		finished++
		done(finished, len(tasks))
		return found
	})
	return slices.Concat(lines...)
}

// each does the same to all at once and keeps their order.
func each[T, R any](all []T, do func(T) R) []R {
	results := make([]R, len(all))
	var wg sync.WaitGroup
	for i, one := range all {
		wg.Go(func() { results[i] = do(one) })
	}
	wg.Wait()
	return results
}

// evidence is gathered once per host, whoever asks first.
func (d *doctor) evidence(ctx context.Context, r record) evidence {
	return remember(&d.seen, r.host, func() evidence { return d.gather(ctx, r) })
}

// frontend is where browsers reach the Frontend API of the domain.
func (d *doctor) frontend() string {
	if d.proxy != nil {
		return d.proxy.String()
	}
	return "https://clerk." + d.domain
}

// publishableKey is the key of the instance. A satellite has that of its primary domain; what any other must be follows from its
// domain, so that a wrong one, which is reported, does not spoil the other checks.
func (d *doctor) publishableKey() string {
	if k, err := parseKey(d.key); d.satellite && err == nil && k.live {
		return d.key
	}
	return "pk_live_" + base64.RawStdEncoding.EncodeToString([]byte("clerk."+d.domain+"$"))
}
