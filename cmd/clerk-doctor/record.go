package main

import (
	"context"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

const (
	clerkZone   = "clerk.services"
	clerkWorker = "worker.clerkprod-cloudflare.net" // where frontend-api.clerk.services leads; also valid as a target
)

// record is a CNAME that Clerk requires.
type record struct {
	host     string   // clerk.example.com
	targets  []string // frontend-api.clerk.services; with <id> if each instance has its own. The first is the usual one
	serves   bool     // browsers connect to it, so it needs a certificate
	optional bool     // only some instances have it
}

// records are those of a domain. A satellite needs only the Frontend API; with a proxy, nobody needs that one.
func records(domain string, satellite, proxied bool) []record {
	var rs []record
	if !proxied {
		rs = append(rs, record{host: "clerk." + domain, targets: []string{"frontend-api." + clerkZone, clerkWorker}, serves: true})
	}
	if satellite {
		return rs
	}
	return append(rs,
		record{host: "accounts." + domain, targets: []string{"accounts." + clerkZone}, serves: true},
		record{host: "clkmail." + domain, targets: []string{"mail.<id>." + clerkZone}},
		record{host: "clk._domainkey." + domain, targets: []string{"dkim1.<id>." + clerkZone}},
		record{host: "clk2._domainkey." + domain, targets: []string{"dkim2.<id>." + clerkZone}},
		// The second mail provider, for instances whose Domains page lists it.
		record{host: "clkmail2." + domain, targets: []string{"mail2.<id>." + clerkZone, "clkmail2.<id>." + clerkZone}, optional: true},
		record{host: "pdk1._domainkey.clkmail2." + domain, targets: []string{"dkim3.<id>." + clerkZone}, optional: true},
		record{host: "pdk2._domainkey.clkmail2." + domain, targets: []string{"dkim4.<id>." + clerkZone}, optional: true},
	)
}

// fit is how well a target fits a record.
type fit int

const (
	wrong fit = iota
	swapped
	unusual
	right
)

// match compares a CNAME with the expected targets, and finds the instance's ID in it.
func (r record) match(target string) (fit, string) {
	for _, want := range r.targets {
		if id, matches := matchTarget(want, target); matches {
			return right, id
		}
	}
	switch {
	case owner(target) != "":
		return swapped, ""
	case within(target, clerkZone):
		return unusual, ""
	}
	return wrong, ""
}

// matchTarget compares a target with a pattern that may have an <id>.
func matchTarget(pattern, target string) (id string, matches bool) {
	before, after, hasID := strings.Cut(pattern, "<id>")
	if !hasID {
		return "", target == pattern
	}
	id, begins := strings.CutPrefix(target, before)
	id, ends := strings.CutSuffix(id, after)
	return id, begins && ends && id != "" && !strings.Contains(id, ".")
}

// owner is the name, without the domain, of the record that a target belongs to; "" if none.
func owner(target string) string {
	for _, r := range records("", false, false) {
		if slices.ContainsFunc(r.targets, func(pattern string) bool {
			_, matches := matchTarget(pattern, target)
			return matches
		}) {
			return strings.TrimSuffix(r.host, ".")
		}
	}
	return ""
}

func (r record) hasID() bool { return strings.Contains(r.targets[0], "<id>") }

// checkRecord checks one CNAME, and each query about it on which a server of the zone fails.
func (d *doctor) checkRecord(ctx context.Context, r record) []check {
	if r.optional && !d.hasSecondMail(ctx) {
		return nil
	}
	e := d.evidence(ctx, r)
	found := judge(e)
	checks := []check{found}
	if found.code == serversQueryFail || len(e.lame) > 0 {
		return checks // the queries are listed there, or none is answered here
	}
	for _, f := range e.failing {
		c := f.check()
		if caa := d.checkCAA(ctx, r); f.q.qtype == dns.TypeCAA && caa.bad() {
			c.cause = caa.ref()
		}
		checks = append(checks, c)
	}
	return checks
}

// recordCheck is the check of the CNAME itself.
func (d *doctor) recordCheck(ctx context.Context, r record) check { return judge(d.evidence(ctx, r)) }

// impossible reports whether nobody can add records to the domain, and nobody has to: it is a hosting provider's, and has a
// proxy.
func (d *doctor) impossible(ctx context.Context) bool {
	b := d.zoneState(ctx).blocker
	return b != nil && b.code == recordsImpossible
}

// hasSecondMail reports whether a record of the second mail provider exists: then all are required.
func (d *doctor) hasSecondMail(ctx context.Context) bool {
	if d.zoneState(ctx).blocker != nil {
		return false
	}
	return slices.ContainsFunc(records(d.domain, d.satellite, d.proxy != nil), func(r record) bool {
		if !r.optional {
			return false
		}
		e := d.evidence(ctx, r)
		best, _ := e.best()
		return best.target != "" && e.wildcard == "" && e.redirect == "" || e.doubled != ""
	})
}
