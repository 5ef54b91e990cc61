package main

import (
	"testing"
)

// tellZoneStories: the first line of each file in testdata/zones says what is in the zone.
func tellZoneStories(t *testing.T, in internet) {
	for _, st := range []story{
		{name: "targets swapped", args: []string{"swapped.example"}, exit: exitFails},
		{name: "a wildcard leads to Clerk", args: []string{"wildcard.example"}, exit: exitFails},
		{name: "a wildcard leads to the application", args: []string{"wildapp.example"}, exit: exitFails, site: unserved},
		{name: "a wildcard below which the host exists", args: []string{"entwild.example"}, exit: exitFails},
		{name: "a wildcard for mail", args: []string{"mailwild.example"}, exit: exitFails, site: lost},
		{name: "a DNAME above", args: []string{"dname.example"}, exit: exitFails, site: lost},
		{name: "several CNAMEs", args: []string{"beside.example"}, exit: exitFails, leads: func(t *testing.T, _ internet) []string {
			return []string{"ns1.laxhost.example=" + laxServer(t,
				"beside.example. 300 SOA ns1.laxhost.example. h.example. 1 1 1 1 300",
				"clerk.beside.example. 300 CNAME frontend-api.clerk.services.",
				"clerk.beside.example. 300 CNAME app.hoster.example.",
				"accounts.beside.example. 300 CNAME accounts.clerk.services.",
				"clkmail.beside.example. 300 CNAME mail.abc123def456.clerk.services.",
				"clk._domainkey.beside.example. 300 CNAME dkim1.abc123def456.clerk.services.",
				"clk2._domainkey.beside.example. 300 CNAME dkim2.abc123def456.clerk.services.",
			)}
		}},
		{name: "delegated at the host", args: []string{"cut.example"}, exit: exitFails, site: unserved},
		{name: "a zone of its own at the host", args: []string{"ownzone.example"}, exit: exitFails, site: unserved},
		{name: "delegated above the keys", args: []string{"mailcut.example"}, exit: exitFails},
		{name: "delegated above the keys to nobody", args: []string{"lostcut.example"}, exit: exitFails},
		{name: "delegated above the keys to a server out of reach", args: []string{"mailzone.example"}, exit: exitFails, leads: func(t *testing.T, in internet) []string {
			// The zone's servers refer to the zone below, whose servers are the same ones under a
			// name that has no address here.
			refer := about("_domainkey.mailzone.example", referral(t, "_domainkey.mailzone.example. 60 NS ns1.lamehost.example."))
			return append(hoster(faulty(t, in.authority, refer)), "ns1.lamehost.example="+freePort(t))
		}},
		{name: "keys in a zone of their own", args: []string{"mailzone.example"}, exit: exitFails},
		{name: "name servers with IPv6 only", args: []string{"v6only.example"}, exit: exitGood},
		{name: "name servers with both, and IPv6 goes nowhere", args: []string{"dual.example"}, exit: exitGood, leads: func(t *testing.T, in internet) []string {
			return []string{"192.0.2.57=" + in.authority, "2001:db8::57=" + serveDNS(t, silent)}
		}},
		{name: "name servers with both, and one is lame", args: []string{"dual.example"}, exit: exitGood, leads: func(t *testing.T, in internet) []string {
			return []string{"192.0.2.57=" + in.authority, "2001:db8::57=" + in.stale}
		}},
		{name: "name servers that do not exist", args: []string{"lostserver.example"}, exit: exitGood},
		{name: "DNSSEC unsigned", args: []string{"unsigned.example"}, exit: exitFails},
		{name: "DNSSEC expired", args: []string{"expired.example"}, exit: exitFails},
		{name: "DNSSEC too early", args: []string{"early.example"}, exit: exitFails},
		{name: "DNSSEC in order", args: []string{"signed.example"}, exit: exitGood},
		{name: "CAA of the target", args: []string{"caatarget.example"}, exit: exitFails, site: func(_ *testing.T, _ internet, s *site) { delete(s.certs, "accounts.caatarget.example") }},
		{name: "service records in its place", args: []string{"service.example"}, exit: exitFails},
		{name: "second mail provider", args: []string{"secondmail.example"}, exit: exitFails},
		{name: "a name in another script", args: []string{"BÜCHER.example."}, domain: "xn--bcher-kva.example", exit: exitGood},
		{name: "a name in the zone above", args: []string{"kept.example"}, exit: exitGood},
		{name: "the address of the Frontend API", args: []string{"https://clerk.example.com/"}, domain: "example.com", exit: exitGood},
		{name: "a page of the domain", args: []string{"app.example.com"}, domain: "example.com", exit: exitGood},
		{name: "a name given away", args: []string{"user.github.io"}, exit: exitFails, site: lost},
		{name: "a name sold below a private suffix", args: []string{"shop.uk.com"}, exit: exitGood},
		{
			name: "a name given away behind a proxy", args: []string{"-proxy-url", "https://my-app.vercel.app/__clerk", "my-app.vercel.app"}, exit: exitGood,
			site: func(t *testing.T, in internet, s *site) {
				s.certs["my-app.vercel.app"] = in.ca.issue(t, noon.AddDate(0, 0, 60), "my-app.vercel.app")
				s.prefix, s.issuer = "/__clerk", "https://my-app.vercel.app/__clerk"
			},
		},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.run(t, in)
		})
	}
}
