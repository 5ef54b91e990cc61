package clerkauth

import (
	"slices"
	"time"
)

// conclude says what the cookies come to, one for each name.
func (j *cookieJudge) conclude(e *cookieEvidence) {
	if j.concludeHeld(e, passing) || j.concludeHeld(e, recoverable) {
		return
	}
	var passed, expired sessions
	open, unsure := j.f.unread, false
	for i := range j.cookies {
		c := &j.cookies[i]
		if !c.done {
			open = j.leave(c) || open
		}
		switch c.reason {
		case "":
			passed.add(c)
		case ReasonKeysUnavailable:
			unsure = true
			expired.add(c)
		case ReasonTokenExpired, ReasonSessionTokenAmbiguous:
			expired.add(c)
		}
	}
	*e = j.pick(func(*judgedCookie) bool { return true })
	e.ambiguous = passed.several || open && !unsure || unsure && j.passed
	e.severalExpired = expired.several || j.f.unread
}

// leave gives a token that was not looked at its reason, and reports whether it could change the outcome.
func (j *cookieJudge) leave(c *judgedCookie) bool {
	switch {
	case c.rank >= rankPerhaps:
		c.reason = ReasonSessionTokenAmbiguous
		return true
	case c.rank == rankRecoverable && !j.passed:
		c.reason = ReasonSessionTokenAmbiguous
		return j.found < recoverable
	}
	c.reason = ReasonKeyUnknown
	return false
}

// concludeHeld lets a session that this browser has a party cookie of decide alone, whatever was planted beside it:
// one that passes, or else one that can be recovered, as an expired one can. Both must be the browser's present state
// as far as __client_uat tells; where it has moved since, an account switch looks the same. A session that can be
// recovered decides for fetches too: it signs nobody else in, where a planted one would.
func (j *cookieJudge) concludeHeld(e *cookieEvidence, at standing) bool {
	var seen []string
	decided := 0
	for i := range j.cookies {
		c := &j.cookies[i]
		if !c.holds(at) || slices.Contains(seen, c.read.claims.sid) {
			continue
		}
		sid := c.read.claims.sid
		seen = append(seen, sid)
		alone := j.pick(func(c *judgedCookie) bool { return c.holds(at) && c.read.claims.sid == sid })
		pair := alone.choose(j.f, j.settings, j.now)
		if alone.judged[pair].agrees(signedInAt(j.f.uat[pair])) {
			*e = alone
			decided++
		}
	}
	e.ambiguous = decided > 1
	return decided > 0
}

// holds reports whether a token is of a session with a party cookie, its signature verified, and has that standing.
func (c *judgedCookie) holds(at standing) bool { return c.done && c.held && c.standing() == at }

// pick takes, for each name, the first of the best of those that keep keeps.
func (j *cookieJudge) pick(keep func(*judgedCookie) bool) cookieEvidence {
	var e cookieEvidence
	for i, sent := range j.f.sessionCookies() {
		c, best := &j.cookies[j.token[i]], &e.judged[sent.slot]
		if keep(c) && (best.read.raw == "" || c.standing() > best.standing()) {
			*best = *c
		}
	}
	return e
}

// sessions tells one session from several.
type sessions struct {
	first   string
	several bool
}

func (s *sessions) add(c *judgedCookie) {
	if s.first != "" && s.first != c.read.claims.sid {
		s.several = true
	}
	s.first = c.read.claims.sid
}

// choose picks between the plain and the suffixed cookies. A worthless cookie does not hide one that is not: anybody
// below the same domain can plant it. A plain one of another issuer hides nothing: it says that the plain cookies are
// another instance's.
func (e *cookieEvidence) choose(f *facts, s *settings, now time.Time) slot {
	p, q := &e.judged[plain], &e.judged[suffixed]
	if p.standing() == worthless && q.standing() != worthless && (p.read.claims == nil || p.read.claims.iss == "" || s.own(p.read.claims.iss)) {
		p = &judgedCookie{}
	}
	if q.standing() == worthless && p.standing() != worthless {
		q = &judgedCookie{}
	}
	return choosePair(p, q, f.uat, s, now)
}

// choosePair is Clerk's rule: the suffixed cookies are this instance's own, the plain ones are kept up by older
// versions of Clerk's script too, so that whichever was written last is right.
func choosePair(p, q *judgedCookie, uat [slots]text, s *settings, now time.Time) slot {
	const signedOut = "0"
	plainOut, suffixedOut := uat[plain].value == signedOut, uat[suffixed].value == signedOut
	hasUAT := uat[suffixed].value != ""
	switch {
	case p.read.raw != "" && (p.read.claims == nil || p.read.claims.iss == ""):
		return plain
	case p.read.raw != "" && !s.own(p.read.claims.iss):
		return suffixed
	case !hasUAT && q.read.raw == "":
		return plain
	case !suffixedOut && !plainOut && p.issued() > q.issued():
		return plain
	case suffixedOut && !plainOut:
		return plain
	case !s.live && !suffixedOut && plainOut && q.expired(now):
		return plain
	case !hasUAT && q.read.raw != "":
		return plain
	}
	return suffixed
}

// own reports whether iss is this instance's, as far as the choice of cookies goes.
func (s *settings) own(iss string) bool {
	if s.ownIssuer == "" {
		return slices.Contains(s.policy.issuers, iss)
	}
	return iss == s.ownIssuer
}

// issued is the iat that a token claims, verified or not; 0: none.
func (c *judgedCookie) issued() int64 {
	if c.read.claims == nil {
		return 0
	}
	return c.read.claims.iat.unix
}

// expired reports whether a token, verified or not, says that it has expired, without leeway.
func (c *judgedCookie) expired(now time.Time) bool {
	return c.read.claims != nil && c.read.claims.exp.state == present && c.read.claims.exp.unix <= now.Unix()
}

// agrees reports whether a token is of the browser's present state, as far as __client_uat tells.
func (c *judgedCookie) agrees(signedInAt int64) bool {
	return c.read.raw != "" && signedInAt != 0 && (c.read.claims.iat.state != present || c.issued() >= signedInAt)
}
