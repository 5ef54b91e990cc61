package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// authorities are the certificate authorities that Clerk uses, by their CAA names. It needs both: it takes either.
var authorities = []string{"letsencrypt.org", "pki.goog"}

// caaSet is the relevant record set of a host (RFC 8659, 3): the first one that is not empty on the way up.
type caaSet struct {
	at      string // where it was found; "" if nothing restricts the host
	aliased string // the alias that led there, if there was one
	rrs     []*dns.CAA
	err     error  // a lookup on the way failed, so that an authority must not issue
	failed  string // at this name
}

// findCAA climbs from host towards the root. At each step the resolver follows aliases, but the climb goes on from the name
// itself, not from the alias's target: RFC 8659 dropped that from RFC 6844.
func (n *network) findCAA(ctx context.Context, host string) caaSet {
	for name := plain(host); name != ""; name = parent(name) {
		r := n.lookup(ctx, name, dns.TypeCAA)
		if !r.usable() {
			return caaSet{err: r.failure(), failed: name}
		}
		end := r.canonical(name)
		var rrs []*dns.CAA
		for _, rr := range r.owned(end, dns.TypeCAA) {
			rrs = append(rrs, rr.(*dns.CAA))
		}
		if len(rrs) == 0 {
			continue
		}
		slices.SortFunc(rrs, func(a, b *dns.CAA) int { return strings.Compare(a.String(), b.String()) })
		if plain(end) != name {
			return caaSet{at: plain(end), aliased: name, rrs: rrs}
		}
		return caaSet{at: name, rrs: rrs}
	}
	if n.blind(ctx, host) {
		return caaSet{err: errBlind, failed: plain(host)}
	}
	return caaSet{}
}

// permission is what a record set says to one authority.
type permission int

const (
	forbidden  permission = iota
	restricted            // only under conditions that Clerk is not known to meet
	permitted
)

// permits judges an ordinary (not wildcard) name, as all of Clerk's are: issuewild says nothing about those.
func (s caaSet) permits(authority string) permission {
	if len(s.unknownCritical()) > 0 {
		return forbidden
	}
	best, asked := forbidden, false
	for _, rr := range s.rrs {
		if !strings.EqualFold(rr.Tag, "issue") {
			continue
		}
		asked = true
		if name, parameters, valid := parseIssue(rr.Value); valid && strings.EqualFold(name, authority) {
			best = max(best, condition(parameters))
		}
	}
	if !asked {
		return permitted
	}
	return best
}

// known are the properties that Let's Encrypt and Google understand.
var known = []string{"issue", "issuewild", "iodef", "issuemail", "contactemail", "contactphone"}

// unknownCritical are the records that forbid all issuance because nobody knows what they mean (RFC 8659, 4.5).
// Bit 0 counts as the critical bit too: authorities read it so, since many people have set it in the belief that it is.
func (s caaSet) unknownCritical() []*dns.CAA {
	var found []*dns.CAA
	for _, rr := range s.rrs {
		if rr.Flag&0x81 != 0 && !slices.Contains(known, strings.ToLower(rr.Tag)) {
			found = append(found, rr)
		}
	}
	return found
}

// parseIssue splits the value of an issue property (RFC 8659, 4.2). A value that is not well formed names nobody.
func parseIssue(value string) (name string, parameters map[string]string, valid bool) {
	name, rest, _ := strings.Cut(value, ";")
	name = strings.Trim(name, " \t")
	parameters = map[string]string{}
	for part := range strings.SplitSeq(rest, ";") {
		part = strings.Trim(part, " \t")
		if part == "" {
			continue
		}
		tag, v, found := strings.Cut(part, "=")
		if !found || strings.ContainsAny(strings.TrimSpace(v), " \t") {
			return "", nil, false
		}
		parameters[strings.ToLower(strings.TrimSpace(tag))] = strings.TrimSpace(v)
	}
	return name, parameters, true
}

