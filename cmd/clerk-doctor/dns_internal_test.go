package main

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"
)

// network of the test, whose resolver listens at address.
func testNetwork(t *testing.T, address string) *network {
	t.Helper()
	n := &network{dialer: loopbackOnly(t), connect: map[string]string{"192.0.2.53": address}, now: atNoon}
	n.resolver = n.at("192.0.2.53")
	return n
}

func TestLookupFollowsAliases(t *testing.T) {
	// A resolver that gives an alias without following it.
	chasing := testNetwork(t, serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		next := map[string]string{
			"a.example.": "b.example.", "b.example.": "c.example.", "round.example.": "about.example.", "about.example.": "round.example.",
			"dangling.example.": "nothing.example.",
		}
		name := q.Question[0].Name
		if to, found := next[name]; found {
			m.Answer = append(m.Answer, &dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: to})
		} else if name == "c.example." && q.Question[0].Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 9)})
		}
		_ = w.WriteMsg(m)
	}))
	addrs, err := chasing.addresses(t.Context(), "a.example")
	if want := netip.MustParseAddr("127.0.0.9"); err != nil || len(addrs) != 1 || addrs[0] != want {
		t.Errorf("a.example has addresses %v and error %v, want %v", addrs, err, want)
	}
	if _, err := chasing.addresses(t.Context(), "dangling.example"); !errors.Is(err, errNoAddress) {
		t.Errorf("dangling.example: got error %v, want %v", err, errNoAddress)
	}
	if _, err := chasing.addresses(t.Context(), "round.example"); !errors.Is(err, errAliasCircle) {
		t.Errorf("round.example: got error %v, want %v", err, errAliasCircle)
	}
	if got := judgeCAA("round.example", chasing.findCAA(t.Context(), "round.example")); got.Status != fail {
		t.Errorf("CAA of an alias in a circle: got %v, want %v", got.Status, fail)
	}
	if r := chasing.lookup(t.Context(), "a.example", dns.TypeCNAME); len(r.answer) != 1 {
		t.Errorf("asked for a CNAME, got %v, want one record", r.answer)
	}
}

func TestTruncatedAnswersComeByTCP(t *testing.T) {
	n := testNetwork(t, serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if _, udp := w.RemoteAddr().(*net.UDPAddr); udp {
			m.Truncated = true
		} else {
			rr, _ := dns.NewRR("big.example. 60 A 127.0.0.1")
			m.Answer = []dns.RR{rr}
		}
		_ = w.WriteMsg(m)
	}))
	if got := n.lookup(t.Context(), "big.example", dns.TypeA).addrs(); len(got) != 1 {
		t.Errorf("got %v, want the one address that only TCP gives", got)
	}
}

func TestFailuresAreExplained(t *testing.T) {
	var asked atomic.Int64
	n := testNetwork(t, serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		asked.Add(1)
		m := new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		m.SetEdns0(udpSize, false)
		m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus})
		_ = w.WriteMsg(m)
	}))
	r := n.lookup(t.Context(), "bogus.example", dns.TypeA)
	if err := r.failure(); !errors.Is(err, errRefused) || !strings.Contains(err.Error(), "SERVFAIL (DNSSEC Bogus)") {
		t.Errorf("got %v, want a SERVFAIL with its explanation", err)
	}
	if _ = n.lookup(t.Context(), "BOGUS.example.", dns.TypeA); asked.Load() != 1 {
		t.Errorf("the server was asked %d times for one name, want 1", asked.Load())
	}
}

func TestServersKeepTheirNames(t *testing.T) {
	n := &network{connect: map[string]string{"ns1.example": "127.0.0.1:5301", "clerk.example": "127.0.0.1"}}
	for _, tt := range []struct{ address, addr, dig string }{
		{"1.1.1.1", "1.1.1.1:53", "@1.1.1.1"},
		{"127.0.0.1:5353", "127.0.0.1:5353", "@127.0.0.1 -p 5353"},
		{"2606:4700::1111", "[2606:4700::1111]:53", "@2606:4700::1111"},
		{"[2606:4700::1111]:53", "[2606:4700::1111]:53", "@2606:4700::1111"},
		{"ns1.example", "127.0.0.1:5301", "@ns1.example"},
	} {
		s := n.at(tt.address)
		if s.addr != tt.addr || s.dig() != tt.dig {
			t.Errorf("%s: got %s and %s, want %s and %s", tt.address, s.addr, s.dig(), tt.addr, tt.dig)
		}
	}
	if got, want := n.reroute("CLERK.example.", "443"), "127.0.0.1:443"; got != want {
		t.Errorf("a host led to a bare address: got %s, want %s", got, want)
	}
}
