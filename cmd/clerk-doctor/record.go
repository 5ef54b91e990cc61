package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

const (
	clerkZone   = "clerk.services"
	clerkWorker = "worker.clerkprod-cloudflare.net" // where frontend-api.clerk.services leads; fine as a target of its own
)

// record is a CNAME that Clerk wants to see.
type record struct {
	host   string // clerk.example.com
	target string // frontend-api.clerk.services; with <id> where each instance has its own
	serves bool   // it is reached by browsers, so that it needs a certificate
}

// records are those of a domain. A satellite needs the Frontend API only; behind a proxy nobody needs that one.
func records(domain string, satellite, proxied bool) []record {
	var rs []record
	if !proxied {
		rs = append(rs, record{"clerk." + domain, "frontend-api." + clerkZone, true})
	}
	if satellite {
		return rs
	}
	return append(rs,
		record{"accounts." + domain, "accounts." + clerkZone, true},
		record{"clkmail." + domain, "mail.<id>." + clerkZone, false},
		record{"clk._domainkey." + domain, "dkim1.<id>." + clerkZone, false},
		record{"clk2._domainkey." + domain, "dkim2.<id>." + clerkZone, false},
	)
}

// fit is how good a target is for a record.
type fit int

const (
	wrong fit = iota
	unusual
	right
)

// match compares what a CNAME says with what it should say, and finds the instance's id in it.
func (r record) match(target string) (fit, string) {
	before, after, hasID := strings.Cut(r.target, "<id>")
	switch {
	case target == r.target, target == clerkWorker && strings.HasPrefix(r.host, "clerk."):
		return right, ""
	case hasID && strings.HasPrefix(target, before) && strings.HasSuffix(target, after):
		id := strings.TrimSuffix(strings.TrimPrefix(target, before), after)
		if id != "" && !strings.Contains(id, ".") {
			return right, id
		}
	}
	if within(target, clerkZone) {
		return unusual, ""
	}
	return wrong, ""
}

// sighting is what one server says of a record.
type sighting struct {
	server server
	reply
	target string        // of the CNAME; "" if there is none
	wait   time.Duration // how long a resolver may keep saying so
}

func sight(s server, host string, r reply) sighting {
	seen := sighting{server: s, reply: r}
	if aliases := r.owned(host, dns.TypeCNAME); len(aliases) > 0 {
		seen.target = plain(aliases[0].(*dns.CNAME).Target)
		seen.wait = time.Duration(aliases[0].Header().Ttl) * time.Second
	} else if soa := r.soa(); soa != nil {
		seen.wait = time.Duration(min(soa.Hdr.Ttl, soa.Minttl)) * time.Second // RFC 2308, 5
	}
	return seen
}

// evidence is all that is known of one record.
type evidence struct {
	record
	apex          string
	bogus         bool
	vacant        bool
	blind         bool
	authoritative []sighting
	public        []sighting
	addrs         []netip.Addr // at the host itself, where a CNAME should be
	targetAddrs   []netip.Addr // where the CNAME should have led
	beside        []string     // types of other records at the host
	doubled       string       // where the CNAME was found, if the zone's name was appended twice
	targetMissing bool         // the CNAME leads to a name that does not exist
}

// gather asks all servers at once. Only then, and only if something is amiss, does it ask for the reason.
func (d *doctor) gather(ctx context.Context, r record) evidence {
	z := d.net.zoneOf(ctx, parent(r.host))
	e := evidence{record: r, apex: z.apex, bogus: z.bogus, vacant: z.vacant}
	if z.vacant {
		return e
	}
	e.authoritative = d.sightings(ctx, z.servers, r.host, true)
	e.public = d.sightings(ctx, d.net.public, r.host, false)
	if best, known := e.best(); known {
		d.neighbours(ctx, best, &e)
		switch {
		case best.target == "":
			e.blind = d.net.blind(ctx, r.host)
			e.doubled = d.findDoubled(ctx, r.host, z.apex)
			e.targetAddrs, _ = d.net.addresses(ctx, r.target)
		case within(best.target, clerkZone):
			e.targetMissing = d.net.lookup(ctx, best.target, dns.TypeA).rcode == dns.RcodeNameError
		}
	}
	return e
}

func (d *doctor) sightings(ctx context.Context, servers []server, host string, direct bool) []sighting {
	return each(servers, func(s server) sighting {
		return sight(s, host, d.net.ask(ctx, s, question{name: host, qtype: dns.TypeCNAME, direct: direct}))
	})
}

// neighbours finds what else stands at the host, asking the server whose word counts. ANY would not do (RFC 8482).
func (d *doctor) neighbours(ctx context.Context, best sighting, e *evidence) {
	types := []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeTXT}
	replies := each(types, func(t uint16) reply {
		return d.net.ask(ctx, best.server, question{name: e.host, qtype: t, direct: best.authoritative})
	})
	for i, t := range types {
		if own := replies[i].owned(e.host, t); len(own) > 0 {
			e.beside = append(e.beside, dns.TypeToString[t])
			e.addrs = append(e.addrs, reply{answer: own}.addrs()...)
		}
	}
	slices.SortFunc(e.addrs, netip.Addr.Compare) // servers shuffle them
}

// findDoubled looks where the record lands when a form that appends the zone is given the whole name.
func (d *doctor) findDoubled(ctx context.Context, host, apex string) string {
	twice := host + "." + apex
	if r := d.net.lookup(ctx, twice, dns.TypeCNAME); len(r.owned(twice, dns.TypeCNAME)) > 0 {
		return twice
	}
	return ""
}

// best is the sighting that counts: an authoritative one if there is any.
func (e evidence) best() (sighting, bool) {
	for _, s := range slices.Concat(e.authoritative, e.public) {
		if s.usable() && (s.authoritative || !slices.ContainsFunc(e.authoritative, sameServer(s))) {
			return s, true
		}
	}
	return sighting{}, false
}

func sameServer(s sighting) func(sighting) bool {
	return func(o sighting) bool { return o.server == s.server }
}

// checkRecord judges one CNAME.
func (d *doctor) checkRecord(ctx context.Context, r record) check {
	c := judge(d.evidence(ctx, r))
	c.Group, c.Name = groupDNS, r.host
	return c
}

// human is a TTL as people say it.
func human(d time.Duration) string {
	switch {
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Round(time.Hour)/time.Hour))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", int(d.Round(time.Minute)/time.Minute))
	}
	return fmt.Sprintf("%d seconds", int(d.Round(time.Second)/time.Second))
}
