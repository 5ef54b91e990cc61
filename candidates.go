package clerkauth

import (
	"context"
	"slices"
	"time"

	"github.com/clerkauth/clerkauth/internal/jwks"
)

// A sibling subdomain can plant session cookies: garbage, forgeries, sessions of its own. None of them may hide the
// visitor's, use up the signatures that are verified for a request, or make it wait for keys that it does not need.

// What the session cookies of one request may cost.
const (
	maxLookedAt   = 16              // tokens that keys are asked for, beside those that were verified before
	maxSignatures = 4               // that are verified
	longestKeys   = 3 * time.Second // for all keys together
)

// judgedCookie is a session cookie and what became of it.
type judgedCookie struct {
	read   parsed // without raw: there is no such cookie
	reason Reason // empty: it passes; ReasonSessionTokenAmbiguous: it was not looked at

	held bool // this browser has a party cookie of the session that the token names
	rank rank
	done bool // judged
}

// standing orders judged cookies.
type standing uint8

const (
	worthless   standing = iota
	notLookedAt          // it could be anything better than worthless
	recoverable          // a handshake can help
	undecided            // the keys are out of reach
	passing
)

func (c *judgedCookie) standing() standing {
	switch c.reason {
	case "":
		if c.read.raw != "" {
			return passing
		}
	case ReasonKeysUnavailable:
		return undecided
	case ReasonTokenExpired, ReasonTokenNotActiveYet, ReasonTokenFromTheFuture, ReasonTokenMissingAzp:
		return recoverable
	case ReasonSessionTokenAmbiguous:
		return notLookedAt
	}
	return worthless
}

// cookieEvidence is the session cookies of a request, one for each name.
type cookieEvidence struct {
	judged         [slots]judgedCookie
	ambiguous      bool // which session counts cannot be told
	severalExpired bool // several sessions may have expired
}

// judgeCookies judges all session cookies of a request into e, which is empty.
func (a *Authenticator) judgeCookies(ctx context.Context, e *cookieEvidence, f *facts, now time.Time) {
	sent := f.sessionCookies()
	if len(sent) == 0 {
		return
	}
	if f.unread || slices.ContainsFunc(sent, func(c candidate) bool { return c.raw != sent[0].raw }) {
		own := *f // f itself must stay on the stack, for requests that do not come here
		j := cookieJudge{Authenticator: a, f: &own, now: now}
		j.read()
		j.findHeld(ctx)
		j.judgeVerified(ctx)
		j.judgeOthers(ctx)
		j.conclude(e)
		return
	}
	// As Clerk sets them: one token, under one name or both.
	c := judgedCookie{read: a.verifier.read(sent[0].raw, now)}
	c.reason = a.judgeParsed(ctx, &c.read, CarrierCookie, f, now)
	for _, s := range sent {
		e.judged[s.slot] = c
	}
}

// cookieJudge judges session cookies that differ.
type cookieJudge struct {
	*Authenticator
	f       *facts
	now     time.Time
	cookies []judgedCookie // every token once
	token   []int          // by cookie, in the order they came: which of cookies it brings

	keys               *jwks.Snapshot // that the ranks are of; nil: not at hand
	passed, heldPassed bool           // a token has passed, and one of a session with a party cookie
	found              standing       // the best so far
}

// read reads every token once.
func (j *cookieJudge) read() {
	known := make(map[string]int)
	for _, sent := range j.f.sessionCookies() {
		i, ok := known[sent.raw]
		if !ok {
			i = len(j.cookies)
			known[sent.raw] = i
			j.cookies = append(j.cookies, judgedCookie{read: j.verifier.read(sent.raw, j.now)})
		}
		j.token = append(j.token, i)
	}
}

// findHeld marks the tokens of sessions that this browser has a party cookie of. Until their signature is verified it is
// a hint, and only says which to look at first.
func (j *cookieJudge) findHeld(ctx context.Context) {
	if j.f.partyCount == 0 {
		return
	}
	party, ok := j.settings.policy.partyCookies(ctx, j.f, j.now)
	if !ok || len(party.values) == 0 {
		return
	}
	for i := range j.cookies {
		if c := &j.cookies[i]; c.read.reason == "" {
			c.held = party.of(c.read.claims) != nil
		}
	}
}

// judgeVerified judges what takes no signature: what is no session token, tokens that were verified before, and those
// whose signature is known to be bad. It ranks the others.
func (j *cookieJudge) judgeVerified(ctx context.Context) {
	j.keys = j.verifier.keys.Ready(j.now)
	for i := range j.cookies {
		c := &j.cookies[i]
		if c.done {
			continue
		}
		if c.read.reason == "" && !c.read.verified && j.keys != nil { // the keys may have come since it was read
			if claims, ok := j.verifier.cache.Get(c.read.raw, j.keys.Generation, j.now); ok {
				c.read = parsed{raw: c.read.raw, claims: claims, verified: true}
			}
		}
		switch {
		case c.read.reason != "" || c.read.verified:
			j.judge(ctx, ctx, c)
		case j.knownForged(c):
			c.done, c.reason = true, ReasonTokenSignature
		}
	}
	j.rankAll()
}

// judge judges one cookie. It may wait for a key, as long as keys lasts.
func (j *cookieJudge) judge(ctx, keys context.Context, c *judgedCookie) {
	c.done, c.reason = true, c.read.reason
	if c.reason == "" {
		c.reason = j.verifier.verify(keys, &c.read, j.now)
	}
	if c.reason == "" {
		c.reason = judge(ctx, c.read.claims, CarrierCookie, j.f, &j.settings.policy, j.now)
	}
	j.found = max(j.found, c.standing())
	if c.reason == "" {
		j.passed, j.heldPassed = true, j.heldPassed || c.held
	}
}

// judgeOthers judges the rest, the most promising first, as far as the limits go.
func (j *cookieJudge) judgeOthers(ctx context.Context) {
	c := j.next()
	if c == nil {
		return
	}
	keys, cancel := context.WithTimeout(ctx, longestKeys)
	defer cancel()
	signatures := 0
	for looked := 0; c != nil && looked < maxLookedAt && signatures < maxSignatures; looked++ {
		passed := j.passed
		j.judge(ctx, keys, c)
		if c.reason != ReasonKeyUnknown && c.reason != ReasonKeysUnavailable {
			signatures++
		}
		if c.reason == ReasonTokenSignature {
			j.forged.add(j.forgedKey(c), j.now)
		}
		if j.verifier.keys.Ready(j.now) != j.keys {
			j.judgeVerified(ctx)
		} else if j.passed != passed {
			j.rankAll()
		}
		c = j.next()
	}
}

// next is the token to look at; nil: no other can change anything.
func (j *cookieJudge) next() *judgedCookie {
	var best *judgedCookie
	for i := range j.cookies {
		if c := &j.cookies[i]; !c.done && j.matters(c) && (best == nil || c.rank > best.rank) {
			best = c
		}
	}
	return best
}

// matters reports whether a token that was not judged can change what the others come to.
func (j *cookieJudge) matters(c *judgedCookie) bool {
	switch {
	case j.heldPassed:
		return c.rank >= ranksHeld
	case j.found >= recoverable:
		return c.rank > rankWorthless
	}
	return true
}
