package clerkauth

import (
	"context"
	"net/http"
	"time"
)

// outcome is a decision before it is dressed up as a RequestState.
type outcome struct {
	status  Status
	reason  Reason // empty: signed in
	detail  error
	tooMany bool // browser rounds
	carrier Carrier
	token   string
	claims  *claims     // nil unless verified and judged
	hit     bool        // the signature of the token that decided was verified before
	header  http.Header // nil: nothing
	target  string      // where a browser round goes; empty: to the Frontend API
	need    effect
}

// effect is something that must be found out before a decision can be made. Each is found out once.
type effect uint8

const (
	nothingMore   effect = iota
	resolveAnswer        // exchange what a browser round brought
	weighCookies         // verify the session cookies
	refreshToken         // exchange an expired token
)

// evidence is all that a decision is made from.
type evidence struct {
	facts
	cameBack bool     // the answer of a browser round was looked at
	answer   answered // what it brought

	weighed    bool
	cookies    cookieEvidence
	pair       slot  // which of the two names counts
	signedInAt int64 // __client_uat of that name

	refreshed refreshed
}

// chosen is the session cookie of the name that counts; without raw: none came, or none was weighed yet.
func (e *evidence) chosen() *verdict { return &e.cookies.verdicts[e.pair] }

// devBrowserToken is the token of a development browser, from the address or from its cookie.
func (e *evidence) devBrowserToken() string {
	if value, ok := first(e.page.query, paramDevBrowser); ok && value != "" {
		return value
	}
	return e.devBrowser[e.pair].value
}

// sentToken is the session token that came, a cookie before a bearer token.
func (e *evidence) sentToken() string {
	if raw := e.chosen().read.raw; raw != "" {
		return raw
	}
	return e.bearer
}

// decideCookies decides from what is known so far, or says what has to be found out first.
func (s *settings) decideCookies(ctx context.Context, e *evidence, now time.Time) outcome {
	switch {
	case !e.cameBack && e.document && !e.came.empty():
		return outcome{need: resolveAnswer}
	case !e.weighed:
		return outcome{need: weighCookies}
	case e.answer.ok && (!s.live || !e.injected()):
		return s.answerOutcome(ctx, e)
	case e.refreshed.ok:
		return signedInBy(e.refreshed.answered, CarrierRefresh)
	}
	o, ok := s.syncOutcome(ctx, e)
	if !ok {
		o = s.cookieOutcome(e)
	}
	if o.reason == ReasonTokenExpired && !e.refreshed.tried {
		if o.detail = s.refreshObstacle(e); o.detail == nil {
			return outcome{need: refreshToken}
		}
	}
	if o.reason == "" {
		return s.lookElsewhere(ctx, e, o)
	}
	return s.heal(ctx, e, o)
}

func signedInBy(a answered, k Carrier) outcome {
	o := outcome{carrier: k, token: a.token, claims: a.claims, header: make(http.Header)}
	o.setCookies("no-store", a.cookies)
	return o
}

// injected reports whether an answer names another session than the one that the browser is signed in to. No round
// was due then: a sibling subdomain has planted the answer to one of its own, as it can in production, where answers
// come in cookies. Where the session really did change, __client_uat has moved, and the old cookie does not count.
func (e *evidence) injected() bool {
	return e.answer.token != "" && cookieReason(e) == "" && e.chosen().read.claims.sid != e.answer.claims.sid
}

// answerOutcome is what a browser round came to. In development it leaves its answer in the address, and the
// browser is sent on without it.
func (s *settings) answerOutcome(ctx context.Context, e *evidence) outcome {
	o := signedInBy(e.answer, CarrierHandshake)
	if e.answer.token == "" {
		o.reason = ReasonSessionTokenMissing
	}
	if s.live {
		return o
	}
	if public, ok := publicOrigin(ctx, &e.facts, &s.policy); ok {
		if location := withoutAnswer(public, e.page); location != "" {
			o.header.Set("Location", location)
			o.header.Set("Cache-Control", "no-store")
		}
	}
	return o
}

// cookieOutcome is what the session cookies come to.
func (s *settings) cookieOutcome(e *evidence) outcome {
	o := outcome{carrier: CarrierCookie, reason: cookieReason(e), hit: e.chosen().read.verified}
	switch o.reason {
	case ReasonSessionTokenAndUATMissing:
		o.carrier = CarrierNone
	case ReasonTokenExpired:
		o.detail = e.refreshed.err
	case "":
		o.token, o.claims = e.chosen().read.raw, e.chosen().read.claims
	}
	return o
}

// cookieReason weighs the chosen session cookie against __client_uat, which tells when the browser last signed
// in or out: a session cookie alone, or one from before that, is not the browser's present state.
func cookieReason(e *evidence) Reason {
	switch c := e.chosen(); {
	case c.read.raw == "" && e.signedInAt == 0:
		return ReasonSessionTokenAndUATMissing
	case c.read.raw == "":
		return ReasonUATWithoutSessionToken
	case e.signedInAt == 0:
		return ReasonSessionTokenWithoutUAT
	case e.cookies.ambiguous:
		return ReasonSessionTokenAmbiguous
	case c.read.reason != "":
		return c.read.reason
	case c.read.claims.iat.state == present && c.issued() < e.signedInAt:
		return ReasonTokenBeforeUAT
	default:
		return c.reason
	}
}

// lookElsewhere makes a browser round for somebody who is signed in, where the session may be another one by
// now. Where no round can be made, they stay signed in.
func (s *settings) lookElsewhere(ctx context.Context, e *evidence, o outcome) outcome {
	var reason Reason
	switch target, ok := s.organizations.target(e.page.path); {
	case s.crossOriginReferrer(ctx, e):
		reason = ReasonCrossOriginSync
	case ok && e.document && !o.claims.session.Pending && !target.active(o.claims.session.Organization):
		reason = ReasonOrganizationMismatch
	default:
		return o
	}
	if round := s.heal(ctx, e, outcome{carrier: o.carrier, reason: reason}); round.status == Handshake {
		return round
	}
	return o
}

// judgePending keeps a session that still has a task to do from counting as signed in.
func (s *settings) judgePending(c *claims) Reason {
	if c.session.Pending && !s.allowPending {
		return ReasonSessionPending
	}
	return ""
}

func (o *outcome) err() *Error {
	if o.detail == nil && !o.tooMany {
		return refused(o.reason)
	}
	return &Error{Reason: o.reason, detail: o.detail, tooMany: o.tooMany}
}

// setCookies adds Set-Cookie values, and keeps a response that has any, which now is one browser's, out of
// shared caches.
func (o *outcome) setCookies(cacheControl string, cookies []string) {
	if len(cookies) == 0 {
		return
	}
	if o.header == nil {
		o.header = make(http.Header)
	}
	for _, c := range cookies {
		o.header.Add("Set-Cookie", c)
	}
	if o.header.Get("Cache-Control") == "" {
		o.header.Set("Cache-Control", cacheControl)
	}
}
