package main

import (
	"context"
	"encoding/base64"
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

// task is one or more lines of the report that are found out together.
type task struct {
	name string
	run  func(context.Context) []check
}

// plan is everything there is to check, in the order of the report. No task waits for another, except that who finds
// something amiss looks at what may explain it.
func (d *doctor) plan() []task {
	tasks := []task{{"keys", d.checkKeys}}
	if d.domain == "" {
		return tasks
	}
	rs := records(d.domain, d.satellite, d.proxy != nil)
	tasks = append(tasks, task{"name servers", d.checkZone})
	for _, r := range rs {
		tasks = append(tasks, task{r.host, one(d.checkRecord, r)})
	}
	if !d.satellite {
		tasks = append(tasks, task{"instance id", func(ctx context.Context) []check { return d.checkIDs(ctx, rs) }})
	}
	for _, r := range rs {
		if r.serves {
			tasks = append(tasks, task{"CAA of " + r.host, one(d.checkCAA, r.host)})
		}
	}
	for _, r := range rs {
		if r.serves {
			tasks = append(tasks, task{"certificate of " + r.host, one(d.checkCert, r)})
		}
	}
	tasks = append(tasks, task{"keys of the Frontend API", d.checkFrontend}, task{"issuer", one(d.checkIssuer, d.frontend())})
	if len(d.parties) == 0 {
		tasks = append(tasks, task{"allowlist", d.noParties})
	}
	for i := range d.parties {
		tasks = append(tasks, task{d.parties[i], one(d.checkParty, d.parties[i])})
	}
	return append(tasks, task{"token", d.checkToken})
}

func one[T any](run func(context.Context, T) check, of T) func(context.Context) []check {
	return func(ctx context.Context) []check { return []check{run(ctx, of)} }
}

// examine runs the plan and tells done of every task that is finished.
func (d *doctor) examine(ctx context.Context, done func(finished, all int, name string)) []check {
	tasks := d.plan()
	var mu sync.Mutex
	finished := 0
	lines := each(tasks, func(t task) []check {
		found := t.run(ctx)
		mu.Lock()
		defer mu.Unlock()
		finished++
		done(finished, len(tasks), t.name)
		return found
	})
	var checks []check
	for _, l := range lines {
		checks = append(checks, l...)
	}
	return checks
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

// publishableKey is the key of the instance: what was given, if it fits, or else the one that Clerk must have given it.
func (d *doctor) publishableKey() string {
	k, err := parseKey(d.key)
	if err == nil && k.live && (d.satellite || k.host == "clerk."+d.domain) {
		return d.key
	}
	return "pk_live_" + base64.RawStdEncoding.EncodeToString([]byte("clerk."+d.domain+"$"))
}
