package decision

import (
	"context"
	"slices"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// A sibling subdomain can plant session cookies: garbage, forgeries, sessions of its own. None of them may hide the
// visitor's, use up the signatures that are verified for a request, or make it wait for keys that it does not need.

// What the session cookies of one request may cost.
const (
	maxLookedAt   = 16              // tokens that are judged, those verified before not counted
	maxSignatures = 4               // signatures that are verified
	longestKeys   = 3 * time.Second // the wait for all keys together
)

// judgedCookie is a session cookie and the result of judging it.
type judgedCookie struct {
	read   sessiontoken.Token // Raw is empty: there is no such cookie
	reason reasons.Reason     // empty: it passes; reasons.SessionTokenAmbiguous: it was not looked at

	held bool // this browser has a party cookie of the session that the token names
	rank rank
	done bool // judged
}

// standing orders judged cookies.
type standing uint8

const (
	unusable    standing = iota
	notLookedAt          // it could be anything better than unusable
	recoverable          // a handshake can help
	undecided            // the keys cannot be loaded
	passing
)

func (c *judgedCookie) standing() standing {
	switch c.reason {
	case "":
		if c.read.Raw != "" {
			return passing
		}
	case reasons.KeysUnavailable:
		return undecided
	case reasons.TokenExpired, reasons.TokenNotActiveYet, reasons.TokenFromTheFuture, reasons.TokenMissingAZP:
		return recoverable
	case reasons.SessionTokenAmbiguous:
		return notLookedAt
	}
	return unusable
}

// cookieEvidence is the session cookies of a request, one for each name.
type cookieEvidence struct {
	judged         [1 + inbound.Slots]judgedCookie // the first stands for no cookie; see at
	of             [inbound.Slots]uint8            // which of judged each name has
	ambiguous      bool                            // which session counts cannot be told
	severalExpired bool                            // several sessions may have expired
}

// at is the cookie of a name.
func (e *cookieEvidence) at(s inbound.Slot) *judgedCookie { return &e.judged[e.of[s]] }

// judgeCookies judges all session cookies of a request into e, which is empty.
func (d *Decider) judgeCookies(ctx context.Context, e *cookieEvidence, f *inbound.Request, now time.Time) {
	sent := f.SessionCookies()
	if len(sent) == 0 {
		return
	}
	if f.Unread || slices.ContainsFunc(sent, func(c inbound.SessionCookie) bool { return c.Sent != sent[0].Sent }) {
		own := *f // a copy: f itself must stay on the stack for the requests that skip this
		j := cookieJudge{Decider: d, f: &own, now: now}
		j.read()
		j.findHeld(ctx)
		j.judgeVerified(ctx)
		j.judgeOthers(ctx)
		j.conclude(e)
		f.Lines = own.Lines // which know what was read here
		return
	}
	// As Clerk sets them: one token, under one name or both.
	const only = 1
	c := &e.judged[only]
	c.read = d.readCookie(sent[0], now)
	c.reason = d.judgeToken(ctx, &c.read, FromCookie, f, now)
	for _, s := range sent {
		e.of[s.Slot] = only
	}
}

// readCookie reads the token of a cookie. A value that is a token verified before need not be decoded.
func (d *Decider) readCookie(sent inbound.SessionCookie, now time.Time) sessiontoken.Token {
	if t, ok := d.verifier.Verified(sent.Sent, now); ok {
		return t
	}
	return d.verifier.Read(sent.Token(), now)
}

// cookieJudge judges session cookies that differ.
type cookieJudge struct {
	*Decider
	f       *inbound.Request
	now     time.Time
	cookies []judgedCookie // every token once
	token   []int          // for each cookie, in the order of the header: the index of its token in cookies

	keys               *jwks.Snapshot // the keys that the ranks are based on; nil: none is known
	passed, heldPassed bool           // a token has passed; one of a session with a party cookie has
	found              standing       // the best so far
}

// read reads every token once.
func (j *cookieJudge) read() {
	known := make(map[string]int)
	for _, sent := range j.f.SessionCookies() {
		raw := sent.Token()
		i, ok := known[raw]
		if !ok {
			i = len(j.cookies)
			known[raw] = i
			j.cookies = append(j.cookies, judgedCookie{read: j.verifier.Read(raw, j.now)})
		}
		j.token = append(j.token, i)
	}
}

// findHeld marks the tokens of sessions that this browser has a party cookie of. Until their signature is verified, the mark
// is only a hint about which to look at first.
func (j *cookieJudge) findHeld(ctx context.Context) {
	if len(j.f.Party()) == 0 {
		return
	}
	party, _ := j.Policy.partyCookies(ctx, j.f, j.now)
	for i := range j.cookies {
		if c := &j.cookies[i]; c.read.Reason == "" {
			c.held = party.of(c.read.Claims) != nil
		}
	}
}

// judgeVerified judges the cookies for which no signature has to be verified: those that are no session token, that were
// verified before, or whose signature is known to be bad. It ranks the others.
func (j *cookieJudge) judgeVerified(ctx context.Context) {
	j.keys = j.verifier.Keys().Ready(j.now)
	for i := range j.cookies {
		c := &j.cookies[i]
		if c.done {
			continue
		}
		if c.read.Reason == "" && !c.read.Verified { // the keys may have come since it was read
			j.verifier.Reread(&c.read, j.keys, j.now)
		}
		switch {
		case c.read.Reason != "" || c.read.Verified:
			j.judge(ctx, ctx, c)
		case j.knownForged(c):
			c.done, c.reason = true, reasons.TokenSignature
		}
	}
	j.rankAll()
}

// judge judges one cookie. It may wait for a key until keys is done.
func (j *cookieJudge) judge(ctx, keys context.Context, c *judgedCookie) {
	c.done, c.reason = true, c.read.Reason
	if c.reason == "" {
		c.reason = j.verifier.Verify(keys, &c.read, j.now)
	}
	if c.reason == "" {
		c.reason = j.Policy.judge(ctx, c.read.Claims, FromCookie, j.f, j.now)
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
		if c.reason != reasons.KeyUnknown && c.reason != reasons.KeysUnavailable {
			signatures++
		}
		if c.reason == reasons.TokenSignature {
			j.forged.add(j.forgedKey(c), j.now)
		}
		if j.verifier.Keys().Ready(j.now) != j.keys {
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

// matters reports whether a token that was not judged can still change the outcome.
func (j *cookieJudge) matters(c *judgedCookie) bool {
	switch {
	case j.heldPassed:
		return c.rank >= ranksHeld
	case j.found >= recoverable:
		return c.rank > rankUnusable
	}
	return true
}
