package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/publicsuffix"
)

// zoneState is what is known about the domain's zone, on which every record depends.
type zoneState struct {
	zone

	serving []server // those that answer for the zone with authority
	checks  []check
	blocker *ref // the check that makes all records wrong; nil: none
}

// block adds a check that explains all others.
func (f *zoneState) block(c check) {
	f.checks = append(f.checks, c)
	f.blocker = c.ref()
}

// zoneState is found once.
func (d *doctor) zoneState(ctx context.Context) zoneState {
	return remember(&d.seen, "zone of "+d.domain, func() zoneState { return d.lookAtZone(ctx) })
}

func (d *doctor) checkZone(ctx context.Context) []check { return d.zoneState(ctx).checks }

// offline is the check that explains everything if the internet cannot be seen; otherwise nil.
func (d *doctor) offline(ctx context.Context) *ref {
	if b := d.zoneState(ctx).blocker; b != nil && b.code == internetUnreachable {
		return b
	}
	return nil
}

func (d *doctor) lookAtZone(ctx context.Context) zoneState {
	f := zoneState{zone: d.net.zoneOf(ctx, d.domain)}
	soa := question{name: d.domain, qtype: dns.TypeSOA}
	public, local := d.net.alive(ctx)
	switch {
	case len(public)+len(local) == 0:
		f.block(check{
			code: internetUnreachable, name: d.domain, says: "no resolver answers, of " + serverNames(slices.Concat(d.net.local, d.net.public)),
			fix: []string{"check the network here, or name other servers with -resolver and -public-resolver"},
			see: []string{soa.dig(server{})},
		})
	case f.apex == "" && !f.absent, f.absent && d.net.blind(ctx, d.domain):
		d.nothingSeen(ctx, &f, soa)
	case f.absent:
		f.block(check{
			code: domainMissing, name: d.domain, says: "the servers of " + orRoot(f.apex) + " answer NXDOMAIN: the domain is not registered, or has no name servers",
			fix: []string{"check the spelling", "check at the registrar that the domain has not expired and has name servers"},
			see: []string{soa.dig(server{})},
		})
	case d.notYours(f.apex) && d.proxy != nil:
		suffix, _ := publicsuffix.PublicSuffix(d.domain)
		f.block(check{code: recordsImpossible, name: d.domain, says: "only the operator of " + suffix + " could add them, and behind a proxy nobody has to"})
	case d.notYours(f.apex):
		suffix, _ := publicsuffix.PublicSuffix(d.domain)
		f.block(check{
			code: domainNotYours, name: d.domain, says: "it is a name in the zone of " + suffix + ", where only the operator of " + suffix + " can add records",
			fix: []string{
				"give the application a domain of your own, and run clerk-doctor with it",
				"or serve Clerk through a proxy of the application, and say so with -proxy-url",
			},
			see: []string{soa.dig(server{})},
		})
	default:
		d.checkServers(ctx, &f)
	}
	return f
}

// nothingSeen: the resolvers answer, but do not know the domain's name servers.
func (d *doctor) nothingSeen(ctx context.Context, f *zoneState, soa question) {
	c := check{name: d.domain, see: []string{soa.dig(f.said.from)}}
	if d.net.blind(ctx, d.domain) {
		c.code, c.says = internetUnreachable, errBlind.Error()
		c.fix = []string{"run this where the internet can be reached, or name other servers with -resolver and -public-resolver"}
	} else {
		c.code, c.says = resolversFail, fmt.Sprintf("%s %s, and no zone above it says to which servers it is delegated", f.said.from, f.said.answersTo(soa))
		c.fix = resolverAdvice(f.said)
	}
	f.block(c)
}

// notYours reports whether the domain is a name that a hosting provider assigns below its own, such as my-app.vercel.app.
// If a name like example.uk.com was sold as a domain, it has its own zone.
func (d *doctor) notYours(apex string) bool {
	suffix, icann := publicsuffix.PublicSuffix(d.domain)
	return !icann && strings.Contains(suffix, ".") && within(suffix, apex)
}

func orRoot(name string) string {
	if name == "" {
		return "the root"
	}
	return name
}

func serverNames(all []server) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.String()
	}
	return strings.Join(names, ", ")
}

// serverCheck is a server's answer about its own zone.
type serverCheck struct {
	server
	reply
	lame   string // why the answer does not count; "" if it does
	failed bool   // it answers other queries about the zone, but not this one
}

// checkServer queries the zone's SOA, and also other records of the zone, so that a server does not count as lame because
// of one query.
func (d *doctor) checkServer(ctx context.Context, s server, q question) serverCheck {
	replies := each([]uint16{dns.TypeSOA, dns.TypeNS, dns.TypeA}, func(t uint16) reply {
		q := q
		q.qtype = t
		return d.net.ask(ctx, s, q)
	})
	at := serverCheck{server: s, reply: replies[0], lame: lameness(replies[0], q)}
	if at.lame != "" && slices.ContainsFunc(replies[1:], func(r reply) bool { return lameness(r, q) == "" }) {
		at.lame, at.failed = "", true
	}
	return at
}

// checkServers queries every name server of the zone for its SOA.
func (d *doctor) checkServers(ctx context.Context, f *zoneState) {
	q := question{name: f.apex, qtype: dns.TypeSOA, direct: true}
	all := each(f.servers, func(s server) serverCheck { return d.checkServer(ctx, s, q) })
	d.checkQueries(f, all, q)
	var good, bad, unrouted []serverCheck
	noIPv6 := !slices.ContainsFunc(all, func(s serverCheck) bool { return s.ipv6 && s.err == nil })
	for _, s := range all {
		switch {
		case s.lame == "":
			good = append(good, s)
			f.serving = append(f.serving, s.server)
		case errors.Is(s.err, errNoRouteToDNS), s.ipv6 && noIPv6: // then this network is probably the cause
			unrouted = append(unrouted, s)
		default:
			bad = append(bad, s)
		}
	}
	if f.err != nil || f.unseen && len(f.serving) == 0 {
		d.checkBroken(ctx, f, bad, q)
	} else {
		d.judgeServers(f, good, bad, unrouted, q)
	}
}

