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
	tooMany bool // handshakes were made, and did not help
	carrier Carrier
	token   string
	claims  *claims     // nil unless verified and judged
	hit     bool        // the signature of the token that decided was verified before
	header  http.Header // nil: nothing
	target  string      // where a handshake goes; empty: to the Frontend API
}

// evidence is all that a decision is made from.
type evidence struct {
	facts
	resolved bool    // the answer of a handshake was looked at
	answer   renewal // what it brought

	cookies    cookieEvidence
	pair       slot  // which of the two names counts
	signedInAt int64 // __client_uat of that name
}

// chosen is the session cookie of the name that counts; without raw: none came, or none was judged.
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

// decide is the way of a request: read it, resolve a handshake's answer, judge the cookies, refresh, start a
// handshake, finish. Each step is taken at most once.
func (a *Authenticator) decide(r *http.Request, now time.Time) outcome {
	var e evidence
	if reason := e.read(r, a.settings); reason != "" {
		return outcome{reason: reason}
	}
	if e.hasBearer {
		return a.decideBearer(r.Context(), &e, now)
	}
	if e.document && !e.came.empty() {
		e.resolved, e.answer = true, a.resolve(r.Context(), &e.facts, now)
	}
	a.judgeCookies(r.Context(), &e, now)
	o := a.decideCookies(r, &e, now)
	a.finish(r, &e, &o, now)
	return o
}

// judgeCookies verifies and judges the session cookies, and chooses the name that counts.
func (a *Authenticator) judgeCookies(ctx context.Context, e *evidence, now time.Time) {
	a.weigh(ctx, &e.cookies, &e.facts, now)
	e.pair = e.cookies.choose(&e.facts, a.settings, now)
	e.signedInAt = signedInAt(e.uat[e.pair])
}

// decideCookies decides by what the browser sent by itself.
func (a *Authenticator) decideCookies(r *http.Request, e *evidence, now time.Time) outcome {
	ctx, s := r.Context(), a.settings
	if e.answer.ok && (!s.live || !e.injected()) {
		return s.answerOutcome(ctx, e)
	}
	o, ok := s.syncOutcome(ctx, e)
	if !ok {
		o = cookieOutcome(e)
	}
	if o.reason == ReasonTokenExpired {
		if o = a.refresh(r, e, o, now); o.carrier == CarrierRefresh {
			return o
		}
	}
	if o.reason == "" {
		return s.lookElsewhere(ctx, e, o)
	}
	return s.startHandshake(ctx, e, o)
}

func signedInBy(a renewal, k Carrier) outcome {
	o := outcome{carrier: k, token: a.token, claims: a.claims, header: make(http.Header)}
	o.setCookies("no-store", a.cookies)
	return o
}

// injected reports whether an answer names another session than the one that the browser is signed in to. No handshake
// was due then: a sibling subdomain has planted the answer to one of its own, as it can in production, where answers
// come in cookies. Where the session really did change, __client_uat has moved, and the old cookie does not count.
func (e *evidence) injected() bool {
	return e.answer.token != "" && cookieReason(e) == "" && e.chosen().read.claims.sid != e.answer.claims.sid
}

// answerOutcome is what a handshake came to. In development it leaves its answer in the address, and the
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
		o.header.Set("Location", withoutAnswer(public, e.page))
		o.header.Set("Cache-Control", "no-store")
	}
	return o
}

// cookieOutcome is what the session cookies come to.
func cookieOutcome(e *evidence) outcome {
	o := outcome{carrier: CarrierCookie, reason: cookieReason(e), hit: e.chosen().read.verified}
	switch o.reason {
	case ReasonSessionTokenAndUATMissing:
		o.carrier = CarrierNone
	case "":
		o.token, o.claims = e.chosen().read.raw, e.chosen().read.claims
	}
	return o
}

// cookieReason judges the chosen session cookie beside __client_uat, which tells when the browser last signed
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

// lookElsewhere starts a handshake for somebody who is signed in, where the session may be another one by now.
// Where none can be made, they stay signed in.
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
	if handshake := s.startHandshake(ctx, e, outcome{carrier: o.carrier, reason: reason}); handshake.status == Handshake {
		return handshake
	}
	return o
}

// finish applies to o what holds for every decision that came from a cookie.
func (a *Authenticator) finish(r *http.Request, e *evidence, o *outcome, now time.Time) {
	s := a.settings
	if o.reason == "" && crossOrigin(r, &e.facts, s) {
		*o = outcome{reason: ReasonCrossOriginRequest, carrier: o.carrier}
		return
	}
	if o.reason == "" {
		o.reason = s.judgePending(o.claims)
	}
	if e.resolved {
		o.setCookies("no-store", s.forget(&e.facts))
	}
	if o.reason == "" && o.carrier == CarrierCookie {
		if c := s.partyCookie(r.Context(), o.claims, &e.facts, now); c != nil {
			o.setCookies("private", []string{c.String()})
		}
	}
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
