package main

import (
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// spread checks whether all servers agree with the best one. The zone's servers come first: if they disagree, no other can
// be right.
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
	e.judgePublic(c, best)
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

// judgePublic checks the public resolvers, none of which contradicts the zone.
func (e evidence) judgePublic(c *check, best sighting) {
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

// refused reports whether the server refused to answer.
func (s sighting) refused() bool { return s.rcode == dns.RcodeRefused }
