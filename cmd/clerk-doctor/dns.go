package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

const (
	longestAlias = 10   // CNAMEs that are followed before a chain counts as a loop
	udpSize      = 1232 // the EDNS size that is not fragmented on the internet
)

var (
	errAliasCircle  = errors.New("the CNAMEs lead in a circle")
	errRcode        = errors.New("the answer is")
	errOtherAnswer  = errors.New("the answer is to another question")
	errNoRouteToDNS = errors.New("no route from here")
)

// server is one address of a name server.
type server struct {
	name string // the name for people: a host, or the address of a resolver
	ip   string // "" if the server has only one address
	addr string // what is dialled
	ipv6 bool   // an IPv6 address
}

func (s server) String() string {
	if s.ip != "" {
		return s.name + " (" + s.ip + ")"
	}
	return s.name
}

// dig is the server as an argument of dig.
func (s server) dig() string {
	if s.ip != "" {
		return "@" + s.ip
	}
	host, port, err := net.SplitHostPort(s.name)
	if err != nil {
		return "@" + s.name
	}
	return "@" + host + " -p " + port
}

// question is what one server is asked.
type question struct {
	name      string
	qtype     uint16
	direct    bool // to an authoritative server: without recursion
	unchecked bool // without DNSSEC validation
	dnssec    bool // with signatures
}

func (q question) String() string { return plain(q.name) + " " + dns.TypeToString[q.qtype] }

// dig is the command that shows the answer of s, with rcode and extended errors.
func (q question) dig(s server) string {
	line := "dig +noall +comments +answer "
	if q.direct {
		line += "+norecurse "
	}
	if q.unchecked {
		line += "+cd "
	}
	if q.dnssec {
		line += "+dnssec "
	}
	line += q.String()
	if s.name != "" {
		line += " " + s.dig()
	}
	return line
}

func (q question) message(edns bool) *dns.Msg {
	m := new(dns.Msg).SetQuestion(dns.Fqdn(q.name), q.qtype)
	m.RecursionDesired = !q.direct
	m.CheckingDisabled = q.unchecked
	if edns {
		m.SetEdns0(udpSize, q.dnssec)
	}
	return m
}

// ask sends one question to one server. A SERVFAIL may be temporary, so it is sent once more.
func (n *network) ask(ctx context.Context, to server, q question) reply {
	r := n.exchange(ctx, to, q)
	if r.err == nil && r.rcode == dns.RcodeServerFailure {
		if again := n.exchange(ctx, to, q); again.err == nil {
			r = again
		}
	}
	r.from = to
	return r
}

// exchange tries UDP, then TCP, and omits EDNS if the server does not understand it (RFC 6891, 7) or does not answer.
func (n *network) exchange(ctx context.Context, to server, q question) reply {
	var last error
	for _, try := range []struct {
		transport string
		edns      bool
		times     time.Duration // of the usual limit
	}{{"udp", true, 1}, {"udp", true, 1}, {"udp", false, 2}, {"tcp", true, 2}} {
		limit := try.times * n.timeLimit(q)
		in, err := n.send(ctx, to, q, try.transport, try.edns, limit)
		if err == nil && try.edns && withoutEDNS(in.Rcode) {
			if old, err := n.send(ctx, to, q, try.transport, false, limit); err == nil {
				return newReply(old)
			}
		}
		if err == nil {
			r := newReply(in)
			r.dropsEDNS = !try.edns
			return r
		}
		if last = err; unrouted(err) {
			return reply{err: fmt.Errorf("%w: %w", errNoRouteToDNS, err)}
		}
	}
	return reply{err: last}
}

// withoutEDNS reports whether the rcode is that of a server without EDNS.
func withoutEDNS(rcode int) bool {
	return rcode == dns.RcodeFormatError || rcode == dns.RcodeNotImplemented || rcode == dns.RcodeBadVers
}

