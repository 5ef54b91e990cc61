package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// spread says whether all servers say what the best one says. Those of the zone go first: what they disagree on cannot be right elsewhere.
func (e evidence) spread(c *check, best sighting, how fit) {
	if behind := e.differing(e.direct, best); len(behind) > 0 && best.q.direct {
		c.code, c.says = cnameUneven, best.String()+" has it, not "+namesOf(behind)
		c.fix = []string{"wait for the name servers to copy the zone from each other; if it does not pass, show the DNS provider which one lags behind"}
		c.see = append(c.see, digs(behind)...)
		return
	}
	if old := e.differing(e.public, best); len(old) > 0 {
		var wait time.Duration
		for _, s := range old {
			wait = max(wait, s.wait)
		}
		c.code, c.says = cnamePending, best.String()+" has it, not yet "+namesOf(old)+keeps(wait)
		c.fix = []string{"wait, or run again with -wait"}
		c.see = append(c.see, digs(old)...)
		return
	}
	e.reach(c, best)
	switch {
	case c.code != cnameGood:
	case e.wildcard != "":
		c.code, c.says = cnameByWildcard, "to "+best.target+", the same as any other name in the place of the * of "+e.wildcard
		c.fix = append(e.add(), "a record of its own stays when the wildcard changes")
	case how == unusual:
		c.code, c.says = cnameUnusual, "to "+best.target+", not to "+e.targets[0]
		c.fix = []string{"compare it with the Domains page of Clerk's Dashboard"}
	}
}

// reach judges the public resolvers, of which none says anything else than the zone.
func (e evidence) reach(c *check, best sighting) {
	var failed []sighting
	same := 0
	for _, s := range e.public {
		if s.conclusive() {
			same++
		} else {
			failed = append(failed, s)
		}
	}
	var words []string
	for _, s := range failed {
		words = append(words, s.String()+" says "+s.short())
	}
	said := strings.Join(words, "; ")
	broken := slices.IndexFunc(failed, func(s sighting) bool { return s.err == nil && !s.refused() })
	switch {
	case len(failed) == 0 && same > 0:
		c.code, c.says = cnameGood, "CNAME "+best.target
		return
	case same > 0:
		c.code, c.says, c.fix = resolverFails, said+"; others have it", resolverAdvice(failed[0].reply)
	case broken >= 0:
		c.code, c.says, c.fix = resolversFail, said+", although "+best.String()+" has the CNAME", resolverAdvice(failed[broken].reply)
	case len(failed) > 0:
		c.code, c.says, c.fix = publicUnusable, said, resolverAdvice(failed[0].reply)
	default:
		c.code, c.says = publicUnusable, best.String()+" has the CNAME, and no public resolver answers here"
		c.fix = []string{"check the network here, or name others with -public-resolver"}
	}
	c.see = append(c.see, digs(failed)...)
}

func (e evidence) differing(all []sighting, best sighting) []sighting {
	return slices.DeleteFunc(slices.Clone(all), func(s sighting) bool { return !s.conclusive() || s.target == best.target })
}

func namesOf(all []sighting) string {
	servers := make([]server, len(all))
	for i, s := range all {
		servers[i] = s.server
	}
	return serverNames(servers)
}

func digs(all []sighting) []string {
	lines := make([]string, len(all))
	for i, s := range all {
		lines[i] = s.dig()
	}
	return lines
}

// checkRecord judges one CNAME, and each query about it that a server of the zone fails on.
func (d *doctor) checkRecord(ctx context.Context, r record) []check {
	if r.optional && !d.hasSecondMail(ctx) {
		return nil
	}
	e := d.evidence(ctx, r)
	found := judge(e)
	checks := []check{found}
	if found.code == serversQueryFail || len(e.lame) > 0 {
		return checks // the queries are named there, or not one is answered here
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

func (f failure) check() check {
	said := f.reply.short()
	if f.reply.usable() && !f.reply.authoritative {
		said = "an answer without authority"
	}
	return check{
		code: serverQuery, name: f.server.String(), says: f.q.String() + ": " + said,
		fix: []string{"show the DNS provider these queries: its server answers others, and resolvers that ask it these fail"},
		see: []string{f.q.dig(f.server)},
	}
}

// short is what came, or did not.
func (r reply) short() string {
	switch {
	case r.err != nil && timedOut(r.err):
		return "no answer"
	case r.err == nil && r.hollow():
		return "NOERROR with nothing in it"
	}
	return r.words()
}

// recordCheck is the check of the CNAME itself.
func (d *doctor) recordCheck(ctx context.Context, r record) check { return judge(d.evidence(ctx, r)) }

// impossible is whether nobody can add records to the domain, and nobody has to: it is a host's, and behind a proxy.
func (d *doctor) impossible(ctx context.Context) bool {
	b := d.foundation(ctx).blocker
	return b != nil && b.code == recordsImpossible
}

// hasSecondMail is whether a record of the second mail provider is there: then all are to be.
func (d *doctor) hasSecondMail(ctx context.Context) bool {
	if d.foundation(ctx).blocker != nil {
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

// checkResolver compares what this machine's resolver says with what the world sees.
func (d *doctor) checkResolver(ctx context.Context, rs []record) []check {
	public, local := d.net.alive(ctx)
	if d.foundation(ctx).blocker != nil || len(public) == 0 {
		return nil
	}
	var checks []check
	if len(local) == 0 && len(d.net.local) > 0 {
		checks = append(checks, check{
			code: resolverSilent, name: serverNames(d.net.local), says: "public resolvers were asked instead",
			fix: []string{"check the resolver that this machine is set up with: programs here cannot look up names"},
		})
	}
	for _, r := range rs {
		e := d.evidence(ctx, r)
		best, known := e.best()
		if e.local == nil || !known || r.optional && best.target == "" || e.local.conclusive() && e.local.target == best.target {
			continue
		}
		checks = append(checks, d.compare(e, best))
	}
	return checks
}

func (d *doctor) compare(e evidence, best sighting) check {
	c := check{code: resolverDiffers, name: e.host, see: []string{e.local.dig(), best.dig()}}
	if !e.local.conclusive() {
		c.says = e.local.String() + " says " + e.local.short() + ", and the world has an answer"
		c.fix = []string{"programs on this machine cannot look the name up: ask whoever runs the resolver"}
		return c
	}
	said := e.local.words()
	if e.local.target != "" {
		said = e.local.target
	} else if e.local.rcode == dns.RcodeSuccess {
		said = "that there is no CNAME"
	}
	c.says = e.local.String() + " says " + said + keeps(e.local.wait) + "; the world sees " + worldly(best)
	c.fix = []string{"programs on this machine see the wrong one: ask whoever runs the resolver whether it has a zone of its own for the domain; if it has an old answer, wait"}
	return c
}

func worldly(best sighting) string {
	if best.target == "" {
		return "no CNAME"
	}
	return best.target
}

// refused is whether the server would not answer for a reason of its own.
func (s sighting) refused() bool { return s.rcode == dns.RcodeRefused }
