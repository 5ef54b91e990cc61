package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// reply is a server's answer. The zero reply is an empty NOERROR.
type reply struct {
	err               error // there was no answer
	from              server
	rcode             int
	authoritative     bool
	answer, ns, extra []dns.RR
	extended          []*dns.EDNS0_EDE // RFC 8914
	dropsEDNS         bool             // it answered only without EDNS
}

func newReply(m *dns.Msg) reply {
	r := reply{rcode: m.Rcode, authoritative: m.Authoritative, answer: m.Answer, ns: m.Ns, extra: m.Extra}
	if opt := m.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if e, is := o.(*dns.EDNS0_EDE); is {
				r.extended = append(r.extended, e)
			}
		}
	}
	return r
}

// usable reports whether the reply says what there is, even if nothing.
func (r reply) usable() bool {
	return r.err == nil && (r.rcode == dns.RcodeSuccess || r.rcode == dns.RcodeNameError)
}

// failure is why the reply is not usable.
func (r reply) failure() error {
	if r.err != nil {
		return r.err
	}
	return fmt.Errorf("%w %s", errRcode, r.words())
}

// words are the rcode and the server's explanation, "SERVFAIL (Signature Expired)".
func (r reply) words() string {
	if r.err != nil {
		return plainly(r.err)
	}
	said := dns.RcodeToString[r.rcode]
	if said == "" {
		said = fmt.Sprintf("RCODE %d", r.rcode)
	}
	if why := r.explanation(); why != "" {
		said += " (" + why + ")"
	}
	return said
}

// answersTo describes what the server does with a query: "answers SERVFAIL to example.com SOA", "does not answer
// example.com SOA".
func (r reply) answersTo(q question) string {
	switch {
	case r.err != nil && timedOut(r.err):
		return "does not answer " + q.String()
	case r.err != nil:
		return "does not answer " + q.String() + " (" + plainly(r.err) + ")"
	case r.saysNothing():
		return "answers NOERROR with nothing in it, not even a SOA, to " + q.String()
	}
	return "answers " + r.words() + " to " + q.String()
}

// short is the rcode of the answer, or that there is none.
func (r reply) short() string {
	switch {
	case r.err != nil && timedOut(r.err):
		return "no answer"
	case r.err == nil && r.saysNothing():
		return "NOERROR with nothing in it"
	}
	return r.words()
}

func (r reply) explanation() string {
	var words []string
	for _, e := range r.extended {
		name, known := dns.ExtendedErrorCodeToString[e.InfoCode]
		if !known {
			name = fmt.Sprintf("extended error %d", e.InfoCode)
		}
		if !slices.Contains(words, name) {
			words = append(words, name)
		}
	}
	return strings.Join(words, ", ")
}

// explains reports whether one of the extended errors is among codes.
func (r reply) explains(codes ...uint16) bool {
	return slices.ContainsFunc(r.extended, func(e *dns.EDNS0_EDE) bool { return slices.Contains(codes, e.InfoCode) })
}

// owned are the records of that name and type in the answer.
func (r reply) owned(name string, qtype uint16) []dns.RR { return ownedIn(r.answer, name, qtype) }

func ownedIn(section []dns.RR, name string, qtype uint16) []dns.RR {
	var found []dns.RR
	for _, rr := range section {
		if rr.Header().Rrtype == qtype && dns.CanonicalName(rr.Header().Name) == dns.CanonicalName(name) {
			found = append(found, rr)
		}
	}
	return found
}

// canonical is where the aliases in the answer lead from name; "" if in a loop.
func (r reply) canonical(name string) string {
	name = dns.CanonicalName(name)
	for range longestAlias {
		aliases := r.owned(name, dns.TypeCNAME)
		if len(aliases) == 0 {
			return name
		}
		name = dns.CanonicalName(aliases[0].(*dns.CNAME).Target)
	}
	return ""
}

// addrs are the addresses in the answer, of any name.
func (r reply) addrs() []netip.Addr {
	var found []netip.Addr
	for _, rr := range r.answer {
		var ip []byte
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		}
		if a, valid := netip.AddrFromSlice(ip); valid {
			found = append(found, a.Unmap())
		}
	}
	return found
}

// soa is the SOA record in any section of the reply.
func (r reply) soa() *dns.SOA {
	for _, rr := range slices.Concat(r.answer, r.ns) {
		if soa, is := rr.(*dns.SOA); is {
			return soa
		}
	}
	return nil
}

// referral is the name that the reply delegates, if it is name or above it, and below apex.
func (r reply) referral(name, apex string) string {
	if r.err != nil || r.rcode != dns.RcodeSuccess || r.authoritative || len(r.answer) > 0 {
		return ""
	}
	for _, rr := range r.ns {
		if ns, is := rr.(*dns.NS); is && within(name, ns.Hdr.Name) && plain(ns.Hdr.Name) != plain(apex) && within(ns.Hdr.Name, apex) {
			return plain(ns.Hdr.Name)
		}
	}
	return ""
}

// refers reports whether the reply refers to other servers for name, below or above.
func (r reply) refers(name string) bool {
	return r.usable() && !r.authoritative && len(r.answer) == 0 && slices.ContainsFunc(r.ns, func(rr dns.RR) bool {
		return rr.Header().Rrtype == dns.TypeNS && under(name, rr.Header().Name)
	})
}

// leadsToClerk reports whether the aliases of host end at Clerk.
func (r reply) leadsToClerk(host string) bool {
	target := plain(r.canonical(host))
	return within(target, clerkZone) || target == clerkWorker
}

// remember calls find once per key; simultaneous calls wait for the same result.
func remember[K comparable, V any](m *sync.Map, key K, find func() V) V {
	f, _ := m.LoadOrStore(key, sync.OnceValue(find))
	return f.(func() V)()
}

// parent is the name without its first label; for a top-level domain "".
func parent(name string) string {
	_, rest, _ := strings.Cut(strings.TrimSuffix(name, "."), ".")
	return rest
}

// plain is a name without the final dot.
func plain(name string) string { return strings.TrimSuffix(dns.CanonicalName(name), ".") }

// within reports whether name is domain or below it.
func within(name, domain string) bool {
	name, domain = plain(name), plain(domain)
	return name == domain || strings.HasSuffix(name, "."+domain)
}
