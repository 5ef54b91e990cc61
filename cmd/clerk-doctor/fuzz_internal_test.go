package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// FuzzAnswers gives any possible DNS answer to every check of DNS. None panics or follows aliases
// without end, and every finding has a code of the catalogue and can be printed.
func FuzzAnswers(f *testing.F) {
	const host = "clerk.example.com."
	for _, records := range [][]string{
		nil,
		{host + " 60 IN CNAME frontend-api.clerk.services."},
		{host + " 60 IN CNAME " + host},
		{host + " 60 IN CNAME a.example.com.", "a.example.com. 60 IN CNAME " + host},
		{host + " 60 IN A 192.0.2.1", host + " 60 IN AAAA 2001:db8::1"},
		{host + " 60 IN NS ns.example.net."},
		{"example.com. 60 IN SOA ns.example.com. h.example.com. 1 2 3 4 5"},
		{`example.com. 60 IN CAA 0 issue "letsencrypt.org; accounturi=https://a/1"`, `example.com. 60 IN CAA 128 odd "x"`},
		{host + " 60 IN RRSIG CNAME 8 3 60 20260101000000 20250101000000 1 example.com. AAAA"},
		{"example.com. 60 IN DNAME example.net."},
		{host + ` 60 IN TXT "x"`},
	} {
		m := new(dns.Msg).SetQuestion(host, dns.TypeCNAME)
		m.Response, m.Authoritative = true, true
		for _, record := range records {
			rr, err := dns.NewRR(record)
			if err != nil {
				f.Fatal(err)
			}
			m.Answer, m.Ns = append(m.Answer, rr), append(m.Ns, rr)
		}
		m.SetEdns0(udpSize, true)
		m.IsEdns0().Option = append(m.IsEdns0().Option, &dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeSignatureExpired})
		wire, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		for _, rcode := range []byte{dns.RcodeSuccess, dns.RcodeNameError, dns.RcodeServerFailure, dns.RcodeRefused} {
			wire[3] = wire[3]&0xf0 | rcode
			f.Add(wire, wire)
			f.Add(wire, []byte{})
		}
	}
	n := &network{now: func() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }}
	f.Fuzz(func(t *testing.T, fromZone, fromResolver []byte) {
		direct, ok := unpacked(fromZone)
		if !ok {
			return
		}
		public, ok := unpacked(fromResolver)
		if !ok {
			public = reply{err: errOtherAnswer}
		}
		for _, c := range judged(n, direct, public) {
			if c.code < 0 || int(c.code) >= len(catalogue) || c.kind().id == "" || c.status() == skipped {
				t.Errorf("%+v has the code %d, which is not that of a finding", c, c.code)
			}
			if _, err := json.Marshal(item{c.name, c.says}); err != nil {
				t.Errorf("%+v cannot be printed as JSON: %v", c, err)
			}
			for _, line := range append(c.see, c.fix...) {
				if strings.TrimSpace(line) == "" {
					t.Errorf("%+v has an empty line", c)
				}
			}
		}
	})
}

func unpacked(wire []byte) (reply, bool) {
	m := new(dns.Msg)
	if len(wire) > 4096 || m.Unpack(wire) != nil {
		return reply{}, false
	}
	return newReply(m), true
}

// judged returns the checks of every record and of its CAA set, for the answers of the zone's
// server and of a resolver.
func judged(n *network, direct, public reply) (all []check) {
	for _, r := range records("example.com", false, false) {
		sent := question{name: r.host, qtype: dns.TypeCNAME, direct: true}
		e := evidence{record: r, apex: "example.com", addrs: direct.addrs(), targetAddrs: public.addrs()}
		e.direct = []sighting{sight(server{name: "ns", ip: "192.0.2.1"}, sent, r.host, direct)}
		sent.direct = false
		e.public = []sighting{sight(server{name: "192.0.2.2:53"}, sent, r.host, public)}
		e.local = &e.public[0]
		if cut := direct.referral(r.host, e.apex); cut != "" {
			e.cut, e.lame = cut, []string{direct.answersTo(sent)}
		}
		all = append(all, judge(e))
		if best, known := e.best(); known {
			all = append(all, compare(e, best))
			for _, rr := range best.owned(r.host, dns.TypeCNAME) {
				e.several = append(e.several, plain(rr.(*dns.CNAME).Target))
			}
			all = append(all, judge(e))
		}
		set := caaSet{see: sent}
		if end := plain(direct.canonical(r.host)); end != "" {
			set.at = end
			for _, rr := range direct.owned(end, dns.TypeCAA) {
				set.rrs = append(set.rrs, rr.(*dns.CAA))
			}
		}
		all = append(all, judgeCAA(r.host, set))
		set.failed = []failure{{server{name: "ns"}, sent, public}}
		all = append(all, judgeCAA(r.host, set))
	}
	found, _ := n.outdated(direct.answer)
	explained, _ := explainedProblem(direct)
	_, _, _, _ = direct.short(), direct.leadsToClerk("clerk.example.com"), direct.refers("clerk.example.com"), resolverAdvice(direct)
	return append(all, check{code: found}, check{code: explained})
}
