package decision

import (
	"slices"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// conclude decides which cookie of each name counts.
func (j *cookieJudge) conclude(e *cookieEvidence) {
	if j.concludeHeld(e, passing) || j.concludeHeld(e, recoverable) {
		return
	}
	var passed, expired sessions
	open, unsure := j.f.Unread, false
	for i := range j.cookies {
		c := &j.cookies[i]
		switch {
		case !c.done:
			open = j.leave(c) || open
		case c.reason == reasons.KeysUnavailable && j.passed && !c.held && j.keys != nil:
			c.reason = reasons.KeyUnknown // as if it had been looked at after the one that passed
		}
		switch c.reason {
		case "":
			passed.add(c)
		case reasons.KeysUnavailable:
			unsure = true
			expired.add(c)
		case reasons.TokenExpired, reasons.SessionTokenAmbiguous:
			expired.add(c)
		}
	}
	*e = j.pick(func(*judgedCookie) bool { return true })
	e.ambiguous = passed.several || open && !unsure || unsure && j.passed
	e.severalExpired = expired.several || j.f.Unread
}

// leave gives a token that was not looked at its reason, and reports whether it could change the outcome.
func (j *cookieJudge) leave(c *judgedCookie) bool {
	switch {
	case c.rank >= rankPerhaps:
		c.reason = reasons.SessionTokenAmbiguous
		return true
	case c.rank == rankRecoverable && !j.passed:
		c.reason = reasons.SessionTokenAmbiguous
		return j.found < recoverable
	}
	c.reason = reasons.KeyUnknown
	return false
}

// concludeHeld lets a session that this browser has a party cookie of decide alone, whatever was planted beside it.
// The caller tries those that pass first, then those that a handshake or a refresh can recover, such as expired ones.
// Neither may be older than __client_uat: that may mean that the account was switched. A session that can be recovered
// decides for fetches too: it signs nobody else in, as a planted one would.
func (j *cookieJudge) concludeHeld(e *cookieEvidence, at standing) bool {
	var seen []string
	decided := 0
	for i := range j.cookies {
		c := &j.cookies[i]
		if !c.holds(at) || slices.Contains(seen, c.read.Claims.SID) {
			continue
		}
		sid := c.read.Claims.SID
		seen = append(seen, sid)
		alone := j.pick(func(c *judgedCookie) bool { return c.holds(at) && c.read.Claims.SID == sid })
		pair := alone.choose(j.f, j.Settings, j.now)
		if alone.at(pair).agrees(j.f.SignedInAt(pair)) {
			*e = alone
			decided++
		}
	}
	e.ambiguous = decided > 1
	return decided > 0
}

// holds reports whether a token is of a session with a party cookie, its signature verified, and has that standing.
func (c *judgedCookie) holds(at standing) bool { return c.done && c.held && c.standing() == at }

// pick takes, for each name, the best of the cookies for which keep returns true; of equally good ones the first.
func (j *cookieJudge) pick(keep func(*judgedCookie) bool) cookieEvidence {
	var e cookieEvidence
	for i, sent := range j.f.SessionCookies() {
		c, best := &j.cookies[j.token[i]], e.at(sent.Slot)
		if keep(c) && (best.read.Raw == "" || c.standing() > best.standing()) {
			e.of[sent.Slot] = uint8(1 + sent.Slot)
			*e.at(sent.Slot) = *c
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
	if s.first != "" && s.first != c.read.Claims.SID {
		s.several = true
	}
	s.first = c.read.Claims.SID
}

// dropForeign ignores the session cookies where they are another application's: none is a token of this instance, and no
// __client_uat says that the browser is signed in at it.
func (e *cookieEvidence) dropForeign(f *inbound.Request, s *Settings) {
	for slot := range inbound.Slots {
		if c := e.at(slot); f.SignedInAt(slot) != 0 || c.read.Claims != nil && s.Policy.Issues(c.read.Claims.Iss) {
			return
		}
	}
	e.of = [inbound.Slots]uint8{}
}

// choose picks between the plain and the suffixed cookies. An unusable cookie does not hide a usable one: anybody
// below the same domain can plant it. An unusable plain one of another issuer is not ignored, as it makes choosePair
// choose the suffixed ones: the plain ones are another instance's.
func (e *cookieEvidence) choose(f *inbound.Request, s *Settings, now time.Time) inbound.Slot {
	none, p, q := &e.judged[0], e.at(inbound.Plain), e.at(inbound.Suffixed)
	if p.standing() == unusable && q.standing() != unusable && (p.read.Claims == nil || p.read.Claims.Iss == "" || s.own(p.read.Claims.Iss)) {
		p = none
	}
	if q.standing() == unusable && p.standing() != unusable {
		q = none
	}
	return choosePair(p, q, f.UAT, s, now)
}

// choosePair is Clerk's rule: the suffixed cookies are this instance's own, but older versions of Clerk's script write
// only the plain ones, so those that were written last count.
func choosePair(p, q *judgedCookie, uat [inbound.Slots]inbound.Value, s *Settings, now time.Time) inbound.Slot {
	const signedOut = "0"
	plainOut, suffixedOut := uat[inbound.Plain].Value == signedOut, uat[inbound.Suffixed].Value == signedOut
	hasUAT := uat[inbound.Suffixed].Value != ""
	switch {
	case p.read.Raw != "" && (p.read.Claims == nil || p.read.Claims.Iss == ""):
		return inbound.Plain
	case p.read.Raw != "" && !s.own(p.read.Claims.Iss):
		return inbound.Suffixed
	case !hasUAT, !plainOut && (suffixedOut || p.issued() > q.issued()):
		return inbound.Plain
	case !s.Live && !suffixedOut && plainOut && q.expired(now):
		return inbound.Plain
	}
	return inbound.Suffixed
}

// own reports whether iss is this instance's, as far as the choice of cookies goes.
func (s *Settings) own(iss string) bool {
	if s.OwnIssuer == "" {
		return s.Policy.Issues(iss)
	}
	return iss == s.OwnIssuer
}

// issued is the iat that a token claims, verified or not; 0: none.
func (c *judgedCookie) issued() int64 {
	if c.read.Claims == nil {
		return 0
	}
	return c.read.Claims.Iat.Unix
}

// expired reports whether a token, verified or not, says that it has expired, without leeway.
func (c *judgedCookie) expired(now time.Time) bool {
	return c.read.Claims != nil && c.read.Claims.Exp.State == sessiontoken.Present && c.read.Claims.Exp.Unix <= now.Unix()
}

// agrees reports whether a token is not older than the browser's last sign-in, as far as __client_uat tells.
func (c *judgedCookie) agrees(signedInAt int64) bool {
	return c.read.Raw != "" && signedInAt != 0 && (c.read.Claims.Iat.State != sessiontoken.Present || c.issued() >= signedInAt)
}
