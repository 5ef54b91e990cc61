package main

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// validationErrors are the extended errors of RFC 8914 that mean that DNSSEC validation failed.
var validationErrors = []uint16{
	dns.ExtendedErrorCodeDNSBogus, dns.ExtendedErrorCodeSignatureExpired, dns.ExtendedErrorCodeSignatureNotYetValid,
	dns.ExtendedErrorCodeDNSKEYMissing, dns.ExtendedErrorCodeRRSIGsMissing, dns.ExtendedErrorCodeNoZoneKeyBitSet,
	dns.ExtendedErrorCodeNSECMissing, dns.ExtendedErrorCodeSignatureExpiredBeforeValid, dns.ExtendedErrorCodeDNSSECIndeterminate,
}

// dnssec explains a resolver's failure by DNSSEC; nil if that is not the cause. It requires a DS record, which says that
// the zone is signed, and a failed validation: the resolver says so or, if it does not, there is an answer without
// validation.
func (d *doctor) dnssec(ctx context.Context, z zone, servers []server, q question, said reply) *check {
	if said.err != nil || said.rcode != dns.RcodeServerFailure {
		return nil
	}
	signed, ds := d.net.signedBy(ctx, z.apex)
	if len(ds) == 0 || !d.validationFails(ctx, q, said) {
		return nil
	}
	if signed != z.apex { // the zone above is the signed one
		z = d.net.zoneOf(ctx, signed)
		servers = z.servers
	}
	c := check{name: signed}
	c.code, c.says = d.net.dnssecProblem(ctx, signed, servers, ds, q, said)
	c.says = said.from.String() + " " + said.answersTo(q) + ": " + c.says
	c.fix = dnssecAdvice(c.code)
	unvalidated := q
	unvalidated.unchecked = true
	c.see = []string{
		q.dig(said.from), unvalidated.dig(said.from), question{name: signed, qtype: dns.TypeDS}.dig(server{}),
		question{name: signed, qtype: dns.TypeDNSKEY, direct: true, dnssec: true}.dig(first(servers)),
	}
	return &c
}

func (d *doctor) validationFails(ctx context.Context, q question, said reply) bool {
	if len(said.extended) > 0 && !said.explains(dns.ExtendedErrorCodeOther, dns.ExtendedErrorCodeCachedError) {
		return said.explains(validationErrors...)
	}
	q.unchecked = true
	return said.explains(validationErrors...) || said.from.addr != "" && d.net.ask(ctx, said.from, q).usable()
}

// signedBy finds the DS records of the zone, or of the zone above whose signature proves that it has none.
func (n *network) signedBy(ctx context.Context, apex string) (signed string, ds []*dns.DS) {
	for name := apex; name != "" && !isSuffix(name); name = parent(name) {
		for _, rr := range n.unchecked(ctx, name, dns.TypeDS, false).owned(name, dns.TypeDS) {
			ds = append(ds, rr.(*dns.DS))
		}
		if len(ds) > 0 {
			return name, ds
		}
	}
	return "", nil
}

// dnssecProblem checks keys and signatures itself: not every resolver says what is wrong.
func (n *network) dnssecProblem(ctx context.Context, apex string, servers []server, ds []*dns.DS, q question, said reply) (code, string) {
	answer := n.signed(ctx, servers, apex, dns.TypeDNSKEY)
	// The dates are compared with this machine's clock, so what the resolver says comes first.
	dated, dates := n.outdated(slices.Concat(answer.answer, n.signed(ctx, servers, apex, dns.TypeSOA).answer, n.signed(ctx, servers, q.name, dns.TypeCNAME).answer))
	explained, words := explainedProblem(said)
	switch {
	case explained == dated && dates != "":
		return dated, dates
	case explained == dnssecExpired, explained == dnssecNotYetValid:
		return explained, words
	}
	var keys []*dns.DNSKEY
	for _, rr := range answer.owned(apex, dns.TypeDNSKEY) {
		keys = append(keys, rr.(*dns.DNSKEY))
	}
	if answer.usable() && len(keys) == 0 {
		return dnssecUnsigned, "the parent zone has a DS record, and the zone has no DNSKEY"
	}
	if len(keys) > 0 && len(signatures(answer.answer)) == 0 {
		return dnssecUnsigned, "the zone has keys, but its records come without signatures"
	}
	if len(keys) > 0 && !slices.ContainsFunc(ds, func(d *dns.DS) bool { return slices.ContainsFunc(keys, isOf(d)) }) {
		return dnssecMismatch, "the DS record in the parent zone belongs to none of the zone's keys"
	}
	if dates != "" {
		return dated, dates
	}
	return explained, words
}

