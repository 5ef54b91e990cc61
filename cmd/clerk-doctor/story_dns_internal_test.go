package main

import (
	"maps"
	"testing"

	"github.com/miekg/dns"
)

// dnsTellers run the stories of DNS, which are the same whichever program serves the zones.
var dnsTellers = map[string]func(*testing.T, internet){
	"records": tellDNSStories, "zones": tellZoneStories, "servers": tellServerStories, "resolvers": tellResolverStories,
}

var otherTellers = map[string]func(*testing.T, internet){
	"Key":          tellKeyStories,
	"Proxy":        tellProxyStories,
	"Certificate":  tellCertificateStories,
	"TLS":          tellTLSStories,
	"Frontend":     tellFrontendStories,
	"Allowlist":    tellAllowlistStories,
	"Token":        tellTokenStories,
	"ChangeDomain": tellChangeDomainStories,
	"Wait":         tellWaitStories,
}

func TestStories(t *testing.T) {
	for _, program := range programs {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			in := newInternet(t, program)
			tellers := maps.Clone(dnsTellers)
			if program == programs[0] {
				maps.Copy(tellers, otherTellers)
			}
			for name, tell := range tellers {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					tell(t, in)
				})
			}
		})
	}
}

func tellDNSStories(t *testing.T, in internet) {
	for _, st := range []story{
		{name: "all is well", args: []string{"example.com"}, exit: exitGood},
		{name: "nothing is there yet", args: []string{"missing.example"}, exit: exitFails, site: lost},
		{name: "proxied by Cloudflare", args: []string{"proxied.example"}, exit: exitFails},
		{name: "flattened by the provider", args: []string{"flattened.example"}, exit: exitFails},
		{name: "something else in its place", args: []string{"inplace.example"}, exit: exitFails},
		{name: "zone appended twice", args: []string{"doubled.example"}, exit: exitFails, site: unserved},
		{name: "wrong targets", args: []string{"targets.example"}, exit: exitFails},
		{name: "not yet everywhere", args: []string{"moving.example"}, exit: exitFails, leads: func(_ *testing.T, in internet) []string {
			return []string{"1.1.1.1=" + in.stale}
		}},
		{name: "CNAME beside other records", args: []string{"beside.example"}, exit: exitFails, leads: func(t *testing.T, _ internet) []string {
			return []string{"ns1.laxhost.example=" + laxServer(t,
				"beside.example. 300 SOA ns1.laxhost.example. h.example. 1 1 1 1 300",
				"clerk.beside.example. 300 CNAME frontend-api.clerk.services.",
				`clerk.beside.example. 300 TXT "google-site-verification=abc"`,
				"clerk.beside.example. 300 A 192.0.2.80",
				"accounts.beside.example. 300 CNAME accounts.clerk.services.",
				"clkmail.beside.example. 300 CNAME mail.abc123def456.clerk.services.",
				"clk._domainkey.beside.example. 300 CNAME dkim1.abc123def456.clerk.services.",
				"clk2._domainkey.beside.example. 300 CNAME dkim2.abc123def456.clerk.services.",
			)}
		}},
		{name: "lame delegation", args: []string{"lame.example"}, exit: exitFails, site: lost},
		{name: "one lame server", args: []string{"halflame.example"}, exit: exitGood},
		{name: "DNSSEC broken", args: []string{"bogus.example"}, exit: exitFails},
		{name: "not registered", args: []string{"nosuch.example"}, exit: exitFails, site: lost},
		{name: "satellite", args: []string{"-satellite", "-publishable-key", publishable("clerk.example.com"), "satellite.example"}, exit: exitGood},
		{name: "resolver unreachable", args: []string{"example.com"}, exit: exitUnknown, site: lost, leads: func(t *testing.T, _ internet) []string {
			nobody := freePort(t)
			return []string{"192.0.2.53=" + nobody, "1.1.1.1=" + nobody, "8.8.8.8=" + nobody}
		}},
		{name: "closed network", args: []string{"example.com"}, exit: exitUnknown, site: lost, leads: func(t *testing.T, _ internet) []string {
			wall := serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) { _ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeNameError)) })
			return []string{"192.0.2.53=" + wall, "1.1.1.1=" + wall, "8.8.8.8=" + wall}
		}},
		{name: "public resolvers unreachable", args: []string{"-public-resolver", "9.9.9.9", "example.com"}, exit: exitUnknown, leads: func(t *testing.T, _ internet) []string {
			return []string{"9.9.9.9=" + freePort(t)}
		}},
		{name: "name servers out of reach", args: []string{"-resolver", "192.0.2.53:5353", "example.com"}, exit: exitGood, leads: func(t *testing.T, in internet) []string {
			nobody := freePort(t)
			return []string{"192.0.2.53=" + in.resolver, "ns1.hoster.example=" + nobody, "ns2.hoster.example=" + nobody}
		}},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.run(t, in)
		})
	}
}

// lost: the hosts have no address.
func lost(_ *testing.T, _ internet, s *site) { s.lost = true }

// unserved: Clerk has no certificate for any host.
func unserved(_ *testing.T, _ internet, s *site) { clear(s.certs) }
