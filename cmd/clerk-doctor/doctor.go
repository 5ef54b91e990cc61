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

// doctor makes all checks once, at the same time. It is safe for concurrent use.
type doctor struct {
	options
	net *network

	seen sync.Map // what several checks need, found once: from name to func() of any type
}

func newDoctor(o options, n *network) *doctor {
	d := &doctor{options: o, net: n}
	n.dialName = d.dialName
	return d
}

// task makes one or more lines of the report.
type task func(context.Context) []check

// plan is all checks, in the order of the report. No task waits for another, unless it found a problem that another may
// explain.
func (d *doctor) plan() []task {
	tasks := []task{d.checkKeys}
	if d.domain == "" {
		if _, err := parseKey(d.key); err == nil { // a development instance has no records to check
			tasks = append(tasks, d.checkFrontend)
		}
		return append(tasks, d.partyTasks(true), d.checkToken)
	}
	tasks = append(tasks, d.checkZone)
	rs := records(d.domain, d.satellite, d.proxy != nil)
	var blocks, certs []task
	for _, r := range rs {
		tasks = append(tasks, d.possible(func(ctx context.Context) []check { return d.checkRecord(ctx, r) }))
		if r.serves {
			blocks = append(blocks, d.possible(func(ctx context.Context) []check { return []check{d.checkCAA(ctx, r)} }))
			certs = append(certs, d.possible(func(ctx context.Context) []check { return []check{d.checkCert(ctx, r)} }))
		}
	}
	tasks = append(tasks,
		func(ctx context.Context) []check { return d.checkIDs(ctx, rs) },
		func(ctx context.Context) []check { return d.checkResolver(ctx, rs) },
	)
	tasks = slices.Concat(tasks, blocks, certs, []task{d.checkFrontend, d.partyTasks(false), d.checkToken})
	return tasks
}

// partyTasks checks the allowlist. For a development instance only the form of the entries counts.
func (d *doctor) partyTasks(development bool) task {
	return func(ctx context.Context) []check {
		if len(d.parties) == 0 {
			return []check{{code: partiesNotGiven, name: "authorized parties", says: "CLERK_AUTHORIZED_PARTIES or -authorized-party"}}
		}
		return each(d.parties, func(p string) check { return d.checkParty(ctx, p, development) })
	}
}

// possible is a task that is omitted if nobody can add records.
func (d *doctor) possible(run task) task {
	return func(ctx context.Context) []check {
		if d.impossible(ctx) {
			return nil
		}
		return run(ctx)
	}
}

// examine runs all tasks at once and calls done for every task that has finished.
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

// each calls do for all at once and keeps their order.
func each[T, R any](all []T, do func(T) R) []R {
	results := make([]R, len(all))
	var wg sync.WaitGroup
	for i, one := range all {
		wg.Go(func() { results[i] = do(one) })
	}
	wg.Wait()
	return results
}

// evidence is gathered once per host.
func (d *doctor) evidence(ctx context.Context, r record) evidence {
	return remember(&d.seen, "evidence of "+r.host, func() evidence { return d.gather(ctx, r) })
}

// dialName is the name whose addresses are used for host. If the zone has the right CNAME, that is its target: this shows
// what Clerk serves even while resolvers have something else in their caches.
func (d *doctor) dialName(ctx context.Context, host string) string {
	for _, r := range records(d.domain, d.satellite, d.proxy != nil) {
		if r.host != host || !r.serves || d.domain == "" {
			continue
		}
		e := d.evidence(ctx, r)
		if best, known := e.best(); known && e.cut != host && e.fitOf(best) == int(right) {
			return best.target
		}
	}
	return host
}

// frontend is the address of the domain's Frontend API.
func (d *doctor) frontend() string {
	if d.proxy != nil {
		return d.proxy.String()
	}
	if k, err := parseKey(d.key); d.domain == "" && err == nil {
		return "https://" + k.host
	}
	return "https://clerk." + d.domain
}

// publishableKey is the key of the instance. A satellite has that of its primary domain; without a domain it is the given
// one. Otherwise the key follows from the domain, so that a wrong one, which is reported, does not affect the other checks.
func (d *doctor) publishableKey() string {
	if k, err := parseKey(d.key); err == nil && (d.domain == "" || d.satellite && k.live) {
		return d.key
	}
	return "pk_live_" + base64.RawStdEncoding.EncodeToString([]byte("clerk."+d.domain+"$"))
}
