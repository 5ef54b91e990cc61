package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/publicsuffix"
)

var errNoZone = errors.New("no zone has this name")

// zone is who answers for a name.
type zone struct {
	apex    string // "" if it could not be found
	servers []server
	bogus   bool  // the resolver refuses its answers because DNSSEC does not hold
	vacant  bool  // it is a public suffix: the domain below it is not delegated to anybody
	err     error // why the resolver could not say; the servers may be known all the same
}

// zoneOf finds the zone that name's own records belong to. Answers are remembered.
//
// A resolver that says SERVFAIL is asked again without DNSSEC validation, and after that the servers of the zone above are
// asked whom they delegate to: only so can a broken delegation be told from a broken signature.
func (n *network) zoneOf(ctx context.Context, name string) zone {
	return remember(&n.zones, plain(name), func() zone {
		r := n.lookup(ctx, name, dns.TypeSOA)
		if r.err != nil {
			return zone{err: r.err}
		}
		if !r.usable() {
			return n.brokenZone(ctx, name, r)
		}
		soa := r.soa()
		if soa == nil || !within(name, soa.Hdr.Name) || len(r.owned(name, dns.TypeCNAME)) > 0 {
			return n.zoneAbove(ctx, name)
		}
		apex := plain(soa.Hdr.Name)
		z := zone{apex: apex, servers: n.nameServers(ctx, n.lookup(ctx, apex, dns.TypeNS))}
		if suffix, _ := publicsuffix.PublicSuffix(apex); suffix == apex {
			z.vacant = true
		}
		return z
	})
}

var errBlind = errors.New("the resolver does not know even the top-level domain: the internet cannot be seen from here")

// blind is whether the resolver is no window to the internet, as in a closed network: then that it knows no name means nothing.
func (n *network) blind(ctx context.Context, name string) bool {
	name = plain(name)
	return n.lookup(ctx, name[strings.LastIndexByte(name, '.')+1:], dns.TypeSOA).soa() == nil
}

func (n *network) zoneAbove(ctx context.Context, name string) zone {
	if above := parent(name); above != "" {
		return n.zoneOf(ctx, above)
	}
	return zone{err: fmt.Errorf("%s: %w", name, errNoZone)}
}

// brokenZone explains a SERVFAIL for name.
func (n *network) brokenZone(ctx context.Context, name string, said reply) zone {
	unchecked := n.ask(ctx, n.resolver, question{name: name, qtype: dns.TypeSOA, unchecked: true})
	if soa := unchecked.soa(); unchecked.usable() && soa != nil && within(name, soa.Hdr.Name) {
		apex := plain(soa.Hdr.Name)
		servers := n.nameServers(ctx, n.ask(ctx, n.resolver, question{name: apex, qtype: dns.TypeNS, unchecked: true}))
		return zone{apex: apex, servers: servers, bogus: true, err: said.failure()}
	}
	above := n.zoneAbove(ctx, name)
	for _, s := range above.servers {
		r := n.ask(ctx, s, question{name: name, qtype: dns.TypeNS, direct: true})
		if apex := delegated(r, name); apex != "" {
			return zone{apex: apex, servers: n.nameServers(ctx, r), err: said.failure()}
		}
	}
	return zone{apex: above.apex, servers: above.servers, err: said.failure()}
}

// delegated is the name that a referral delegates, if it is name or above it.
func delegated(r reply, name string) string {
	for _, rr := range r.ns {
		if ns, is := rr.(*dns.NS); is && within(name, ns.Hdr.Name) {
			return plain(ns.Hdr.Name)
		}
	}
	return ""
}

// nameServers are the servers in an NS answer or a referral, with their addresses.
// Those whose address cannot be found are left out: asking them is impossible, and the others tell enough.
func (n *network) nameServers(ctx context.Context, r reply) []server {
	var names []string
	for _, rr := range slices.Concat(r.answer, r.ns) {
		if ns, is := rr.(*dns.NS); is {
			names = append(names, plain(ns.Ns))
		}
	}
	slices.Sort(names)
	found := each(names, func(name string) server { return n.nameServer(ctx, name, r.extra) })
	return slices.DeleteFunc(found, func(s server) bool { return s.addr == "" })
}

// nameServer finds the address of a name server: by -connect-to, in the glue beside the referral, or by the resolver.
func (n *network) nameServer(ctx context.Context, name string, glue []dns.RR) server {
	if _, rerouted := n.connect[name]; rerouted {
		return server{name: name, addr: n.reroute(name, "53")}
	}
	var addrs []netip.Addr
	for _, rr := range glue {
		if plain(rr.Header().Name) == name {
			addrs = append(addrs, reply{answer: []dns.RR{rr}}.addrs()...)
		}
	}
	if len(addrs) == 0 {
		addrs, _ = n.addresses(ctx, name)
	}
	if len(addrs) == 0 {
		return server{name: name}
	}
	return server{name: name, addr: n.reroute(addrs[0].String(), "53")}
}
