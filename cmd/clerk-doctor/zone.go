package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/miekg/dns"
	"golang.org/x/net/publicsuffix"
)

var (
	errNoZone = errors.New("no zone has this name")
	errBlind  = errors.New("the resolvers do not know even the top-level domain")
)

const addressesPerServer = 4

// zone has the name servers for a name.
type zone struct {
	apex    string // "" if it could not be found
	servers []server
	lost    []string // name servers without an address, and why
	absent  bool     // the zone above denies the domain (NXDOMAIN): it is not delegated
	unseen  bool     // resolvers do not know the zone, but the zone above does
	said    reply    // the resolvers' failure; usable if there was none
	err     error    // why the resolvers could not answer; the servers may be known anyway
}

// zoneOf finds the zone of name. Answers are cached.
//
// Where resolvers fail, the question is repeated without DNSSEC validation, and then the servers of the zone above are
// asked for the delegation: only this tells a broken delegation from a broken signature.
func (n *network) zoneOf(ctx context.Context, name string) zone {
	return remember(&n.zones, plain(name), func() zone {
		r := n.lookup(ctx, name, dns.TypeSOA)
		if !r.usable() {
			if ns := n.lookup(ctx, name, dns.TypeNS); ns.usable() && len(ns.owned(name, dns.TypeNS)) > 0 { // only the SOA fails
				return n.zoneAt(ctx, name, ns)
			}
			return n.brokenZone(ctx, name, r)
		}
		soa := r.soa()
		if soa == nil || !under(name, soa.Hdr.Name) || len(r.owned(name, dns.TypeCNAME)) > 0 {
			return n.belowSuffix(ctx, name, r, n.zoneAbove(ctx, name))
		}
		return n.belowSuffix(ctx, name, r, n.zoneAt(ctx, soa.Hdr.Name, n.lookup(ctx, soa.Hdr.Name, dns.TypeNS)))
	})
}

// under is within, but everything is below the root.
func under(name, domain string) bool { return domain == "." || within(name, domain) }

func isSuffix(name string) bool {
	suffix, _ := publicsuffix.PublicSuffix(name)
	return name == "" || suffix == name
}

func (n *network) zoneAt(ctx context.Context, apex string, ns reply) zone {
	z := zone{apex: plain(apex)}
	z.servers, z.lost = n.nameServers(ctx, ns)
	return z
}

func (n *network) zoneAbove(ctx context.Context, name string) zone {
	if above := parent(name); above != "" {
		return n.zoneOf(ctx, above)
	}
	return zone{err: fmt.Errorf("%s: %w", name, errNoZone)}
}

// belowSuffix asks the servers of a public suffix about a name for which resolvers find no zone: resolvers keep denying a
// domain for a while after it is registered. Only NXDOMAIN means that it does not exist; a registry may keep a name's
// records in its own zone.
func (n *network) belowSuffix(ctx context.Context, name string, r reply, z zone) zone {
	if z.apex == "" && z.err != nil || !isSuffix(z.apex) {
		return z
	}
	if below, found := n.delegation(ctx, name, z); found {
		below.unseen, below.said = true, r
		return below
	}
	z.absent = r.rcode == dns.RcodeNameError
	return z
}

// brokenZone finds the zone of a name on which resolvers fail.
func (n *network) brokenZone(ctx context.Context, name string, said reply) zone {
	z, found := zone{}, false
	unchecked := n.unchecked(ctx, name, dns.TypeSOA, false)
	if soa := unchecked.soa(); unchecked.usable() && soa != nil && within(name, soa.Hdr.Name) {
		z, found = n.zoneAt(ctx, soa.Hdr.Name, n.unchecked(ctx, soa.Hdr.Name, dns.TypeNS, false)), true
	}
	if !found || len(z.servers) == 0 {
		above := n.zoneAbove(ctx, name)
		if z, found = n.delegation(ctx, name, above); !found {
			z = above
		}
	}
	z.said, z.err = said, said.failure()
	return z
}

// delegation asks the servers of the zone above for the delegation of name.
func (n *network) delegation(ctx context.Context, name string, above zone) (zone, bool) {
	for _, s := range above.servers {
		r := n.ask(ctx, s, question{name: name, qtype: dns.TypeNS, direct: true})
		if apex := r.referral(name, above.apex); apex != "" {
			return n.zoneAt(ctx, apex, r), true
		}
		if r.authoritative && len(r.owned(name, dns.TypeNS)) > 0 { // it serves both zones
			return n.zoneAt(ctx, name, r), true
		}
	}
	return zone{}, false
}

// nameServers are the servers in an NS answer or a referral, one for each address, and those without one, with the reason.
func (n *network) nameServers(ctx context.Context, r reply) (servers []server, lost []string) {
	var names []string
	for _, rr := range slices.Concat(r.answer, r.ns) {
		if ns, is := rr.(*dns.NS); is {
			names = append(names, plain(ns.Ns))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	type found struct {
		servers []server
		why     string
	}
	for i, f := range each(names, func(name string) found {
		servers, why := n.nameServer(ctx, name, r.extra)
		return found{servers, why}
	}) {
		servers = append(servers, f.servers...)
		if len(f.servers) == 0 {
			lost = append(lost, names[i]+" "+f.why)
		}
	}
	return servers, lost
}

// nameServer finds the addresses of a name server: from -connect-to, from the glue of the referral, or from the resolvers.
func (n *network) nameServer(ctx context.Context, name string, glue []dns.RR) (servers []server, why string) {
	if _, rerouted := n.connect[name]; rerouted {
		return []server{{name: name, addr: n.reroute(name, "53")}}, ""
	}
	var addrs []netip.Addr
	for _, rr := range glue {
		if plain(rr.Header().Name) == name {
			addrs = append(addrs, reply{answer: []dns.RR{rr}}.addrs()...)
		}
	}
	if len(addrs) == 0 {
		var err error
		if addrs, err = n.addresses(ctx, name); err != nil {
			return nil, noAddressWords(err)
		}
	}
	addrs = addrs[:min(len(addrs), addressesPerServer)]
	for _, a := range addrs {
		s := server{name: name, addr: n.reroute(a.String(), "53"), ipv6: a.Is6()}
		if len(addrs) > 1 {
			s.ip = a.String()
		}
		servers = append(servers, s)
	}
	return servers, ""
}

func noAddressWords(err error) string {
	switch {
	case errors.Is(err, errNoName):
		return "does not exist (NXDOMAIN)"
	case errors.Is(err, errNoAddress):
		return "has no address"
	}
	return "could not be looked up: " + plainly(err)
}
