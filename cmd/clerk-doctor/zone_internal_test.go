package main

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// answers makes a name server that answers each question ("example.com. SOA") with the records of
// an answer, authority and additional section. If answer and authority are nil it answers SERVFAIL;
// to other questions the answer is empty.
func answers(t *testing.T, said map[string][3][]string) string {
	t.Helper()
	return serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		sections, known := said[q.Question[0].Name+" "+dns.TypeToString[q.Question[0].Qtype]]
		if known && sections[0] == nil && sections[1] == nil {
			m.Rcode = dns.RcodeServerFailure
		}
		for i, to := range []*[]dns.RR{&m.Answer, &m.Ns, &m.Extra} {
			for _, line := range sections[i] {
				rr, err := dns.NewRR(line)
				if err != nil {
					t.Error(err)
					return
				}
				*to = append(*to, rr)
			}
		}
		_ = w.WriteMsg(m)
	})
}

const soaOf = " 60 SOA ns1.hoster.example. h.hoster.example. 1 1 1 1 60"

func TestZoneIsFoundWhateverTheResolverLeavesOut(t *testing.T) {
	n := testNetwork(t, answers(t, map[string][3][]string{
		"example.com. SOA":       {{"example.com." + soaOf}, nil, nil},
		"example.com. NS":        {{"example.com. 60 TXT stray", "example.com. 60 NS ns.hoster.example."}, nil, nil},
		"ns.hoster.example. A":   {{"ns.hoster.example. 60 A 127.0.0.7"}, nil, nil},
		"app.example.com. SOA":   {{}, {}, nil}, // without the authority section
		"www.example.com. SOA":   {{"www.example.com. 60 CNAME edge.host.example."}, {"host.example." + soaOf}, nil},
		"deep.example.com. SOA":  {{}, {"example.com." + soaOf}, nil},
		"loose.example.com. SOA": {{}, {"host.example." + soaOf}, nil},
	}))
	for _, name := range []string{"example.com", "app.example.com", "www.example.com", "deep.example.com", "loose.example.com"} {
		if z := n.zoneOf(t.Context(), name); z.apex != "example.com" || z.err != nil || z.absent {
			t.Errorf("%s: got %+v, want the zone example.com", name, z)
		} else if want := []server{{name: "ns.hoster.example", addr: "127.0.0.7:53"}}; !slices.Equal(z.servers, want) {
			t.Errorf("%s: got servers %v, want %v", name, z.servers, want)
		}
	}
	if z := n.zoneOf(t.Context(), "nowhere.test"); z.apex != "" || !errors.Is(z.err, errNoZone) {
		t.Errorf("a name in no zone: got %+v, want %v", z, errNoZone)
	}
}

func TestBrokenDelegationIsQueriedAbove(t *testing.T) {
	n := testNetwork(t, answers(t, map[string][3][]string{
		"lame.hoster.example. SOA": {},
		"hoster.example. SOA":      {{"hoster.example." + soaOf}, nil, nil},
		"hoster.example. NS": {{
			"hoster.example. 60 NS ns1.hoster.example.", "hoster.example. 60 NS ns2.hoster.example.", "hoster.example. 60 NS ns3.hoster.example.",
		}, nil, nil},
	}))
	n.connect["ns1.hoster.example"] = answers(t, map[string][3][]string{
		"lame.hoster.example. NS": {{}, {"example." + soaOf, "other.example. 60 NS ns1.other.example."}, nil}, // not about it
	})
	n.connect["ns2.hoster.example"] = answers(t, map[string][3][]string{
		"lame.hoster.example. NS": {
			{},
			{"lame.hoster.example. 60 NS ns1.gone.example.", "lame.hoster.example. 60 NS ns.lame.hoster.example."},
			{"stray.example. 60 A 127.0.0.8", "ns.lame.hoster.example. 60 A 127.0.0.9"},
		},
	})
	z := n.zoneOf(t.Context(), "lame.hoster.example")
	want := []server{{name: "ns.lame.hoster.example", addr: "127.0.0.9:53"}}
	if z.apex != "lame.hoster.example" || !slices.Equal(z.servers, want) || !errors.Is(z.err, errRcode) || z.said.rcode != dns.RcodeServerFailure {
		t.Errorf("got %+v, want lame.hoster.example at %v, with the resolver's error", z, want)
	}
}

func TestLameAnswers(t *testing.T) {
	for _, tt := range []struct {
		name string
		r    reply
		want string
	}{
		{"with authority", reply{authoritative: true}, ""},
		{"without authority", reply{}, "answers example.com SOA without authority"},
		{"refused", reply{rcode: dns.RcodeRefused, authoritative: true}, "answers REFUSED to example.com SOA"},
		{"silent", reply{err: os.ErrDeadlineExceeded}, "does not answer example.com SOA"},
	} {
		if got := lameness(tt.r, question{name: "example.com", qtype: dns.TypeSOA}); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestNameServersWithoutAddressAreNamed(t *testing.T) {
	n := testNetwork(t, answers(t, map[string][3][]string{
		"example.com. SOA": {{"example.com." + soaOf}, nil, nil},
		"example.com. NS":  {{"example.com. 60 NS ns.gone.example."}, nil, nil},
	}))
	d := &doctor{options: options{domain: "example.com"}, net: n}
	if c := d.checkZone(t.Context())[0]; c.code != serversUnreachable || !strings.Contains(c.says, "ns.gone.example has no address") {
		t.Errorf("got %+v, want a warning that no name server has an address", c)
	}
}
