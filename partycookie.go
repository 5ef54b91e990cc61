package clerkauth

import (
	"context"
	"crypto/hmac"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"
)

// sentParty is a party cookie as it came: the end of its name, and its value.
type sentParty struct{ tag, value string }

const (
	maxPartyCookies = 8
	maxPartyValue   = 64 // bytes: until the year 2286 one has 57
)

// readParty keeps what may be a party cookie. tag is what follows the name.
func (f *facts) readParty(tag, value string) {
	if len(tag) == partyTagSize && len(value) <= maxPartyValue && strings.HasPrefix(value, partyVersion) && f.partyCount < maxPartyCookies {
		f.party[f.partyCount] = sentParty{tag, value}
		f.partyCount++
	}
}

// partyCookies are the party cookies of this instance that came for the public origin of a request, unexpired. Of which
// session they are is not known yet.
type partyCookies struct {
	key         partyKey
	origin, tag string
	values      []partyValue
}

// partyCookies returns false where none is set or believed: without a key, at a host that is not listed, and where
// the application does without.
func (p *policy) partyCookies(ctx context.Context, f *facts, now time.Time) (partyCookies, bool) {
	if p.party == nil || p.cookieWithout {
		return partyCookies{}, false
	}
	public, ok := publicOrigin(ctx, f, p)
	if !ok {
		return partyCookies{}, false
	}
	c := partyCookies{key: p.party, origin: public, tag: p.party.tag(p.issuers[0], public)}
	for _, sent := range f.party[:f.partyCount] {
		if sent.tag != c.tag {
			continue
		}
		if v, ok := parsePartyValue(sent.value, now); ok {
			c.values = append(c.values, v)
		}
	}
	return c, true
}

// of returns the value that holds for a session, of several the one that lasts longest; nil: none holds.
func (p *partyCookies) of(c *claims) *partyValue {
	var best *partyValue
	for i := range p.values {
		v := &p.values[i]
		if hmac.Equal(v.mac, p.key.mac(c, p.origin, v.until)) && (best == nil || v.exp.After(best.exp)) {
			best = v
		}
	}
	return best
}

// partyHolds reports whether this browser has a party cookie that holds for these claims at the public origin of the
// request. Several may have come: a browser that lets others plant cookies of this name must not lose its own.
func (p *policy) partyHolds(ctx context.Context, c *claims, f *facts, now time.Time) bool {
	if f.partyCount == 0 {
		return false
	}
	if proof := c.proof.Load(); proof.at(f) && now.Before(proof.exp) && proof.sentWith(f) {
		return true
	}
	party, ok := p.partyCookies(ctx, f, now)
	return ok && party.of(c) != nil
}

// partyValues are the party cookies that came for the public origin of the request, of whatever session: they are well
// formed and have not expired, no more.
func (p *policy) partyValues(ctx context.Context, f *facts, now time.Time) []string {
	if f.partyCount == 0 {
		return nil
	}
	party, _ := p.partyCookies(ctx, f, now)
	values := make([]string, len(party.values))
	for i := range values {
		values[i] = party.values[i].raw
	}
	return values
}

// partyCookie is the cookie that a request signed in by a cookie token should get; nil: none. A cookie that holds is
// kept until half of its life is over, whichever replica set it. Another session's is replaced by documents only: what
// a fetch carries may have been planted between two page loads.
func (s *settings) partyCookie(ctx context.Context, c *claims, f *facts, now time.Time) *http.Cookie {
	if c.azp.state != present || !f.ownSite {
		return nil
	}
	if proof := c.proof.Load(); proof.at(f) && fresh(proof.exp, now) {
		switch f.compareParty(proof) {
		case partySame:
			return nil
		case partyAbsent:
			return s.ownCookie(f, cookieParty+proof.tag, proof.value, partyLifetime)
		case partyDiffers: // it may be another replica's
		}
	}
	party, ok := s.policy.partyCookies(ctx, f, now)
	if !ok {
		return nil
	}
	own := party.of(c)
	switch {
	case own != nil && fresh(own.exp, now):
		c.proof.Store(newPartyProof(f, party.tag, own.raw, own.exp))
		return nil
	case own == nil && len(party.values) > 0 && !f.document:
		return nil
	}
	return s.mintParty(c, f, &party, now)
}

// replaceParty is a party cookie for these claims in place of whatever came; nil: there is none to be set.
func (s *settings) replaceParty(ctx context.Context, c *claims, f *facts, now time.Time) *http.Cookie {
	party, ok := s.policy.partyCookies(ctx, f, now)
	if !ok || c.azp.state != present {
		return nil
	}
	return s.mintParty(c, f, &party, now)
}

func (s *settings) mintParty(c *claims, f *facts, party *partyCookies, now time.Time) *http.Cookie {
	exp := now.Add(partyLifetime)
	proof := newPartyProof(f, party.tag, party.key.mint(c, party.origin, exp), exp)
	c.proof.Store(proof)
	return s.ownCookie(f, cookieParty+proof.tag, proof.value, partyLifetime)
}

// fresh reports whether more than half of a party cookie's life is left.
func fresh(exp, now time.Time) bool { return exp.Sub(now) > partyLifetime/2 }

// partyProof is a party cookie that holds for a session at the host of a request. It never changes.
type partyProof struct {
	rawHost, scheme string
	tag, value      string
	exp             time.Time
}

// newPartyProof copies what it takes from a request, which it outlives.
func newPartyProof(f *facts, tag, value string, exp time.Time) *partyProof {
	return &partyProof{rawHost: strings.Clone(f.rawHost), scheme: strings.Clone(f.scheme), tag: tag, value: strings.Clone(value), exp: exp}
}

// at reports whether p is of a request's host.
func (p *partyProof) at(f *facts) bool {
	return p != nil && p.rawHost == f.rawHost && p.scheme == f.scheme
}

// sentWith reports whether p came with a request. It takes as long for a wrong value as for the right one.
func (p *partyProof) sentWith(f *facts) bool {
	for _, sent := range f.party[:f.partyCount] {
		if sent.tag == p.tag && subtle.ConstantTimeCompare([]byte(sent.value), []byte(p.value)) == 1 {
			return true
		}
	}
	return false
}

// partyMatch is how the party cookies that came compare to one that is known to hold.
type partyMatch uint8

const (
	partyAbsent partyMatch = iota
	partyDiffers
	partySame
)

// compareParty need not take the same time for every value: who brings these claims is given the cookie anyway.
func (f *facts) compareParty(p *partyProof) partyMatch {
	match := partyAbsent
	for _, sent := range f.party[:f.partyCount] {
		switch {
		case sent.tag != p.tag:
		case sent.value == p.value:
			return partySame
		default:
			match = partyDiffers
		}
	}
	return match
}
