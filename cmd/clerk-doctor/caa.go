package main

import (
	"context"
	"slices"
	"strings"

	"github.com/miekg/dns"
	"golang.org/x/net/publicsuffix"
)

// authorities are the certificate authorities that Clerk uses, by their CAA names. Clerk may use either, so both must be
// permitted.
var authorities = []string{"letsencrypt.org", "pki.goog"}

// caaSet is the relevant record set of a host (RFC 8659, 3): the first one upwards that is not empty.
type caaSet struct {
	at      string // where it was found; "" if nothing restricts the host
	aliased string // the alias that led there, if there was one
	foreign bool   // it is in a zone that belongs to somebody else
	rrs     []*dns.CAA
	failed  []failure // the queries at which the search failed: an authority must not issue then
	see     question
	from    server
}

// findCAA searches from host towards the root. At each step aliases are followed, but the search continues from the name
// itself, not from the alias's target: RFC 8659 removed that from RFC 6844.
//
// In the domain's own zone it asks the zone's servers: authorities do not cache answers, and resolvers do.
func (d *doctor) findCAA(ctx context.Context, host string) caaSet {
	f := d.zoneState(ctx)
	for name := plain(host); name != ""; name = parent(name) {
		set := d.caaAt(ctx, name, f)
		if len(set.failed) > 0 || set.at != "" {
			return set
		}
	}
	return caaSet{see: question{name: host, qtype: dns.TypeCAA}}
}

// caaAt is the set at one name.
func (d *doctor) caaAt(ctx context.Context, name string, f zoneState) caaSet {
	q := question{name: name, qtype: dns.TypeCAA}
	r := reply{}
	if within(name, f.apex) && len(f.serving) > 0 {
		direct, failed := d.askZone(ctx, f.serving, question{name: name, qtype: dns.TypeCAA, direct: true})
		switch {
		case failed != nil:
			return caaSet{failed: failed}
		case direct.authoritative:
			r, q = d.followOut(ctx, direct, name, f.apex)
		}
	}
	if r.from.addr == "" {
		r = d.net.lookup(ctx, name, dns.TypeCAA)
	}
	own, err := publicsuffix.EffectiveTLDPlusOne(d.domain)
	if !r.usable() {
		return caaSet{failed: []failure{{r.from, q, r}}, foreign: err == nil && !within(q.name, own)}
	}
	set := caaSet{see: q, from: r.from}
	end := plain(r.canonical(name))
	for _, rr := range r.owned(end, dns.TypeCAA) {
		set.rrs = append(set.rrs, rr.(*dns.CAA))
	}
	if len(set.rrs) == 0 {
		return set
	}
	slices.SortFunc(set.rrs, func(a, b *dns.CAA) int { return strings.Compare(a.String(), b.String()) })
	set.at = end
	if end != name {
		set.aliased = name
	}
	set.foreign = err == nil && !within(end, own)
	return set
}

// askZone asks the servers of the zone until one answers, and returns their failures if none does.
func (d *doctor) askZone(ctx context.Context, servers []server, q question) (reply, []failure) {
	var failed []failure
	for _, s := range servers {
		r := d.net.ask(ctx, s, q)
		if r.usable() {
			return r, nil
		}
		failed = append(failed, failure{s, q, r})
	}
	return reply{}, failed
}

// followOut follows an alias in an answer of the zone's server to other zones, about which that server's answers do not
// count. It also returns the last question.
func (d *doctor) followOut(ctx context.Context, direct reply, name, apex string) (reply, question) {
	q := question{name: name, qtype: dns.TypeCAA, direct: true}
	direct.answer = slices.DeleteFunc(slices.Clone(direct.answer), func(rr dns.RR) bool { return !within(rr.Header().Name, apex) })
	end := direct.canonical(name)
	if end == "" {
		return reply{err: errAliasCircle, from: direct.from}, q
	}
	if plain(end) == name || len(direct.owned(end, dns.TypeCAA)) > 0 {
		return direct, q
	}
	r := d.net.lookup(ctx, end, dns.TypeCAA)
	r.answer = slices.Concat(direct.answer, r.answer)
	return r, question{name: plain(end), qtype: dns.TypeCAA}
}

// permission is what a record set means for one authority.
type permission int

const (
	forbidden  permission = iota
	restricted            // only under conditions that Clerk is not known to meet
	permitted
)

// permits judges an ordinary (not wildcard) name, as all of Clerk's are: issuewild does not matter for those.
func (s caaSet) permits(authority string) permission {
	if len(s.unknownCritical()) > 0 {
		return forbidden
	}
	best, restricts := forbidden, false
	for _, rr := range s.rrs {
		if !strings.EqualFold(rr.Tag, "issue") {
			continue
		}
		restricts = true
		if name, parameters, valid := parseIssue(rr.Value); valid && strings.EqualFold(name, authority) {
			best = max(best, condition(parameters))
		}
	}
	if !restricts {
		return permitted
	}
	return best
}

// known are the properties that Let's Encrypt and Google are sure to understand.
var known = []string{"issue", "issuewild", "iodef", "issuemail"}

// unknownCritical are the records that forbid all issuance because their property is unknown (RFC 8659, 4.5). Bit 0 counts
// as the critical bit too: authorities treat it so, since many people set it by mistake.
func (s caaSet) unknownCritical() []*dns.CAA {
	var found []*dns.CAA
	for _, rr := range s.rrs {
		if rr.Flag&0x81 != 0 && !slices.Contains(known, strings.ToLower(rr.Tag)) {
			found = append(found, rr)
		}
	}
	return found
}

// parseIssue splits the value of an issue property (RFC 8659, 4.2). A malformed value permits nobody.
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

// condition judges the parameters of RFC 8657. A customer's record cannot have Clerk's ACME account, and Clerk proves
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
