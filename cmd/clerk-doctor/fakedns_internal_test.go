package main

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// safeBuffer is a bytes.Buffer for several writers at the same time.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// laxServer answers from a list of records, and with a CNAME beside other records. Real servers
// refuse to do that.
func laxServer(t *testing.T, records ...string) string {
	t.Helper()
	var rrs []dns.RR
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, rr)
	}
	return serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Authoritative = true
		for _, rr := range rrs {
			if rr.Header().Name == q.Question[0].Name && rr.Header().Rrtype == q.Question[0].Qtype {
				m.Answer = append(m.Answer, rr)
			}
		}
		_ = w.WriteMsg(m)
	})
}

// upstreamTimeout is how long a server of the test waits for a real one.
const upstreamTimeout = 5 * time.Second

// fault is what a server does with a query instead of answering it correctly; nil: it answers correctly.
type fault func(dns.ResponseWriter, *dns.Msg)

// faulty is a server that passes queries on to another server, except those for which it has a fault.
func faulty(t *testing.T, upstream string, faults func(q dns.Question, m *dns.Msg) fault) string {
	t.Helper()
	return serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		if act := faults(q.Question[0], q); act != nil {
			act(w, q)
			return
		}
		c := dns.Client{Net: w.LocalAddr().Network(), Timeout: upstreamTimeout}
		in, _, err := c.ExchangeContext(t.Context(), q, upstream)
		if err != nil {
			in = new(dns.Msg).SetRcode(q, dns.RcodeServerFailure)
		}
		_ = w.WriteMsg(in)
	})
}

// says answers with an rcode and an extended error (RFC 8914); 0: none.
func says(rcode int, extended uint16) fault {
	return func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetRcode(q, rcode)
		if extended != 0 && q.IsEdns0() != nil {
			m.SetEdns0(udpSize, false)
			m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: extended})
		}
		_ = w.WriteMsg(m)
	}
}

// silent drops the query.
func silent(dns.ResponseWriter, *dns.Msg) {}

// garbled sends an answer that cannot be parsed.
func garbled(w dns.ResponseWriter, q *dns.Msg) {
	if wire, err := new(dns.Msg).SetReply(q).Pack(); err == nil {
		_, _ = w.Write(wire[:len(wire)-3])
	}
}

// empty answers NOERROR with authority, and nothing else.
func empty(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg).SetReply(q)
	m.Authoritative = true
	_ = w.WriteMsg(m)
}

// blank is empty without authority.
func blank(w dns.ResponseWriter, q *dns.Msg) { _ = w.WriteMsg(new(dns.Msg).SetReply(q)) }

// about makes a fault for queries about a domain and the names below it, of the given types or of
// all types.
func about(domain string, act fault, types ...uint16) func(dns.Question, *dns.Msg) fault {
	return func(q dns.Question, _ *dns.Msg) fault {
		if within(q.Name, domain) && (len(types) == 0 || slices.Contains(types, q.Qtype)) {
			return act
		}
		return nil
	}
}

// from passes the query on to another server.
func from(t *testing.T, upstream string) fault {
	t.Helper()
	return func(w dns.ResponseWriter, q *dns.Msg) {
		c := dns.Client{Timeout: upstreamTimeout}
		if in, _, err := c.ExchangeContext(t.Context(), q, upstream); err == nil {
			_ = w.WriteMsg(in)
		}
	}
}

func always(act fault) func(dns.Question, *dns.Msg) fault {
	return func(dns.Question, *dns.Msg) fault { return act }
}

// resolvers makes the public resolvers connect to address; with all, the local one too.
func resolvers(address string, all bool) []string {
	leads := []string{"1.1.1.1=" + address, "8.8.8.8=" + address}
	if all {
		leads = append(leads, "192.0.2.53="+address)
	}
	return leads
}

// hoster makes both name servers of most zones connect to address.
func hoster(address string) []string {
	return []string{"ns1.hoster.example=" + address, "ns2.hoster.example=" + address}
}

// serveDNS runs a name server in the test, over UDP and TCP.
func serveDNS(t *testing.T, handle dns.HandlerFunc) string {
	t.Helper()
	l, p := listenBoth(t)
	for _, s := range []*dns.Server{{Listener: l, Handler: handle}, {PacketConn: p, Handler: handle}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		done := make(chan error, 1)
		go func() { done <- s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			_ = s.Shutdown()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	return l.Addr().String()
}

// validating makes a fault for queries about a domain, of a resolver that passes on those without
// validation.
func validating(domain string, act fault) func(dns.Question, *dns.Msg) fault {
	return exceptDS(func(q dns.Question, m *dns.Msg) fault {
		if m.CheckingDisabled {
			return nil
		}
		return about(domain, act)(q, m)
	})
}

// exceptDS exempts DS records, which belong to the parent zone, from a fault.
func exceptDS(faults func(dns.Question, *dns.Msg) fault) func(dns.Question, *dns.Msg) fault {
	return func(q dns.Question, m *dns.Msg) fault {
		if q.Qtype == dns.TypeDS {
			return nil
		}
		return faults(q, m)
	}
}

// unsigned passes the query on without a request for signatures.
func unsigned(t *testing.T, upstream string) fault {
	t.Helper()
	return func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetQuestion(q.Question[0].Name, q.Question[0].Qtype)
		c := dns.Client{Timeout: upstreamTimeout}
		if in, _, err := c.ExchangeContext(t.Context(), m, upstream); err == nil {
			in.Id = q.Id
			_ = w.WriteMsg(in)
		}
	}
}

// denied answers NXDOMAIN, with the SOA of a zone.
func denied(t *testing.T, zone string) fault {
	t.Helper()
	soa, err := dns.NewRR(zone + "." + soaOf)
	if err != nil {
		t.Fatal(err)
	}
	return func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetRcode(q, dns.RcodeNameError)
		m.Ns, m.Authoritative = []dns.RR{soa}, !q.RecursionDesired
		_ = w.WriteMsg(m)
	}
}

// holding answers every query with these records.
func holding(t *testing.T, lines ...string) fault {
	t.Helper()
	var rrs []dns.RR
	for _, l := range lines {
		rr, err := dns.NewRR(l)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, rr)
	}
	return func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Answer = rrs
		_ = w.WriteMsg(m)
	}
}

// listenBoth finds a port that is free for both TCP and UDP.
func listenBoth(t *testing.T) (net.Listener, net.PacketConn) {
	t.Helper()
	for range 20 {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", l.Addr().String())
		if err == nil {
			return l, p
		}
		_ = l.Close()
	}
	t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

// referral answers with a referral to other name servers.
func referral(t *testing.T, lines ...string) fault {
	t.Helper()
	var rrs []dns.RR
	for _, l := range lines {
		rr, err := dns.NewRR(l)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, rr)
	}
	return func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Ns = rrs
		_ = w.WriteMsg(m)
	}
}

// stripped passes the query on and removes the answer's authority section, as forwarders of small
// networks do.
func stripped(t *testing.T, upstream string) fault {
	t.Helper()
	return func(w dns.ResponseWriter, q *dns.Msg) {
		c := dns.Client{Timeout: upstreamTimeout}
		if in, _, err := c.ExchangeContext(t.Context(), q, upstream); err == nil {
			in.Ns = nil
			_ = w.WriteMsg(in)
		}
	}
}
