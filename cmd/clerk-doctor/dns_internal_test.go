package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/miekg/dns"
)

// testNetwork returns a network whose resolver listens at address.
func testNetwork(t *testing.T, address string) *network {
	t.Helper()
	n := &network{dialer: loopbackOnly(t), dnsTimeout: testTimeout, connect: map[string]string{"192.0.2.53": address}, now: atNoon}
	n.local = []server{n.at("192.0.2.53")}
	return n
}

func TestLookupFollowsAliases(t *testing.T) {
	// A resolver that returns an alias without following it.
	chasing := testNetwork(t, serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		next := map[string]string{
			"a.example.": "b.example.", "b.example.": "c.example.", "circle.example.": "about.example.", "about.example.": "circle.example.",
			"dangling.example.": "nothing.example.",
		}
		name := q.Question[0].Name
		if to, found := next[name]; found {
			m.Answer = append(m.Answer, &dns.CNAME{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeCNAME, Class: dns.ClassINET}, Target: to})
		} else if name == "c.example." && q.Question[0].Qtype == dns.TypeA {
			m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(127, 0, 0, 9)})
		}
		if name == "example." {
			m.Ns = append(m.Ns, &dns.SOA{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeSOA, Class: dns.ClassINET}, Ns: ".", Mbox: "."})
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
	if _, err := chasing.addresses(t.Context(), "circle.example"); !errors.Is(err, errAliasCircle) {
		t.Errorf("circle.example: got error %v, want %v", err, errAliasCircle)
	}
	d := &doctor{options: options{domain: "circle.example"}, net: chasing}
	if got := judgeCAA("circle.example", d.findCAA(t.Context(), "circle.example")); got.code != caaLookupFails {
		t.Errorf("CAA of an alias in a circle: got %+v, want a failure", got)
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
	var queries atomic.Int64
	n := testNetwork(t, serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if q.Question[0].Name == "bogus.example." {
			queries.Add(1)
		}
		m := new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		m.SetEdns0(udpSize, false)
		m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0011223344556677"}, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus})
		_ = w.WriteMsg(m)
	}))
	r := n.lookup(t.Context(), "bogus.example", dns.TypeA)
	if err := r.failure(); !errors.Is(err, errRcode) || !strings.Contains(err.Error(), "SERVFAIL (DNSSEC Bogus)") {
		t.Errorf("got %v, want a SERVFAIL with its explanation", err)
	}
	if _ = n.lookup(t.Context(), "BOGUS.example.", dns.TypeA); queries.Load() != 2 {
		t.Errorf("the server was asked %d times for one name, want 2: a SERVFAIL is asked for again, and then remembered", queries.Load())
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

func TestGarbledAnswersAreQueriedAgain(t *testing.T) {
	var queries atomic.Int64
	n := testNetwork(t, serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if q.Question[0].Name == "slow.example." && queries.Add(1) == 1 {
			m := new(dns.Msg).SetReply(q)
			wire, _ := m.Pack()
			_, _ = w.Write(wire[:len(wire)-3])
			return
		}
		m := new(dns.Msg).SetReply(q)
		rr, _ := dns.NewRR("slow.example. 60 A 127.0.0.1")
		m.Answer = []dns.RR{rr}
		_ = w.WriteMsg(m)
	}))
	if got := n.lookup(t.Context(), "slow.example", dns.TypeA).addrs(); len(got) != 1 {
		t.Errorf("got %v, want the address of the second answer", got)
	}
}

func TestDialTriesEveryAddress(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	n := testNetwork(t, laxServer(t, "two.example. 60 A 127.0.0.2", "two.example. 60 A 127.0.0.1", "closed.example. 60 A 127.0.0.2", "example."+soaOf))
	conn, err := n.dial(t.Context(), "two.example", port)
	if err != nil {
		t.Fatalf("the second address was not tried: %v", err)
	}
	_ = conn.Close()
	for host, gone := range map[string]bool{"closed.example": true, "none.example": true} {
		if _, err := n.dial(t.Context(), host, port); !errors.Is(err, errNoConnection) || absent(err) != gone || outOfReach(err) == gone {
			t.Errorf("%s: got error %v, want one that says it is absent", host, err)
		}
	}
}

func TestErrorsAreSaidPlainly(t *testing.T) {
	for want, err := range map[string]error{
		"no answer in time":        &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded},
		"connection refused":       &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)},
		"the name has no address":  &url.Error{Op: "Get", URL: "https://clerk.example.com", Err: errNoAddress},
		"no answer in time at all": errors.New("no answer in time at all"),
	} {
		if got := plainly(err); got != want {
			t.Errorf("%v: got %q, want %q", err, got, want)
		}
	}
	if got := plainly(fmt.Errorf("keys: %w", context.DeadlineExceeded)); got != "no answer in time" {
		t.Errorf("a deadline that has passed: got %q, want \"no answer in time\"", got)
	}
}

func TestSOAIsFoundBehindAliases(t *testing.T) {
	r := reply{answer: []dns.RR{&dns.CNAME{}}, ns: []dns.RR{&dns.NS{}, &dns.SOA{Minttl: 7}}}
	if got := r.soa(); got == nil || got.Minttl != 7 {
		t.Errorf("got %v, want the SOA of the authority section", got)
	}
}

func TestDialGoesWhereTheZoneSays(t *testing.T) {
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	soa := "example.com." + soaOf
	authority := laxServer(t, soa, "clerk.example.com. 60 CNAME frontend-api.clerk.services.", "accounts.example.com. 60 CNAME portal.example.com.")
	n := testNetwork(t, laxServer(t, soa, "com."+soaOf, "example.com. 60 NS ns1.hoster.example.",
		"clerk.example.com. 60 A 127.0.0.2", "frontend-api.clerk.services. 60 A 127.0.0.1"))
	n.connect["ns1.hoster.example"] = authority
	d := newDoctor(options{domain: "example.com"}, n)
	for host, want := range map[string]string{
		"clerk.example.com": "frontend-api.clerk.services", "accounts.example.com": "accounts.example.com", "www.example.com": "www.example.com",
	} {
		if got := d.dialName(t.Context(), host); got != want {
			t.Errorf("%s: got %s, want %s", host, got, want)
		}
	}
	conn, err := n.dial(t.Context(), "clerk.example.com", port)
	if err != nil {
		t.Fatalf("only the resolver's old address was dialled: %v", err)
	}
	_ = conn.Close()
}
