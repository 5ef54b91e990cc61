package main

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// unusedLabel is a label that nobody uses: an answer for it comes from a wildcard.
const unusedLabel = "clerk-doctor-no-such-name"

// sighting is the answer of one server about a record.
type sighting struct {
	server
	reply

	q      question
	failed *reply        // the failure for the CNAME question, if another answer showed the CNAME
	target string        // of the CNAME; "" if there is none
	wait   time.Duration // how long a resolver may keep this answer
}

func sight(s server, q question, host string, r reply) sighting {
	seen := sighting{server: s, reply: r, q: q}
	if aliases := r.owned(host, dns.TypeCNAME); len(aliases) > 0 {
		seen.target = plain(aliases[0].(*dns.CNAME).Target)
		seen.wait = time.Duration(aliases[0].Header().Ttl) * time.Second
	} else if soa := r.soa(); soa != nil {
		seen.wait = time.Duration(min(soa.Hdr.Ttl, soa.Minttl)) * time.Second // RFC 2308, 5
	}
	return seen
}

// conclusive reports whether the server says what there is, even if nothing. A name server's answer counts only with
// authority, and the absence of a type or name only with the SOA (RFC 2308, 2). Resolvers may omit it.
func (s sighting) conclusive() bool {
	return s.usable() && (!s.q.direct || s.authoritative && !s.saysNothing())
}

// saysNothing reports a NOERROR without any content.
func (r reply) saysNothing() bool {
	return r.err == nil && r.rcode == dns.RcodeSuccess && len(r.answer) == 0 && len(r.ns) == 0
}

// dig is the command that shows the answer.
func (s sighting) dig() string { return s.q.dig(s.server) }

// evidence is everything that is known about one record.
type evidence struct {
	record
	apex          string       // of the zone that the record belongs in
	above         string       // of the zone that delegates it, if it is below the domain's
	cause         *ref         // the zone's own problem; nothing else is known then
	direct        []sighting   // from the zone's name servers
	public        []sighting   // from public resolvers
	local         *sighting    // from this machine's resolver; nil: not compared
	cut           string       // where the name, or one above it, is delegated
	cutTo         []string     // to these name servers
	lame          []string     // why none of them is usable; empty if one is
	wildcard      string       // the wildcard that the answer comes from
	beside        []string     // types of other records at the host
	addrs         []netip.Addr // at the host itself, where a CNAME should be
	targetAddrs   []netip.Addr // the addresses where the CNAME should lead
	doubled       string       // where the CNAME was found, if the zone's name was appended twice
	targetMissing bool         // the CNAME leads to a name that does not exist
	several       []string     // all targets, if there is more than one CNAME
	redirect      string       // the owner of a DNAME above the host
	failing       []failure
	unsigned      *check // DNSSEC prevents resolvers from answering
}

// gather asks all servers at once. Only then, and only if something is wrong, does it look for the reason.
func (d *doctor) gather(ctx context.Context, r record) evidence {
	f := d.zoneState(ctx)
	e := evidence{record: r, apex: f.apex, cause: f.blocker}
	if e.cause != nil {
		return e
	}
	public, local := d.net.alive(ctx)
	d.descend(ctx, &e, f.serving)
	e.public = d.sightings(ctx, public, r.host, false)
	if len(local) > 0 && !slices.ContainsFunc(public, func(s server) bool { return s.addr == local[0].addr }) {
		seen := d.look(ctx, local[0], r.host, false)
		e.local = &seen
	}
	if e.cut == r.host {
		return e
	}
	d.explainFailures(ctx, &e, f)
	if best, known := e.best(); known {
		d.inspect(ctx, &e, best)
	}
	return e
}

