package decision

import (
	"context"
	"crypto/hmac"
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// partyCookies are the unexpired party cookies of this instance that were sent for the public origin of a request. Their
// sessions are not known yet.
type partyCookies struct {
	key         PartyKey
	origin, tag string
	values      []partyValue
}

// partyCookies returns false where none is set or accepted: without a key, at a host that is not listed, and where
// cookies need no azp.
func (p *Policy) partyCookies(ctx context.Context, f *inbound.Request, now time.Time) (partyCookies, bool) {
	if p.Party == nil || p.CookieWithout {
		return partyCookies{}, false
	}
	public, ok := publicOrigin(ctx, f, p)
	if !ok {
		return partyCookies{}, false
	}
	c := partyCookies{key: p.Party, origin: public, tag: p.Party.tag(p.Issuers[0], public)}
	for _, sent := range f.Party() {
		if sent.Tag != c.tag {
			continue
		}
		if v, ok := parsePartyValue(sent.Value, now); ok {
			c.values = append(c.values, v)
		}
	}
	return c, true
}

// of returns the value that is valid for a session, of several the one that lasts longest; nil: none is.
func (p *partyCookies) of(c *sessiontoken.Claims) *partyValue {
	var best *partyValue
	for i := range p.values {
		v := &p.values[i]
		if hmac.Equal(v.mac, p.key.mac(c, p.origin, v.until)) && (best == nil || v.exp.After(best.exp)) {
			best = v
		}
	}
	return best
}

// partyHolds reports whether this browser has a party cookie that is valid for these claims at the public origin of the
// request. Several may have been sent: a browser that lets others plant cookies of this name must not lose its own.
func (p *Policy) partyHolds(ctx context.Context, c *sessiontoken.Claims, f *inbound.Request, now time.Time) bool {
	if len(f.Party()) == 0 {
		return false
	}
	if proof := proofOf(c); proof.at(f) && now.Before(proof.exp) && proof.sentWith(f) {
		return true
	}
	party, _ := p.partyCookies(ctx, f, now)
	return party.of(c) != nil
}

// partyValues are the party cookies that were sent for the public origin of the request, of any session. They are well
// formed and have not expired; nothing else is checked.
func (p *Policy) partyValues(ctx context.Context, f *inbound.Request, now time.Time) []string {
	if len(f.Party()) == 0 {
		return nil
	}
	party, _ := p.partyCookies(ctx, f, now)
	values := make([]string, len(party.values))
	for i := range values {
		values[i] = party.values[i].raw
	}
	return values
}

// partyCookie is the Set-Cookie value that a request signed in by a cookie token should get; empty: none. A valid cookie is
// kept until half of its life is over, whichever replica set it. One of another session is replaced on documents only: what
// a fetch carries may have been planted between two page loads.
func (s *Settings) partyCookie(ctx context.Context, c *sessiontoken.Claims, f *inbound.Request, now time.Time) string {
	if c.AZP.State != sessiontoken.Present {
		return ""
	}
	proof, match := proofOf(c), partyDiffers // it may be another replica's
	if proof.at(f) && fresh(proof.exp, now) {
		match = proof.compare(f)
	}
	switch {
	case match == partySame, !f.OwnSite():
		return ""
	case match == partyAbsent:
		return proof.cookie
	}
	party, ok := s.Policy.partyCookies(ctx, f, now)
	if !ok {
		return ""
	}
	own := party.of(c)
	switch {
	case own != nil && fresh(own.exp, now):
		c.Attached.Store(s.newPartyProof(f, party.tag, own.raw, own.exp))
		return ""
	case own == nil && len(party.values) > 0 && !f.Document:
		return ""
	}
	return s.mintParty(c, f, &party, now)
}

// replaceParty is a party cookie for these claims in place of whatever was sent; empty: there is none to be set.
func (s *Settings) replaceParty(ctx context.Context, c *sessiontoken.Claims, f *inbound.Request, now time.Time) string {
	party, ok := s.Policy.partyCookies(ctx, f, now)
	if !ok || c.AZP.State != sessiontoken.Present {
		return ""
	}
	return s.mintParty(c, f, &party, now)
}

func (s *Settings) mintParty(c *sessiontoken.Claims, f *inbound.Request, party *partyCookies, now time.Time) string {
	exp := now.Add(partyLifetime)
	proof := s.newPartyProof(f, party.tag, party.key.mint(c, party.origin, exp), exp)
	c.Attached.Store(proof)
	return proof.cookie
}

// fresh reports whether more than half of a party cookie's life is left.
func fresh(exp, now time.Time) bool { return exp.Sub(now) > partyLifetime/2 }

// partyProof is a party cookie that is valid for a session at the host of a request. It never changes.
type partyProof struct {
	rawHost, scheme string
	tag, value      string
	cookie          string // the Set-Cookie value that sets it once more
	exp             time.Time
}

// proofOf is the proof that was attached to the claims of a session; nil: none was.
func proofOf(c *sessiontoken.Claims) *partyProof {
	proof, _ := c.Attached.Load().(*partyProof)
	return proof
}

// newPartyProof copies what it takes from a request, which it outlives.
func (s *Settings) newPartyProof(f *inbound.Request, tag, value string, exp time.Time) *partyProof {
	return &partyProof{
		rawHost: strings.Clone(f.RawHost), scheme: strings.Clone(f.Scheme), tag: tag, value: strings.Clone(value), exp: exp,
		cookie: s.ownCookie(f, inbound.CookieParty+tag, value, partyLifetime).String(),
	}
}

// at reports whether p is of a request's host.
func (p *partyProof) at(f *inbound.Request) bool {
	return p != nil && p.rawHost == f.RawHost && p.scheme == f.Scheme
}

// sentWith reports whether p was sent with a request. Values are compared in constant time.
func (p *partyProof) sentWith(f *inbound.Request) bool {
	return slices.ContainsFunc(f.Party(), func(sent inbound.PartyCookie) bool {
		return sent.Tag == p.tag && subtle.ConstantTimeCompare([]byte(sent.Value), []byte(p.value)) == 1
	})
}

// partyMatch is how the party cookies that were sent compare to one that is known to be valid.
type partyMatch uint8

const (
	partyAbsent partyMatch = iota
	partyDiffers
	partySame
)

// compare need not take constant time: a client with a token of these claims is given the cookie anyway.
func (p *partyProof) compare(f *inbound.Request) partyMatch {
	match := partyAbsent
	for _, sent := range f.Party() {
		switch {
		case sent.Tag != p.tag:
		case sent.Value == p.value:
			return partySame
		default:
			match = partyDiffers
		}
	}
	return match
}
