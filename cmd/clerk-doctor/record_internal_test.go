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
	}{{false, false, 5}, {true, false, 1}, {false, true, 4}, {true, true, 0}} {
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
		{accounts, "worker.clerkprod-cloudflare.net", wrong, ""},
		{clerk, "accounts.clerk.services", unusual, ""},
		{clerk, "frontend-api.clerk.services.example.com", wrong, ""},
		{clerk, "evilclerk.services", wrong, ""},
		{mail, "mail.abc.clerk.services", right, "abc"},
		{mail, "mail.clerk.services", unusual, ""},
		{mail, "mail..clerk.services", unusual, ""},
		{mail, "mail.a.b.clerk.services", unusual, ""},
		{mail, "mail1.abc.clerk.services", unusual, ""},
		{mail, "dkim1.abc.clerk.services", unusual, ""},
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

// heard is what a server says of clerk.example.com.
func heard(name string, rcode int, target string) sighting {
	s := sighting{server: server{name: name}, reply: reply{rcode: rcode}, target: target}
	s.authoritative = name[:2] == "ns"
	return s
}

func TestJudgeBelievesTheRightServer(t *testing.T) {
	const good, bad = "frontend-api.clerk.services", "old.example.net"
	const success, missing, broken, refused = dns.RcodeSuccess, dns.RcodeNameError, dns.RcodeServerFailure, dns.RcodeRefused
	silent := sighting{server: server{name: "1.1.1.1"}, reply: reply{err: errNoConnection}}
	unauthorised := heard("ns2", success, "")
	unauthorised.authoritative = false
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
		{"one public resolver is silent", []sighting{heard("ns1", success, good)}, []sighting{silent, heard("8.8.8.8", success, good)}, ok},
		{"a public resolver fails", []sighting{heard("ns1", success, good)}, []sighting{heard("1.1.1.1", broken, "")}, fail},
		{"all fail", nil, []sighting{heard("1.1.1.1", broken, "")}, fail},
		{"nobody answers", nil, []sighting{silent}, unknown},
		{"nobody to ask", nil, nil, unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := evidence{record: records("example.com", false, false)[0], apex: "example.com", authoritative: tt.authoritative, public: tt.public}
			got := judge(e)
			if got.Status != tt.want {
				t.Errorf("got %v (%s), want %v", got.Status, got.Says, tt.want)
			}
			if slices.ContainsFunc(got.Fix, func(s string) bool { return strings.Contains(s, " 0 seconds") }) {
				t.Errorf("no time is known, but it says %q", got.Fix)
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
	if got, want := judge(e).Fix[0], "add: name clerk.example.com, type CNAME, target frontend-api.clerk.services"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
