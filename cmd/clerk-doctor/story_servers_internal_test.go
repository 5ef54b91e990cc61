package main

import (
	"testing"

	"github.com/miekg/dns"
)

// tellServerStories: name servers that fail on some queries only.
func tellServerStories(t *testing.T, in internet) {
	const clerk = "clerk.example.com"
	for _, st := range []struct {
		name   string
		exit   int
		faults func(dns.Question, *dns.Msg) fault
		seen   fault // fault of resolvers, where both name servers have the fault; nil: only one has it
	}{
		{"a server refuses the query for the CNAME", exitGood, about(clerk, says(dns.RcodeRefused, 0), dns.TypeCNAME), nil},
		{"the servers refuse the query for the CNAME", exitGood, about(clerk, says(dns.RcodeRefused, 0), dns.TypeCNAME), says(dns.RcodeServerFailure, dns.ExtendedErrorCodeNoReachableAuthority)},
		{"the servers drop the query for the CNAME", exitGood, about(clerk, silent, dns.TypeCNAME), says(dns.RcodeServerFailure, dns.ExtendedErrorCodeNoReachableAuthority)},
		{"the servers refuse the host", exitFails, about(clerk, says(dns.RcodeRefused, 0)), says(dns.RcodeServerFailure, dns.ExtendedErrorCodeNoReachableAuthority)},
		{"the servers fail on the host", exitFails, about(clerk, says(dns.RcodeServerFailure, 0)), says(dns.RcodeServerFailure, dns.ExtendedErrorCodeNoReachableAuthority)},
		{"the servers answer nothing for the CNAME", exitGood, about(clerk, empty, dns.TypeCNAME), blank},
		{"the servers answer nothing for the host", exitFails, about(clerk, empty), blank},
		{"a server refuses the query for the SOA", exitGood, about("example.com", says(dns.RcodeRefused, 0), dns.TypeSOA), nil},
		{"the servers refuse the query for the SOA", exitGood, about("example.com", says(dns.RcodeRefused, 0), dns.TypeSOA), says(dns.RcodeServerFailure, 0)},
		{"a server answers the host without authority", exitGood, about(clerk, blank), nil},
		{"the servers deny the CNAME and show it", exitGood, about(clerk, denied(t, "example.com"), dns.TypeCNAME), denied(t, "example.com")},
		{"a server fails on IPv6 addresses", exitGood, about(clerk, says(dns.RcodeServerFailure, 0), dns.TypeAAAA), nil},
		{"the servers do not know CAA", exitFails, about("example.com", says(dns.RcodeNotImplemented, 0), dns.TypeCAA), says(dns.RcodeServerFailure, dns.ExtendedErrorCodeNoReachableAuthority)},
		{"a server without EDNS", exitGood, func(_ dns.Question, m *dns.Msg) fault {
			if m.IsEdns0() != nil {
				return says(dns.RcodeFormatError, 0)
			}
			return nil
		}, nil},
		{"a server that drops EDNS", exitGood, func(_ dns.Question, m *dns.Msg) fault {
			if m.IsEdns0() != nil {
				return silent
			}
			return nil
		}, nil},
		{"a server that drops everything", exitGood, func(dns.Question, *dns.Msg) fault { return silent }, nil},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			story{name: st.name, args: []string{"example.com"}, exit: st.exit, leads: func(t *testing.T, in internet) []string {
				if st.seen != nil {
					return append(hoster(faulty(t, in.authority, st.faults)), resolvers(faulty(t, in.resolver, instead(st.faults, st.seen)), true)...)
				}
				return []string{"ns2.hoster.example=" + faulty(t, in.authority, st.faults)}
			}}.run(t, in)
		})
	}
}

// instead makes another fault for the same queries.
func instead(faults func(dns.Question, *dns.Msg) fault, act fault) func(dns.Question, *dns.Msg) fault {
	return func(q dns.Question, m *dns.Msg) fault {
		if faults(q, m) == nil {
			return nil
		}
		return act
	}
}
