package main

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// besideTypes are queried at the host. A CNAME cannot exist together with any of them (RFC 1034, 3.6.2).
var besideTypes = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeTXT, dns.TypeNS, dns.TypeHTTPS, dns.TypeSVCB, dns.TypeSRV, dns.TypeCAA,
}

// neighbours finds other records at the host, from the server that counts. ANY would not work (RFC 8482).
func (d *doctor) neighbours(ctx context.Context, best sighting, e *evidence) {
	direct := best.q.direct
	replies := each(besideTypes, func(t uint16) reply {
		return d.net.ask(ctx, best.server, question{name: e.host, qtype: t, direct: direct})
	})
	var own []dns.RR
	for i, t := range besideTypes {
		own = append(own, replies[i].owned(e.host, t)...)
	}
	if best.target != "" || len(own) > 0 {
		e.wildcard = d.findWildcard(ctx, best, e, own)
	}
	for i, t := range besideTypes {
		found := replies[i].owned(e.host, t)
		switch {
		case len(found) == 0:
		case t == dns.TypeNS && e.wildcard == "":
			e.cut, e.cutTo = e.host, nil
			for _, rr := range found {
				e.cutTo = append(e.cutTo, plain(rr.(*dns.NS).Ns))
			}
			slices.Sort(e.cutTo)
		default:
			e.beside = append(e.beside, dns.TypeToString[t])
			e.addrs = append(e.addrs, reply{answer: found}.addrs()...)
		}
	}
	slices.SortFunc(e.addrs, netip.Addr.Compare) // servers shuffle them
}

// findWildcard is the wildcard that the host's records come from: an unused name beside it then has the same records.
func (d *doctor) findWildcard(ctx context.Context, best sighting, e *evidence, own []dns.RR) string {
	direct := best.q.direct
	beside := unusedLabel + "." + parent(e.host)
	ask := func(name string, qtype uint16) reply {
		return d.net.ask(ctx, best.server, question{name: name, qtype: qtype, direct: direct})
	}
	var same bool
	if best.target != "" {
		other := sight(best.server, best.q, beside, ask(beside, best.q.qtype))
		same = other.target == best.target
	} else {
		same = slices.Equal(contents(own), contents(gatherTypes(ask, beside, own)))
	}
	if !same {
		return ""
	}
	qtype := dns.TypeCNAME
	if best.target == "" {
		qtype = own[0].Header().Rrtype
	}
	// From the top, since names below a wildcard look like wildcards too.
	wildcard := "*." + parent(e.host)
	for name := parent(e.host); name != "" && under(name, e.apex); name = parent(name) {
		if star := "*." + name; len(ask(star, qtype).owned(star, qtype)) > 0 {
			wildcard = star
		}
	}
	return wildcard
}

// gatherTypes are the records of name, of the types that own has.
func gatherTypes(ask func(string, uint16) reply, name string, own []dns.RR) []dns.RR {
	var found []dns.RR
	var seen []uint16
	for _, rr := range own {
		if t := rr.Header().Rrtype; !slices.Contains(seen, t) {
			seen = append(seen, t)
			found = append(found, ask(name, t).owned(name, t)...)
		}
	}
	return found
}

// contents are the records without owner and TTL.
func contents(rrs []dns.RR) []string {
	var words []string
	for _, rr := range rrs {
		words = append(words, dns.TypeToString[rr.Header().Rrtype]+" "+strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	slices.Sort(words)
	return words
}

// findDoubled looks for the record at the name with the zone appended twice, as happens when a form is given the whole
// name.
func (d *doctor) findDoubled(ctx context.Context, best sighting, host, apex string) string {
	twice := host + "." + apex
	ask := func(name string) sighting {
		q := question{name: name, qtype: dns.TypeCNAME, direct: best.q.direct}
		return sight(best.server, q, name, d.net.ask(ctx, best.server, q))
	}
	seen := ask(twice)
	if seen.target == "" || ask(unusedLabel+"."+parent(twice)).target == seen.target {
		return ""
	}
	return twice
}