// explainedProblem is the resolver's explanation, if nothing else was found.
func explainedProblem(said reply) (code, string) {
	switch {
	case said.explains(dns.ExtendedErrorCodeSignatureExpired):
		return dnssecExpired, "its signatures have expired"
	case said.explains(dns.ExtendedErrorCodeSignatureNotYetValid):
		return dnssecNotYetValid, "its signatures are not valid yet"
	case said.explains(dns.ExtendedErrorCodeDNSKEYMissing):
		return dnssecMismatch, "the DS record in the parent zone belongs to none of the zone's keys"
	}
	return dnssecBogus, "the answer is there without validation, and a DS record says that it must be signed"
}

// isOf reports whether a DS record is of this key.
func isOf(ds *dns.DS) func(*dns.DNSKEY) bool {
	return func(key *dns.DNSKEY) bool {
		made := key.ToDS(ds.DigestType)
		return made != nil && made.KeyTag == ds.KeyTag && strings.EqualFold(made.Digest, ds.Digest)
	}
}

// signed gets records with their signatures: from the zone's own servers or, if none answers, from resolvers without
// validation.
func (n *network) signed(ctx context.Context, servers []server, name string, qtype uint16) reply {
	for _, s := range servers {
		if r := n.ask(ctx, s, question{name: name, qtype: qtype, direct: true, dnssec: true}); r.usable() && r.authoritative {
			return r
		}
	}
	return n.unchecked(ctx, name, qtype, true)
}

// outdated reports whether records have signatures of which none is valid now.
func (n *network) outdated(rrs []dns.RR) (code, string) {
	now := n.now()
	all := signatures(rrs)
	for _, of := range slices.Sorted(maps.Keys(all)) {
		sigs := all[of]
		if slices.ContainsFunc(sigs, func(s *dns.RRSIG) bool { return s.ValidityPeriod(now) }) {
			continue
		}
		last := slices.MaxFunc(sigs, func(a, b *dns.RRSIG) int { return moment(a.Expiration).Compare(moment(b.Expiration)) })
		if end := moment(last.Expiration); now.After(end) {
			return dnssecExpired, "the signature of " + of + " expired on " + end.Format(time.DateOnly)
		}
		return dnssecNotYetValid, "the signature of " + of + " is valid only from " + moment(last.Inception).Format(time.DateOnly)
	}
	return dnssecBogus, ""
}

// signatures are the signatures among the records, by what they sign.
func signatures(rrs []dns.RR) map[string][]*dns.RRSIG {
	all := map[string][]*dns.RRSIG{}
	for _, rr := range rrs {
		if sig, is := rr.(*dns.RRSIG); is {
			of := plain(sig.Hdr.Name) + " " + dns.TypeToString[sig.TypeCovered]
			all[of] = append(all[of], sig)
		}
	}
	return all
}

func moment(seconds uint32) time.Time { return time.Unix(int64(seconds), 0).UTC() }

func dnssecAdvice(c code) []string {
	const inspect = "see where the chain breaks: delv, or https://dnsviz.net"
	switch c { //nolint:exhaustive // of the codes of DNSSEC only
	case dnssecExpired:
		return []string{"sign the zone again: the signer, or the provider that does it, has stopped renewing the signatures", "leave the DS record where it is: it is not the cause"}
	case dnssecNotYetValid:
		return []string{"set the clock of the machine that signs the zone, and sign it again"}
	case dnssecUnsigned:
		return []string{
			"have the provider that serves the zone now sign it, and put its DS record at the registrar in place of the old one",
			"or, if the zone is not to be signed, remove the DS record at the registrar; this is what is left behind when a signed domain moves to another provider",
		}
	case dnssecMismatch:
		return []string{"at the registrar, replace the DS record with the one that the provider of the zone shows now"}
	}
	return []string{inspect, "show this to the provider that signs the zone"}
}
