package main

import (
	"context"
	"slices"

	"github.com/miekg/dns"
)

// checkResolver compares this machine's resolver with the public ones.
func (d *doctor) checkResolver(ctx context.Context, rs []record) []check {
	public, local := d.net.alive(ctx)
	if d.zoneState(ctx).blocker != nil || len(public) == 0 {
		return nil
	}
	var checks []check
	if len(local) == 0 && len(d.net.local) > 0 {
		checks = append(checks, check{
			code: resolverSilent, name: serverNames(d.net.local), says: "public resolvers were asked instead",
			fix: []string{"check the resolver that this machine uses: programs here cannot look up names"},
		})
	}
	for _, r := range rs {
		e := d.evidence(ctx, r)
		best, known := e.best()
		if e.local == nil || !known || r.optional && best.target == "" || e.local.conclusive() && e.likeOthers(best) {
			continue
		}
		checks = append(checks, compare(e, best))
	}
	return checks
}

// likeOthers reports whether the local resolver agrees with the zone, or with a public resolver, whose difference is
// reported already.
func (e evidence) likeOthers(best sighting) bool {
	return e.local.target == best.target || slices.ContainsFunc(e.public, func(s sighting) bool { return s.conclusive() && s.target == e.local.target })
}

func compare(e evidence, best sighting) check {
	c := check{code: resolverDiffers, name: e.host, see: []string{e.local.dig(), best.dig()}}
	if !e.local.conclusive() {
		c.says = e.local.String() + " says " + e.local.short() + ", but public resolvers answer"
		c.fix = []string{"programs on this machine cannot look the name up: ask whoever runs the resolver"}
		return c
	}
	said := e.local.words()
	if e.local.target != "" {
		said = e.local.target
	} else if e.local.rcode == dns.RcodeSuccess {
		said = "that there is no CNAME"
	}
	c.says = e.local.String() + " says " + said + keeps(e.local.wait) + "; " + best.String() + " says " + orNone(best.target)
	c.fix = []string{"programs on this machine see the wrong one: ask whoever runs the resolver whether it has a zone of its own for the domain; if it has an old answer, wait"}
	return c
}

func orNone(target string) string {
	if target == "" {
		return "that there is none"
	}
	return target
}
