package main

import (
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// tellResolverStories: resolvers fail, have old answers, or see other records.
func tellResolverStories(t *testing.T, in internet) {
	unreachable := says(dns.RcodeServerFailure, dns.ExtendedErrorCodeNoReachableAuthority)
	for _, st := range []story{
		{name: "a resolver fails once", args: []string{"example.com"}, exit: exitGood, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, once(says(dns.RcodeServerFailure, 0))), true)
		}},
		{name: "one public resolver fails", args: []string{"example.com"}, exit: exitGood, leads: func(t *testing.T, in internet) []string {
			return []string{"8.8.8.8=" + faulty(t, in.resolver, about("example.com", unreachable))}
		}},
		{name: "public resolvers cannot reach the servers", args: []string{"example.com"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, about("example.com", unreachable)), true)
		}},
		{name: "public resolvers fail on one record", args: []string{"example.com"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, about("accounts.example.com", unreachable)), true)
		}},
		{name: "public resolvers fail for no reason", args: []string{"example.com"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, about("example.com", says(dns.RcodeServerFailure, 0))), true)
		}},
		{name: "public resolvers refuse", args: []string{"example.com"}, exit: exitUnknown, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, always(says(dns.RcodeRefused, dns.ExtendedErrorCodeProhibited))), false)
		}},
		{name: "a public resolver filters", args: []string{"example.com"}, exit: exitGood, leads: func(t *testing.T, in internet) []string {
			return []string{"1.1.1.1=" + faulty(t, in.resolver, about("clerk.example.com", says(dns.RcodeRefused, dns.ExtendedErrorCodeFiltered)))}
		}},
		{name: "DNSSEC expired by a resolver's word", args: []string{"signed.example"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, validating("signed.example", says(dns.RcodeServerFailure, dns.ExtendedErrorCodeSignatureExpired))), true)
		}},
		{name: "DNSSEC bogus by a resolver's word", args: []string{"signed.example"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, validating("signed.example", says(dns.RcodeServerFailure, dns.ExtendedErrorCodeDNSBogus))), true)
		}},
		{name: "DNSSEC bogus at one record", args: []string{"signed.example"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, validating("accounts.signed.example", says(dns.RcodeServerFailure, 0))), true)
		}},
		{name: "nobody answers about one record", args: []string{"example.com"}, exit: exitUnknown, leads: func(t *testing.T, in internet) []string {
			return append(resolvers(faulty(t, in.resolver, about("clkmail.example.com", garbled)), true), hoster(freePort(t))...)
		}},
		{name: "DNSSEC broken and one resolver does not validate", args: []string{"expired.example"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return append(hoster(freePort(t)), "8.8.8.8="+faulty(t, in.resolver, func(_ dns.Question, m *dns.Msg) fault {
				m.CheckingDisabled = true
				return nil
			}))
		}},
		{name: "a signed zone out of reach of resolvers", args: []string{"signed.example"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, exceptDS(about("signed.example", unreachable))), true)
		}},
		{name: "a signed zone that resolvers fail on with any validation", args: []string{"signed.example"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, exceptDS(about("signed.example", says(dns.RcodeServerFailure, 0)))), true)
		}},
		{name: "DNSSEC expired by a resolver's word against the clock here", args: []string{"early.example"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, validating("early.example", says(dns.RcodeServerFailure, dns.ExtendedErrorCodeSignatureExpired))), true)
		}},
		{name: "DNSSEC without signatures", args: []string{"signed.example"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			leads := resolvers(faulty(t, in.resolver, validating("signed.example", says(dns.RcodeServerFailure, 0))), true)
			return append(leads, hoster(faulty(t, in.authority, about("signed.example", unsigned(t, in.authority))))...)
		}},
		{name: "registered just now", args: []string{"moving.example"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, about("moving.example", denied(t, "example"))), true)
		}},
		{name: "a zone at the host seen from afar", args: []string{"ownzone.example"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			far := faulty(t, in.resolver, about("clerk.ownzone.example", stripped(t, in.resolver)))
			return append(resolvers(far, true), hoster(freePort(t))...)
		}},
		{name: "DNSSEC words without a DS", args: []string{"example.com"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, validating("example.com", says(dns.RcodeServerFailure, dns.ExtendedErrorCodeDNSBogus))), true)
		}},
		{name: "DNSSEC fails at this resolver only", args: []string{"example.com"}, exit: exitGood, leads: func(t *testing.T, in internet) []string {
			return []string{"192.0.2.53=" + faulty(t, in.resolver, about("example.com", says(dns.RcodeServerFailure, dns.ExtendedErrorCodeDNSBogus)))}
		}},
		{name: "split horizon", args: []string{"example.com"}, exit: exitGood, leads: func(t *testing.T, in internet) []string {
			return []string{"192.0.2.53=" + faulty(t, in.resolver, about("clerk.example.com", holding(t, "clerk.example.com. 60 CNAME portal.hoster.example.")))}
		}},
		{name: "this resolver is behind", args: []string{"moving.example"}, exit: exitGood, leads: func(t *testing.T, in internet) []string {
			return []string{"192.0.2.53=" + faulty(t, in.resolver, about("moving.example", from(t, in.stale)))}
		}},
		{name: "the certificate is late and a resolver behind", args: []string{"moving.example"}, exit: exitFails, site: unserved, leads: func(t *testing.T, in internet) []string {
			return resolvers(faulty(t, in.resolver, about("moving.example", from(t, in.stale))), true)
		}},
		{name: "name servers disagree", args: []string{"moving.example"}, exit: exitFails, site: unserved, leads: func(_ *testing.T, in internet) []string {
			return []string{"ns2.hoster.example=" + in.stale}
		}},
		{name: "removed at the name servers", args: []string{"moving.example"}, exit: exitFails, site: unserved, leads: func(_ *testing.T, in internet) []string {
			return hoster(in.stale)
		}},
		{name: "the first of two resolvers is silent", args: []string{"example.com"}, exit: exitGood, conf: "nameserver 192.0.2.99\nnameserver 192.0.2.53\n", leads: func(t *testing.T, _ internet) []string {
			return []string{"192.0.2.99=" + freePort(t)}
		}},
		{name: "this resolver is silent", args: []string{"example.com"}, exit: exitGood, leads: func(t *testing.T, _ internet) []string {
			return []string{"192.0.2.53=" + freePort(t)}
		}},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.run(t, in)
		})
	}
}

// once makes a fault for the first query of each question.
func once(act fault) func(dns.Question, *dns.Msg) fault {
	var seen sync.Map
	return func(q dns.Question, m *dns.Msg) fault {
		q.Name = dns.CanonicalName(q.Name)
		if _, again := seen.LoadOrStore(question{name: q.Name, qtype: q.Qtype, unchecked: m.CheckingDisabled}, true); again {
			return nil
		}
		return act
	}
}