// inspect examines the best sighting.
func (d *doctor) inspect(ctx context.Context, e *evidence, best sighting) {
	if soa := best.soa(); soa != nil && best.target == "" && under(e.host, soa.Hdr.Name) && within(soa.Hdr.Name, e.apex) {
		if plain(soa.Hdr.Name) == e.host {
			e.cut = e.host
			return
		}
		e.apex = plain(soa.Hdr.Name) // a zone below the domain's, on the same servers
	}
	if best.rcode == dns.RcodeNameError && e.optional {
		return // most domains do not have it
	}
	d.neighbours(ctx, best, e)
	if best.target == "" {
		if e.wildcard == "" {
			e.doubled = d.findDoubled(ctx, best, e.host, e.apex)
		}
		e.targetAddrs, _ = d.net.addresses(ctx, e.targets[0])
		return
	}
	for _, rr := range best.owned(e.host, dns.TypeCNAME) {
		e.several = append(e.several, plain(rr.(*dns.CNAME).Target))
	}
	for _, rr := range best.answer {
		if dname, is := rr.(*dns.DNAME); is && within(e.host, dname.Hdr.Name) {
			e.redirect = plain(dname.Hdr.Name)
		}
	}
	if within(best.target, clerkZone) {
		e.targetMissing = d.net.lookup(ctx, best.target, dns.TypeA).rcode == dns.RcodeNameError
	}
}

// descend follows delegations below the zone. A subdomain in between, such as _domainkey at a mail provider, may be a
// separate zone.
func (d *doctor) descend(ctx context.Context, e *evidence, servers []server) {
	var lost []string
	for range longestAlias {
		e.direct = d.sightings(ctx, servers, e.host, true)
		i := slices.IndexFunc(e.direct, func(s sighting) bool { return s.referral(e.host, e.apex) != "" })
		if i < 0 {
			break
		}
		ref := e.direct[i]
		e.cut, e.cutTo = ref.referral(e.host, e.apex), nil
		for _, rr := range ownedIn(ref.ns, e.cut, dns.TypeNS) {
			e.cutTo = append(e.cutTo, plain(rr.(*dns.NS).Ns))
		}
		slices.Sort(e.cutTo)
		if e.cut == e.host {
			return
		}
		e.above, e.apex = e.apex, e.cut
		servers, lost = d.net.nameServers(ctx, ref.reply)
	}
	if e.cut == "" || slices.ContainsFunc(e.direct, sighting.conclusive) {
		return
	}
	for _, s := range e.direct {
		e.lame = append(e.lame, s.String()+" "+s.answersTo(s.q))
	}
	e.lame = append(e.lame, lost...)
}

func (d *doctor) sightings(ctx context.Context, servers []server, host string, direct bool) []sighting {
	return each(servers, func(s server) sighting { return d.look(ctx, s, host, direct) })
}

// look asks for the CNAME. A server that fails on that, or denies it, as load balancers do that know only addresses, may
// show it in an answer about addresses.
func (d *doctor) look(ctx context.Context, s server, host string, direct bool) sighting {
	q := question{name: host, qtype: dns.TypeCNAME, direct: direct}
	seen := sight(s, q, host, d.net.ask(ctx, s, q))
	if seen.target != "" && seen.conclusive() || seen.refers(host) {
		return seen
	}
	q.qtype = dns.TypeA
	other := sight(s, q, host, d.net.ask(ctx, s, q))
	if other.conclusive() && other.target != "" {
		other.failed = &seen.reply
		return other
	}
	return seen
}

// fitOf says how well a sighting fits the record.
func (e evidence) fitOf(s sighting) int {
	how, _ := e.match(s.target)
	return int(how)
}

// best is the sighting that counts: from one of the zone's own servers if possible, otherwise from public resolvers, or
// from this machine.
func (e evidence) best() (sighting, bool) {
	all := [][]sighting{e.direct, e.public, nil}
	if e.local != nil {
		all[2] = []sighting{*e.local}
	}
	for _, list := range all {
		heard := slices.DeleteFunc(slices.Clone(list), func(s sighting) bool { return !s.conclusive() })
		if len(heard) > 0 {
			return slices.MaxFunc(heard, func(a, b sighting) int { return e.fitOf(a) - e.fitOf(b) }), true
		}
	}
	return sighting{}, false
}
