package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

const (
	longestAlias = 10   // CNAMEs followed before a chain counts as a circle
	udpSize      = 1232 // the EDNS0 size that crosses the internet in one piece
)

var (
	errAliasCircle = errors.New("the CNAMEs lead in a circle")
	errRefused     = errors.New("the name server answered")
)

// question is what one server is asked.
type question struct {
	name      string
	qtype     uint16
	direct    bool // of an authoritative server: recursion is not wanted
	unchecked bool // without DNSSEC validation
}

// reply is what it said. The zero reply is an empty NOERROR.
type reply struct {
	err               error // nobody answered
	rcode             int
	authoritative     bool
	answer, ns, extra []dns.RR
	explained         string // RFC 8914, "DNSSEC Bogus"
}

// ask puts one question to one server, by UDP and, if that does not get through, by TCP.
func (n *network) ask(ctx context.Context, to server, q question) reply {
	m := new(dns.Msg).SetQuestion(dns.Fqdn(q.name), q.qtype)
	m.RecursionDesired = !q.direct
	m.CheckingDisabled = q.unchecked
	m.SetEdns0(udpSize, false)
	in, err := n.exchange(ctx, to, m)
	if err != nil {
		return reply{err: err}
	}
	return reply{
		rcode: in.Rcode, authoritative: in.Authoritative,
		answer: in.Answer, ns: in.Ns, extra: in.Extra,
		explained: extendedError(in),
	}
}

func (n *network) exchange(ctx context.Context, to server, m *dns.Msg) (*dns.Msg, error) {
	var last error
	for _, transport := range []string{"udp", "udp", "tcp"} {
		c := dns.Client{Net: transport, Dialer: &n.dialer, Timeout: dnsPatience}
		in, _, err := c.ExchangeContext(ctx, m, to.addr)
		if err == nil && in.Truncated && transport == "udp" {
			c.Net = "tcp"
			in, _, err = c.ExchangeContext(ctx, m, to.addr)
		}
		if err == nil {
			return in, nil
		}
		last = err
	}
	return nil, last
}

// extendedError is the explanation of RFC 8914, if the server gave one.
func extendedError(m *dns.Msg) string {
	opt := m.IsEdns0()
	if opt == nil {
		return ""
	}
	for _, o := range opt.Option {
		if e, is := o.(*dns.EDNS0_EDE); is {
			return dns.ExtendedErrorCodeToString[e.InfoCode]
		}
	}
	return ""
}

// lookup asks the resolver and follows CNAMEs to the end, as far as the resolver has not. Answers are remembered.
func (n *network) lookup(ctx context.Context, name string, qtype uint16) reply {
	q := question{name: dns.CanonicalName(name), qtype: qtype}
	return remember(&n.replies, q, func() reply { return n.chase(ctx, q) })
}

func (n *network) chase(ctx context.Context, q question) reply {
	r := n.ask(ctx, n.resolver, q)
	end := q.name
	for range longestAlias {
		next := r.canonical(end)
		if next == "" {
			break
		}
		if !r.usable() || next == end || q.qtype == dns.TypeCNAME || len(r.owned(next, q.qtype)) > 0 {
			return r
		}
		end = next
		q.name = next
		more := n.ask(ctx, n.resolver, q)
		more.answer = slices.Concat(r.answer, more.answer)
		r = more
	}
	return reply{err: errAliasCircle}
}

// usable is whether the reply says what there is, be it nothing.
func (r reply) usable() bool {
	return r.err == nil && (r.rcode == dns.RcodeSuccess || r.rcode == dns.RcodeNameError)
}

// failure is why the reply is not usable.
func (r reply) failure() error {
	switch {
	case r.err != nil:
		return r.err
	case r.explained != "":
		return fmt.Errorf("%w %s (%s)", errRefused, dns.RcodeToString[r.rcode], r.explained)
	}
	return fmt.Errorf("%w %s", errRefused, dns.RcodeToString[r.rcode])
}

// owned are the records of that name and type in the answer.
func (r reply) owned(name string, qtype uint16) []dns.RR {
	var found []dns.RR
	for _, rr := range r.answer {
		if rr.Header().Rrtype == qtype && dns.CanonicalName(rr.Header().Name) == dns.CanonicalName(name) {
			found = append(found, rr)
		}
	}
	return found
}

// canonical is where the aliases in the answer lead from name, and "" if they lead in a circle.
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

// addrs are the addresses in the answer, whoever owns them.
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

// soa is the start of authority in the reply, wherever it stands.
func (r reply) soa() *dns.SOA {
	for _, rr := range slices.Concat(r.answer, r.ns) {
		if soa, is := rr.(*dns.SOA); is {
			return soa
		}
	}
	return nil
}

// remember calls find once per key, also when many ask at once, and all wait for that one answer.
func remember[K comparable, V any](m *sync.Map, key K, find func() V) V {
	f, _ := m.LoadOrStore(key, sync.OnceValue(find))
	return f.(func() V)()
}

// parent is the name without its first label; the parent of a top-level domain is "".
func parent(name string) string {
	_, rest, _ := strings.Cut(strings.TrimSuffix(name, "."), ".")
	return rest
}

// plain is a name as people write it.
func plain(name string) string { return strings.TrimSuffix(dns.CanonicalName(name), ".") }

// within is whether name is domain or below it.
func within(name, domain string) bool {
	name, domain = plain(name), plain(domain)
	return name == domain || strings.HasSuffix(name, "."+domain)
}