// condition weighs the parameters of RFC 8657. Clerk's ACME account is not the one in a customer's record, and it proves
// control over HTTP, since the DNS is the customer's.
func condition(parameters map[string]string) permission {
	if _, bound := parameters["accounturi"]; bound {
		return restricted
	}
	if methods, bound := parameters["validationmethods"]; bound && !slices.Contains(strings.Split(methods, ","), "http-01") {
		return restricted
	}
	return permitted
}

// checkCAA says whether Clerk can have a certificate issued for host.
func (d *doctor) checkCAA(ctx context.Context, host string) check {
	s := d.net.findCAA(ctx, host)
	c := judgeCAA(host, s)
	c.Group, c.Name = groupCAA, host
	c.See = []string{d.dig(cmp.Or(s.failed, s.aliased, s.at, host), "CAA")}
	return c
}

func judgeCAA(host string, s caaSet) check {
	switch {
	case errors.Is(s.err, errRefused), errors.Is(s.err, errAliasCircle):
		return check{
			Status: fail, Says: fmt.Sprintf("issuance is blocked: the CAA lookup at %s fails (%s), which an authority must take for a no", s.failed, plainly(s.err)),
			Fix: []string{"mend the zone first: see name servers"},
		}
	case s.err != nil:
		return check{
			Status: unknown, Says: fmt.Sprintf("the CAA records at %s could not be asked for: %s", s.failed, plainly(s.err)),
			Fix: []string{"check the network here, or name another resolver with -resolver"},
		}
	case s.at == "":
		return check{Status: ok, Says: "nothing restricts who may issue"}
	}
	var missing []string
	for _, a := range authorities {
		if s.permits(a) != permitted {
			missing = append(missing, a)
		}
	}
	if len(missing) == 0 {
		return check{Status: ok, Says: "the records at " + s.at + " permit " + strings.Join(authorities, " and ")}
	}
	return blocked(s, missing)
}

// blocked tells what stands in the way, and what to add: taking all CAA records away would open the domain to everybody.
func blocked(s caaSet, missing []string) check {
	c := check{Status: warn, Says: "renewal may fail: the records at " + s.at + " do not permit " + missing[0]}
	if len(missing) == len(authorities) {
		c.Status, c.Says = fail, "issuance is blocked: the records at "+s.at+" permit neither "+strings.Join(missing, " nor ")
	}
	if s.aliased != "" {
		c.Says += " (" + s.aliased + " is an alias of it)"
	}
	for _, rr := range s.rrs {
		only := caaSet{rrs: []*dns.CAA{rr}}
		helps := slices.ContainsFunc(missing, func(a string) bool { return only.permits(a) == permitted })
		if strings.EqualFold(rr.Tag, "issue") && !helps {
			c.Fix = append(c.Fix, "in the way: "+line(s.at, rr.Flag, rr.Tag, rr.Value))
		}
	}
	for _, rr := range s.unknownCritical() {
		c.Fix = append(c.Fix, "remove:     "+line(s.at, rr.Flag, rr.Tag, rr.Value)+" (critical, and unknown to every authority)")
	}
	rest := s.withoutUnknown()
	for _, a := range missing {
		switch rest.permits(a) {
		case restricted:
			c.Fix = append(c.Fix, "add:        "+line(s.at, 0, "issue", a)+" (the one that is there binds it to another ACME account or method)")
		case forbidden:
			c.Fix = append(c.Fix, "add:        "+line(s.at, 0, "issue", a))
		case permitted:
		}
	}
	return c
}

// withoutUnknown is what remains once the records are removed that nobody understands.
func (s caaSet) withoutUnknown() caaSet {
	unknown := s.unknownCritical()
	s.rrs = slices.DeleteFunc(slices.Clone(s.rrs), func(rr *dns.CAA) bool { return slices.Contains(unknown, rr) })
	return s
}

func line(owner string, flag uint8, tag, value string) string {
	return fmt.Sprintf("%s. CAA %d %s %q", owner, flag, tag, value)
}
