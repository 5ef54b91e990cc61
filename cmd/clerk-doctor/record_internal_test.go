package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func TestRecordsByKindOfDomain(t *testing.T) {
	for _, tt := range []struct {
		satellite, proxied bool
		want               int
	}{{false, false, 8}, {true, false, 1}, {false, true, 7}, {true, true, 0}} {
		if got := len(records("example.com", tt.satellite, tt.proxied)); got != tt.want {
			t.Errorf("satellite %v, proxied %v: got %d records, want %d", tt.satellite, tt.proxied, got, tt.want)
		}
	}
}

func TestTargetsThatFit(t *testing.T) {
	rs := records("example.com", false, false)
	clerk, accounts, mail := rs[0], rs[1], rs[2]
	for _, tt := range []struct {
		record record
		target string
		want   fit
		id     string
	}{
		{clerk, "frontend-api.clerk.services", right, ""},
		{clerk, "worker.clerkprod-cloudflare.net", right, ""},
		{accounts, "worker.clerkprod-cloudflare.net", swapped, ""},
		{clerk, "accounts.clerk.services", swapped, ""},
		{clerk, "new-edge.clerk.services", unusual, ""},
		{clerk, "frontend-api.clerk.services.example.com", wrong, ""},
		{clerk, "evilclerk.services", wrong, ""},
		{mail, "mail.abc.clerk.services", right, "abc"},
		{mail, "mail.clerk.services", unusual, ""},
		{mail, "mail..clerk.services", unusual, ""},
		{mail, "mail.a.b.clerk.services", unusual, ""},
		{mail, "mail1.abc.clerk.services", unusual, ""},
		{mail, "dkim1.abc.clerk.services", swapped, ""},
		{rs[3], "dkim2.abc.clerk.services", swapped, ""},
		{rs[5], "mail2.abc.clerk.services", right, "abc"},
		{rs[5], "clkmail2.abc.clerk.services", right, "abc"},
		{rs[6], "dkim4.abc.clerk.services", swapped, ""},
		{mail, "mail.abc.sendgrid.net", wrong, ""},
	} {
		got, id := tt.record.match(tt.target)
		if got != tt.want || id != tt.id {
			t.Errorf("%s to %s: got %v %q, want %v %q", tt.record.host, tt.target, got, id, tt.want, tt.id)
		}
	}
}

func TestCloudflareAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"104.16.0.0": true, "104.27.255.255": true, "104.28.0.0": false, "104.15.255.255": false,
		"172.64.0.1": true, "172.71.255.255": true, "172.72.0.0": false, "192.0.2.1": false,
		"2606:4700::1": true, "2606:4701::1": false, "2a06:98c7::1": true,
	} {
		if got := isCloudflare(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
}

// heard returns a server's answer about clerk.example.com.
func heard(name string, rcode int, target string) sighting {
	s := sighting{server: server{name: name}, reply: reply{rcode: rcode}, target: target, q: question{name: "clerk.example.com", qtype: dns.TypeCNAME}}
	s.authoritative = name[:2] == "ns"
	if s.q.direct = s.authoritative; s.authoritative {
		s.ns = []dns.RR{&dns.SOA{}}
	}
	return s
}

func TestJudgeBelievesTheRightServer(t *testing.T) {
	const good, bad = "frontend-api.clerk.services", "old.example.net"
	const success, missing, broken, refused = dns.RcodeSuccess, dns.RcodeNameError, dns.RcodeServerFailure, dns.RcodeRefused
	silent := sighting{server: server{name: "1.1.1.1"}, reply: reply{err: errNoConnection}}
	unauthorised := heard("ns2", success, "")
	unauthorised.authoritative = false // but queried directly
	for _, tt := range []struct {
		name                  string
		authoritative, public []sighting
		want                  status
	}{
		{"all agree", []sighting{heard("ns1", success, good)}, []sighting{heard("1.1.1.1", success, good)}, ok},
		{"the zone has it, the world not yet", []sighting{heard("ns1", success, good)}, []sighting{heard("1.1.1.1", missing, "")}, fail},
		{"the zone has it, the world has an old one", []sighting{heard("ns1", success, good)}, []sighting{heard("1.1.1.1", success, bad)}, fail},
		{"deleted, but remembered", []sighting{heard("ns1", missing, "")}, []sighting{heard("1.1.1.1", success, good)}, fail},
		{"one server of the zone is behind", []sighting{heard("ns1", success, good), heard("ns2", success, "")}, []sighting{heard("1.1.1.1", success, good)}, fail},
		{"a lame server has no say", []sighting{heard("ns1", refused, ""), heard("ns2", success, good)}, []sighting{heard("1.1.1.1", success, good)}, ok},
		{"a server without authority has no say", []sighting{unauthorised, heard("ns1", success, good)}, []sighting{heard("1.1.1.1", success, good)}, ok},
		{"only the world can be asked", nil, []sighting{heard("1.1.1.1", success, good)}, ok},
		{"only the zone can be asked", []sighting{heard("ns1", success, good)}, []sighting{silent}, unknown},
		{"one public resolver falls silent", []sighting{heard("ns1", success, good)}, []sighting{silent, heard("8.8.8.8", success, good)}, warn},
		{"the only public resolver fails", []sighting{heard("ns1", success, good)}, []sighting{heard("1.1.1.1", broken, "")}, fail},
		{"one public resolver fails", []sighting{heard("ns1", success, good)}, []sighting{heard("1.1.1.1", broken, ""), heard("8.8.8.8", success, good)}, warn},
		{"one public resolver refuses", []sighting{heard("ns1", success, good)}, []sighting{heard("1.1.1.1", refused, ""), heard("8.8.8.8", success, good)}, warn},
		{"all public resolvers refuse", []sighting{heard("ns1", success, good)}, []sighting{heard("1.1.1.1", refused, "")}, unknown},
		{"all fail", nil, []sighting{heard("1.1.1.1", broken, "")}, fail},
		{"nobody answers", nil, []sighting{silent}, unknown},
		{"nobody to ask", nil, nil, unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := evidence{record: records("example.com", false, false)[0], apex: "example.com", direct: tt.authoritative, public: tt.public}
			got := judge(e)
			if got.status() != tt.want {
				t.Errorf("got %v (%s), want %v", got.status(), got.says, tt.want)
			}
			if slices.ContainsFunc(got.fix, func(s string) bool { return strings.Contains(s, " 0 seconds") }) {
				t.Errorf("no time is known, but the fix names 0 seconds: %q", got.fix)
			}
		})
	}
}

func TestHumanTimes(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 seconds", 90 * time.Second: "90 seconds", 5 * time.Minute: "5 minutes", 119 * time.Minute: "119 minutes", 24 * time.Hour: "24 hours",
	} {
		if got := human(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestAddSaysTheWholeNameWhereTheZoneIsUnknown(t *testing.T) {
	e := evidence{record: records("example.com", false, false)[0], public: []sighting{heard("1.1.1.1", dns.RcodeNameError, "")}}
	if got, want := judge(e).fix[0], "add: clerk.example.com CNAME frontend-api.clerk.services"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