// timeLimit is for one try. A resolver may have to try servers that do not answer, except for the root, which it has
// cached.
func (n *network) timeLimit(q question) time.Duration {
	if q.direct || q.name == "." {
		return n.dnsTimeout
	}
	return 2 * n.dnsTimeout
}

func (n *network) send(ctx context.Context, to server, q question, transport string, edns bool, limit time.Duration) (*dns.Msg, error) {
	c := dns.Client{Net: transport, Dialer: &n.dialer, Timeout: limit}
	m := q.message(edns)
	in, _, err := c.ExchangeContext(ctx, m, to.addr)
	if err == nil && in.Truncated && transport == "udp" {
		c.Net = "tcp"
		in, _, err = c.ExchangeContext(ctx, m, to.addr)
	}
	if err == nil && len(in.Question) > 0 && !strings.EqualFold(in.Question[0].Name, m.Question[0].Name) {
		return nil, errOtherAnswer
	}
	return in, err
}

// unrouted reports whether this machine has no route to the server, such as to an IPv6 address without IPv6.
func unrouted(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH) ||
		errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}

// alive are the resolvers that answer at all: the public and the local ones. The others are not tried again.
func (n *network) alive(ctx context.Context) (public, local []server) {
	type both struct{ public, local []server }
	found := remember(&n.resolvers, "alive", func() both {
		speaks := func(all []server) []server {
			said := each(all, func(s server) bool { return n.ask(ctx, s, question{name: ".", qtype: dns.TypeNS}).err == nil })
			var heard []server
			for i, s := range all {
				if said[i] {
					heard = append(heard, s)
				}
			}
			return heard
		}
		lists := each([][]server{n.public, n.local}, speaks)
		return both{lists[0], lists[1]}
	})
	return found.public, found.local
}

// query asks the public resolvers in turn and, if none of them has an answer, the local ones.
func (n *network) query(ctx context.Context, q question) reply {
	public, local := n.alive(ctx)
	worst := reply{err: errUnresolved}
	for _, s := range slices.Concat(public, local) {
		r := n.ask(ctx, s, q)
		if r.usable() {
			return r
		}
		refused := worst.err == nil && worst.rcode == dns.RcodeRefused
		if worst.err != nil || refused && r.err == nil && r.rcode != dns.RcodeRefused { // a refusal is the least useful failure
			worst = r
		}
	}
	return worst
}

// lookup is query, and follows CNAMEs to the end if the resolver has not. Answers are cached.
func (n *network) lookup(ctx context.Context, name string, qtype uint16) reply {
	q := question{name: dns.CanonicalName(name), qtype: qtype}
	return remember(&n.replies, q, func() reply { return n.chase(ctx, q) })
}

func (n *network) chase(ctx context.Context, q question) reply {
	r := n.query(ctx, q)
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
		more := n.query(ctx, q)
		more.answer = slices.Concat(r.answer, more.answer)
		r = more
	}
	return reply{err: errAliasCircle}
}

// unchecked asks without DNSSEC validation.
func (n *network) unchecked(ctx context.Context, name string, qtype uint16, dnssec bool) reply {
	q := question{name: dns.CanonicalName(name), qtype: qtype, unchecked: true, dnssec: dnssec}
	return remember(&n.replies, q, func() reply { return n.query(ctx, q) })
}

// blind reports whether the resolvers cannot see the internet, as in a closed network: that they do not know a name means
// nothing then.
func (n *network) blind(ctx context.Context, name string) bool {
	name = plain(name)
	return n.lookup(ctx, name[strings.LastIndexByte(name, '.')+1:], dns.TypeSOA).soa() == nil
}

// human is a TTL in words.
func human(d time.Duration) string {
	switch {
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Round(time.Hour)/time.Hour))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%d minutes", int(d.Round(time.Minute)/time.Minute))
	}
	return fmt.Sprintf("%d seconds", int(d.Round(time.Second)/time.Second))
}
