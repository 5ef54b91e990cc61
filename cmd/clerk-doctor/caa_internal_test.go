package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// caaRecords parses records such as `0 issue "letsencrypt.org"`.
func caaRecords(t *testing.T, lines ...string) []*dns.CAA {
	t.Helper()
	var rrs []*dns.CAA
	for _, l := range lines {
		rr, err := dns.NewRR("example.com. 300 CAA " + l)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, rr.(*dns.CAA))
	}
	return rrs
}

func TestCAAPermits(t *testing.T) {
	for _, tt := range []struct {
		name                string
		rrs                 []string
		letsEncrypt, google permission
	}{
		{"both", []string{`0 issue "letsencrypt.org"`, `0 issue "pki.goog"`}, permitted, permitted},
		{"one", []string{`0 issue "pki.goog"`}, forbidden, permitted},
		{"another", []string{`0 issue "digicert.com"`}, forbidden, forbidden},
		{"name in capitals", []string{`0 ISSUE "LetsEncrypt.ORG"`}, permitted, forbidden},
		{"name with spaces around", []string{`0 issue "  letsencrypt.org  ;"`}, permitted, forbidden},
		{"name that only begins so", []string{`0 issue "letsencrypt.org.example"`}, forbidden, forbidden},
		{"nobody", []string{`0 issue ";"`}, forbidden, forbidden},
		{"empty value", []string{`0 issue ""`}, forbidden, forbidden},
		{"nobody beside somebody", []string{`0 issue ";"`, `0 issue "pki.goog"`}, forbidden, permitted},
		{"malformed value", []string{`0 issue "letsencrypt.org pki.goog"`}, forbidden, forbidden},
		{"malformed parameter", []string{`0 issue "letsencrypt.org; policy"`}, forbidden, forbidden},
		{"wildcards only", []string{`0 issuewild ";"`}, permitted, permitted},
		{"wildcards say nothing for others", []string{`0 issuewild "pki.goog"`, `0 issue "letsencrypt.org"`}, permitted, forbidden},
		{"reports only", []string{`0 iodef "mailto:a@example.com"`}, permitted, permitted},
		{"mail only", []string{`128 issuemail ";"`}, permitted, permitted},
		{"unknown, not critical", []string{`0 tbs "x"`}, permitted, permitted},
		{"unknown and critical", []string{`128 tbs "x"`, `0 issue "pki.goog"`}, forbidden, forbidden},
		{"critical bit on the wrong side", []string{`1 tbs "x"`}, forbidden, forbidden},
		{"known and critical", []string{`128 issue "pki.goog"`}, forbidden, permitted},
		{"bound to an account", []string{`0 issue "letsencrypt.org; accounturi=https://acme.example/1"`}, restricted, forbidden},
		{"bound and free", []string{`0 issue "letsencrypt.org; accounturi=https://acme.example/1"`, `0 issue "letsencrypt.org"`}, permitted, forbidden},
		{"method that Clerk uses", []string{`0 issue "letsencrypt.org; validationmethods=dns-01,http-01"`}, permitted, forbidden},
		{"method that Clerk cannot use", []string{`0 issue "pki.goog;validationmethods=dns-01"`}, forbidden, restricted},
		{"parameter of the authority's own", []string{`0 issue "pki.goog; x=1"`}, forbidden, permitted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := caaSet{at: "example.com", rrs: caaRecords(t, tt.rrs...)}
			if got := s.permits("letsencrypt.org"); got != tt.letsEncrypt {
				t.Errorf("letsencrypt.org: got %v, want %v", got, tt.letsEncrypt)
			}
			if got := s.permits("pki.goog"); got != tt.google {
				t.Errorf("pki.goog: got %v, want %v", got, tt.google)
			}
			missing := 0
			for _, p := range []permission{tt.letsEncrypt, tt.google} {
				if p != permitted {
					missing++
				}
			}
			want := []status{ok, warn, fail}[missing]
			if got := judgeCAA("clerk.example.com", s); got.status() != want {
				t.Errorf("judged %v (%s), want %v", got.status(), got.says, want)
			}
		})
	}
}

func TestCAAFixesAreEnough(t *testing.T) {
	for _, set := range [][]string{
		{`0 issue "digicert.com"`},
		{`0 issue ";"`, `128 tbs "x"`},
		{`0 issue "letsencrypt.org"`, `1 tbs "x"`},
		{`0 issue "pki.goog; accounturi=https://acme.example/1"`},
		{`0 issue "letsencrypt.org"`},
		{`0 issue "letsencrypt.org; validationmethods=dns-01"`, `0 issuewild ";"`, `128 contactemail "a@example.com"`},
	} {
		s := caaSet{at: "example.com", rrs: caaRecords(t, set...)}
		fixed := caaRecords(t, set...)
		for _, step := range judgeCAA("clerk.example.com", s).fix {
			word, rest, _ := strings.Cut(step, ":")
			rest, _, _ = strings.Cut(strings.TrimSpace(rest), " (")
			rr, err := dns.NewRR(rest)
			if err != nil {
				t.Fatalf("%q is not a record: %v", rest, err)
			}
			switch word {
			case "present, keep":
				if !slices.ContainsFunc(s.rrs, func(o *dns.CAA) bool { return o.Tag == rr.(*dns.CAA).Tag && o.Value == rr.(*dns.CAA).Value }) {
					t.Errorf("%v: the fix keeps the record %s, which is not in the set", set, rr)
				}
			case "add":
				fixed = append(fixed, rr.(*dns.CAA))
			case "remove":
				for i, old := range fixed {
					if old.Tag == rr.(*dns.CAA).Tag && old.Flag == rr.(*dns.CAA).Flag {
						fixed = append(fixed[:i], fixed[i+1:]...)
						break
					}
				}
			}
		}
		if got := judgeCAA("clerk.example.com", caaSet{at: "example.com", rrs: fixed}); got.status() != ok {
			t.Errorf("%v: after the fix the status is %v, want ok: %s", set, got.status(), got.says)
		}
	}
}

func TestCAAClimbStopsWhereALookupFails(t *testing.T) {
	n := testNetwork(t, serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		if q.Question[0].Name == "example.com." {
			m.Rcode = dns.RcodeServerFailure
		}
		_ = w.WriteMsg(m)
	}))
	d := &doctor{options: options{domain: "example.com"}, net: n}
	c := judgeCAA("clerk.example.com", d.findCAA(t.Context(), "clerk.example.com"))
	if c.code != caaLookupFails || !strings.Contains(c.says, "192.0.2.53 answers SERVFAIL to example.com CAA") ||
		c.see[0] != "dig +noall +comments +answer example.com CAA @192.0.2.53" {
		t.Errorf("got %+v, want a failure at example.com", c)
	}
}
