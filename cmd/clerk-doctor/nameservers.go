package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// checkZone says whether the name servers of the domain do their work, since every other answer rests on them.
func (d *doctor) checkZone(ctx context.Context) []check {
	z := d.net.zoneOf(ctx, d.domain)
	c := check{Group: groupDNS, Name: "name servers", See: []string{d.dig(d.domain, "NS")}}
	if z.apex == "" {
		c.Status, c.Says = unknown, fmt.Sprintf("%s does not say who answers for %s: %s", d.net.resolver.name, d.domain, plainly(z.err))
		c.Fix = []string{"check the network here, or name another resolver with -resolver"}
		return []check{c}
	}
	c.See = []string{d.dig(z.apex, "NS")}
	switch {
	case z.bogus:
		bogusZone(&c, z)
	case z.vacant:
		c.Status, c.Says = fail, d.domain+" is not delegated: only "+z.apex+" is there"
		c.Fix = []string{"check the spelling, and at the registrar that the domain has not expired and has name servers"}
		c.See = []string{d.dig(d.domain, "NS")}
	default:
		d.judgeServers(ctx, &c, z)
	}
	return []check{c}
}

func bogusZone(c *check, z zone) {
	c.Status, c.Says = fail, "DNSSEC of "+z.apex+" is broken: "+plainly(z.err)+", but there is an answer without validation"
	c.Fix = []string{
		"remove the DS record at the registrar, or replace it with the one of the provider that signs the zone now",
		"this is what is left behind when a signed domain moves to another DNS provider",
	}
	c.See = []string{"dig " + z.apex + " SOA", "dig +cd " + z.apex + " SOA", "dig +noall +answer " + z.apex + " DS"}
}

// judgeServers asks every name server of the zone for its SOA. An answer without authority is a lame one.
func (d *doctor) judgeServers(ctx context.Context, c *check, z zone) {
	lame := each(z.servers, func(s server) string {
		return lameness(d.net.ask(ctx, s, question{name: z.apex, qtype: dns.TypeSOA, direct: true}))
	})
	var good, bad []string
	for i, s := range z.servers {
		c.See = append(c.See, "dig +norecurse "+z.apex+" SOA @"+s.name)
		if lame[i] == "" {
			good = append(good, s.name)
		} else {
			bad = append(bad, s.name+" ("+lame[i]+")")
		}
	}
	if len(z.servers) == 0 {
		bad = []string{"none has an address"}
	}
	switch {
	case len(good) > 0 && len(bad) == 0:
		c.Status, c.Says = ok, strings.Join(good, ", ")+" answer for "+z.apex
	case len(good) > 0:
		c.Status, c.Says = warn, "not every name server of "+z.apex+" answers for it: "+strings.Join(bad, ", ")
		c.Fix = []string{"set the zone up there, or take that server out of the delegation at the registrar"}
	case z.err == nil:
		c.Status, c.Says = warn, "the name servers of "+z.apex+" do not answer here, though they do elsewhere: "+strings.Join(bad, ", ")
		c.Fix = []string{"nothing, if a firewall here lets DNS through to your resolver only"}
	default:
		c.Status, c.Says = fail, "a lame delegation: no name server of "+z.apex+" answers for it: "+strings.Join(bad, ", ")
		c.Fix = []string{"create the zone at the provider these servers belong to, or name the right servers at the registrar"}
	}
}

// lameness is why a server's answer about its own zone does not count; "" if it does.
func lameness(r reply) string {
	switch {
	case r.err != nil:
		return "no answer"
	case r.rcode != dns.RcodeSuccess:
		return dns.RcodeToString[r.rcode]
	case !r.authoritative:
		return "no authority"
	}
	return ""
}

// dig is the command line for what the resolver was asked.
func (d *doctor) dig(name, qtype string) string {
	line := "dig +noall +answer " + name + " " + qtype
	if d.resolverGiven {
		line += " " + d.net.resolver.dig()
	}
	return line
}
