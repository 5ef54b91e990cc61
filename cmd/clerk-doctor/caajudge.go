package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// checkCAA checks whether Clerk can get a certificate for the host of r.
func (d *doctor) checkCAA(ctx context.Context, r record) check {
	return remember(&d.seen, "CAA of "+r.host, func() check {
		f := d.zoneState(ctx)
		if f.blocker != nil {
			return check{code: caaUnknown, name: r.host, cause: f.blocker}
		}
		s := d.findCAA(ctx, r.host)
		c := judgeCAA(r.host, s)
		// A problem of the CNAME, or one that hides it, comes first.
		if cname := d.recordCheck(ctx, r); cname.bad() && c.status() != ok && (s.aliased != "" || len(s.failed) > 0) {
			c.cause = cname.ref()
		}
		return c
	})
}

func judgeCAA(host string, s caaSet) check {
	c := check{code: caaGood, name: host, see: []string{s.see.dig(s.from)}}
	if len(s.failed) > 0 {
		failedCAA(&c, s)
		return c
	}
	missing := s.missing()
	switch {
	case s.at == "":
		c.says = "nothing restricts who may issue"
		return c
	case len(missing) == 0:
		c.says = "the records at " + s.at + " permit " + strings.Join(authorities, " and ")
		return c
	}
	if len(missing) == len(authorities) {
		c.code, c.says = caaBlocked, "the records at "+s.at+" permit neither "+strings.Join(missing, " nor ")
	} else {
		c.code, c.says = caaOneMissing, "the records at "+s.at+" do not permit "+missing[0]
	}
	if critical := s.unknownCritical(); len(critical) > 0 {
		c.code, c.says = caaCritical, line(s.at, critical[0].Flag, critical[0].Tag, critical[0].Value)
	}
	if s.aliased != "" {
		c.says += " (" + s.aliased + " is an alias of it)"
	}
	if s.foreign {
		if c.status() == fail {
			c.code = caaOfTarget
		}
		c.fix = []string{"nothing to add in your zone: whoever runs " + s.at + " has to permit " + strings.Join(missing, " and ") + "; if the CNAME leads where Clerk wants it, tell Clerk's support"}
		return c
	}
	c.fix = additions(s, missing)
	return c
}

// missing are the authorities that the set does not permit.
func (s caaSet) missing() []string {
	return slices.DeleteFunc(slices.Clone(authorities), func(a string) bool { return s.permits(a) == permitted })
}

// failedCAA: the search failed at a query that no server answered.
func failedCAA(c *check, s caaSet) {
	c.code, c.see = caaLookupFails, nil
	var words []string
	for _, f := range s.failed {
		c.see = append(c.see, f.q.dig(f.server))
		if !f.q.direct && (f.reply.err != nil && !errors.Is(f.reply.err, errAliasCircle) || f.reply.rcode == dns.RcodeRefused) {
			c.code = caaUnknown
		}
		words = append(words, f.server.String()+" "+f.reply.answersTo(f.q))
	}
	c.says = strings.Join(words, "; ")
	c.fix = []string{"show the DNS provider these queries: an authority that cannot look CAA up must not issue (RFC 8659)"}
	if s.foreign {
		c.fix = []string{"nothing to change in your zone: the target of the CNAME is where it fails; if the CNAME leads where Clerk wants it, tell Clerk's support"}
	}
	if c.code == caaUnknown {
		c.fix = []string{"check the network here, or name another resolver with -public-resolver"}
	}
}

// additions says which records to add. CAA records add up: none blocks another, and removing them would permit every
// authority. Only an unknown critical property forbids all issuance (RFC 8659, 4.5).
func additions(s caaSet, missing []string) (fix []string) {
	unknown := s.unknownCritical()
	for _, rr := range unknown {
		fix = append(fix, "remove: "+line(s.at, rr.Flag, rr.Tag, rr.Value))
	}
	rest := s
	rest.rrs = slices.DeleteFunc(slices.Clone(s.rrs), func(rr *dns.CAA) bool { return slices.Contains(unknown, rr) })
	for _, a := range missing {
		switch rest.permits(a) {
		case restricted:
			fix = append(fix, "add: "+line(s.at, 0, "issue", a)+" (the one that is there is bound to another ACME account or method)")
		case forbidden:
			fix = append(fix, "add: "+line(s.at, 0, "issue", a))
		case permitted:
		}
	}
	for _, rr := range rest.rrs {
		fix = append(fix, "present, keep: "+line(s.at, rr.Flag, rr.Tag, rr.Value))
	}
	return fix
}

func line(owner string, flag uint8, tag, value string) string {
	return fmt.Sprintf("%s. CAA %d %s %q", owner, flag, tag, value)
}