// checkBroken explains why resolvers fail on the zone.
func (d *doctor) checkBroken(ctx context.Context, f *zoneState, bad []serverCheck, q question) {
	soa := question{name: d.domain, qtype: dns.TypeSOA}
	if c := d.dnssec(ctx, f.zone, f.serving, soa, f.said); c != nil {
		f.block(*c)
		return
	}
	failed := slices.Concat(lamenessOf(bad), f.lost)
	if len(f.serving) > 0 || len(failed) == 0 {
		f.block(check{
			code: resolversFail, name: f.apex,
			says: f.said.from.String() + " " + f.said.answersTo(soa) + elsewhere(f.serving),
			fix:  resolverAdvice(f.said), see: []string{soa.dig(f.said.from), q.dig(first(f.servers))},
		})
		return
	}
	c := check{
		code: serversAllLame, name: f.apex, says: strings.Join(failed, "; "),
		fix: []string{"create the zone at the provider these servers belong to, or name the right servers at the registrar"},
		see: []string{soa.dig(server{})},
	}
	for _, s := range bad {
		c.see = append(c.see, q.dig(s.server))
	}
	f.block(c)
}

func elsewhere(serving []server) string {
	if len(serving) == 0 {
		return ""
	}
	return ", although " + serverNames(serving) + " can be queried from here"
}

func first(all []server) server {
	if len(all) == 0 {
		return server{}
	}
	return all[0]
}

func lamenessOf(bad []serverCheck) []string {
	var words []string
	for _, s := range bad {
		words = append(words, s.String()+" "+s.lame)
	}
	return words
}

// judgeServers reports servers with problems in a zone that resolvers can find.
func (d *doctor) judgeServers(f *zoneState, good, bad, unrouted []serverCheck, q question) {
	c := check{name: f.apex, see: []string{question{name: f.apex, qtype: dns.TypeNS}.dig(server{})}}
	for _, s := range slices.Concat(bad, good) {
		c.see = append(c.see, q.dig(s.server))
	}
	wrong := slices.Concat(lamenessOf(bad), f.lost)
	switch {
	case len(good) > 0 && len(wrong) > 0:
		c.code, c.says = serversLame, strings.Join(wrong, "; ")
		c.fix = []string{"set the zone up there, or take that server out of the delegation at the registrar"}
	case len(f.servers) > 0 && len(wrong) == 0 && !slices.ContainsFunc(f.servers, func(s server) bool { return !s.ipv6 }):
		c.code, c.says = serversIPv6Only, serverNames(f.servers)+": resolvers without IPv6 cannot find the domain"
		if len(unrouted) > 0 {
			c.says += ", and from here it cannot be queried either"
		}
		c.fix = []string{"give at least one name server an IPv4 address"}
	case len(good) > 0:
		c.code, c.says = serversGood, serverNames(f.serving)
	default:
		c.code, c.says = serversUnreachable, strings.Join(slices.Concat(wrong, lamenessOf(unrouted)), "; ")+", although resolvers find the domain"
		c.fix = []string{"nothing, if a firewall here lets DNS through to some resolvers only; what public resolvers say is used instead"}
	}
	f.checks = append(f.checks, c)
}

// checkQueries finds servers that fail only on the SOA, or on EDNS. Resolvers no longer retry without EDNS (since the DNS
// flag day of 2019), so for them a server that drops such queries is down.
func (d *doctor) checkQueries(f *zoneState, all []serverCheck, q question) {
	for _, s := range all {
		if s.failed {
			f.checks = append(f.checks, failure{s.server, q, s.reply}.check())
		}
		if s.dropsEDNS {
			f.checks = append(f.checks, check{
				code: serverWithoutEDNS, name: s.String(), says: "answers only when EDNS is left out, which public resolvers no longer try (RFC 6891)",
				fix: []string{"have its operator update the server, or the firewall before it"},
				see: []string{q.dig(s.server), strings.Replace(q.dig(s.server), "dig ", "dig +noedns ", 1)},
			})
		}
	}
}

// lameness is why a server's answer about its own zone does not count; "" if it does.
func lameness(r reply, q question) string {
	switch {
	case r.err != nil || r.rcode != dns.RcodeSuccess:
		return r.answersTo(q)
	case !r.authoritative:
		return "answers " + q.String() + " without authority"
	}
	return ""
}

// resolverAdvice is what to do about a resolver's failure that DNSSEC does not explain.
func resolverAdvice(r reply) []string {
	switch {
	case r.explains(dns.ExtendedErrorCodeNoReachableAuthority, dns.ExtendedErrorCodeNetworkError):
		return []string{"the resolver cannot reach the name servers: ask the DNS provider about outages, firewalls and rate limits that keep it out"}
	case r.explains(dns.ExtendedErrorCodeBlocked, dns.ExtendedErrorCodeCensored, dns.ExtendedErrorCodeFiltered, dns.ExtendedErrorCodeProhibited):
		return []string{"the resolver refuses by a policy of its own: ask its operator, or name another with -public-resolver"}
	case r.rcode == dns.RcodeRefused:
		return []string{"the resolver refuses to answer here: name another with -public-resolver"}
	}
	return []string{"show the DNS provider these queries: its servers do not give resolvers an answer they can use"}
}
