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
	stuck   stuck // a handshake is needed, and none is made any more
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
	required   bool         // whoever is signed out will be refused
	resolved   bool         // the answer of a handshake was looked at
	unexpected bool         // there is one, and this browser was not sent to fetch it
	answer     renewal      // what it brought
	point      *returnPoint // nil: not worked out
	confirms   bool         // a handshake that starts now shall confirm the session
	needed     bool         // a handshake was needed, whether or not it was made

	cookies    cookieEvidence
	pair       slot  // which of the two names counts
	signedInAt int64 // __client_uat of that name
}

// chosen is the session cookie of the name that counts; without raw: none came, or none was judged.
func (e *evidence) chosen() *judgedCookie { return &e.cookies.judged[e.pair] }

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
func (a *Authenticator) decide(r *http.Request, e *evidence, now time.Time) outcome {
	if reason := e.read(r, a.settings); reason != "" {
		return outcome{reason: reason}
	}
	if e.hasBearer {
		return a.decideBearer(r.Context(), e, now)
	}
	a.resolve(r.Context(), e, now)
	a.judgeCookies(r.Context(), &e.cookies, &e.facts, now)
	e.pair = e.cookies.choose(&e.facts, a.settings, now)
	e.signedInAt = signedInAt(e.uat[e.pair])
	o := a.decideCookies(r, e, now)
	a.finish(r, e, &o, now)
	return o
}

// decideCookies decides by what the browser sent by itself.
func (a *Authenticator) decideCookies(r *http.Request, e *evidence, now time.Time) outcome {
	ctx, s := r.Context(), a.settings
	if e.answer.ok && !s.injected(ctx, e, now) {
		return a.answerOutcome(ctx, e, now)
	}
	o, ok := s.syncOutcome(ctx, e)
	if !ok {
		o = cookieOutcome(e)
	}
	if asking, ok := a.askClerkFirst(ctx, e, o, now); ok {
		return asking
	}
	if o.reason == ReasonTokenExpired {
		if o = a.refresh(r, e, o, now); o.carrier == CarrierRefresh {
			return o
		}
	}
	if o.reason == "" {
		return a.resync(ctx, e, o, now)
	}
	return a.startHandshake(ctx, e, o, now)
}

// injected reports whether an answer names another session than the one that the browser is signed in to. No handshake
// was needed then: a sibling subdomain has planted the answer to one of its own, as it can in production, where answers
// come in cookies. Where the session really did change, __client_uat has moved, and the old cookie does not count. An
// answer that was asked for, or is of the session that this browser had, is none.
func (s *settings) injected(ctx context.Context, e *evidence, now time.Time) bool {
	return s.live && e.answer.token != "" && cookieReason(e) == "" && e.chosen().read.claims.sid != e.answer.claims.sid &&
		!s.confirmed(ctx, e, now) && !s.policy.partyHolds(ctx, e.answer.claims, &e.facts, now)
}

// answerOutcome is what a handshake came to. What it left in the address is not left there.
func (a *Authenticator) answerOutcome(ctx context.Context, e *evidence, now time.Time) outcome {
	s := a.settings
	confirmed := s.confirmed(ctx, e, now)
	if !confirmed && s.changed(ctx, e, e.answer.claims, now) {
		if confirming, ok := a.confirm(ctx, e, CarrierHandshake, now); ok {
			return confirming
		}
	}
	o := outcome{carrier: CarrierHandshake, token: e.answer.token, claims: e.answer.claims}
	if confirmed || e.answer.token != "" {
		o.setCookies("no-store", s.deleteDomainSessions(&e.facts))
	}
	o.setCookies("no-store", e.answer.cookies)
	if e.answer.token == "" {
		o.reason = ReasonSessionTokenMissing
	} else if confirmed && !s.policy.partyHolds(ctx, o.claims, &e.facts, now) {
		if c := s.replaceParty(ctx, o.claims, &e.facts, now); c != nil {
			o.setCookies("no-store", []string{c.String()})
		}
	}
	if !s.live || e.own.came {
		s.clean(ctx, e, &o)
	}
	return o
}

// clean has the browser come again without what a handshake left in the address.
func (s *settings) clean(ctx context.Context, e *evidence, o *outcome) {
	if location := s.cleanAddress(ctx, e); location != "" {
		o.setHeader("Location", location)
		o.setHeader("Cache-Control", "no-store")
	}
}

// cleanAddress is the address of a page without what a handshake left in it; empty: the host is not one of the
// application's own, or that is too long.
func (s *settings) cleanAddress(ctx context.Context, e *evidence) string {
	public, ok := publicOrigin(ctx, &e.facts, &s.policy)
	if !ok {
		return ""
	}
	return withoutAnswer(public, e.page)
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

// askClerkFirst starts a handshake before anything is made of the cookies, whose outcome is o, where they are not enough:
// an answer came that this browser was not sent to fetch, so that anybody could have put it into a link, or the session
// is another one than this browser had here.
func (a *Authenticator) askClerkFirst(ctx context.Context, e *evidence, o outcome, now time.Time) (outcome, bool) {
	if e.unexpected {
		asked := o
		if !asked.reason.recoverable() {
			asked = outcome{reason: ReasonDevBrowserSync, carrier: o.carrier}
		}
		asking := a.startHandshake(ctx, e, asked, now)
		if asking.status == Handshake || asking.stuck != notStuck && o.reason != "" {
			return asking, true
		}
	}
	if (o.reason == "" || o.reason == ReasonTokenExpired) && a.settings.changed(ctx, e, e.chosen().read.claims, now) {
		return a.confirm(ctx, e, o.carrier, now)
	}
	return outcome{}, false
}

// resync starts a handshake for somebody who is signed in, where the session may be another one by now. Where none can
// be made, they stay signed in.
func (a *Authenticator) resync(ctx context.Context, e *evidence, o outcome, now time.Time) outcome {
	var reason Reason
	switch target, ok := a.settings.organizations.Target(e.page.path); {
	case a.settings.crossOriginReferrer(ctx, e, now):
		reason = ReasonCrossOriginSync
	case ok && e.document && !o.claims.session.Pending && !target.Active(o.claims.session.Organization.ID, o.claims.session.Organization.Slug):
		reason = ReasonOrganizationMismatch
	default:
		return o
	}
	if handshake := a.startHandshake(ctx, e, outcome{carrier: o.carrier, reason: reason}, now); handshake.status == Handshake {
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
	if e.document && !e.head {
		s.stripState(r.Context(), e, o)
		o.setCookies("no-store", s.clearHandshake(&e.facts, o.reason == ReasonSessionChanged))
		o.setCookies("no-store", s.deletePlanted(e, o))
		o.setCookies("no-store", s.endAttempts(r.Context(), e, o, now))
	}
	if o.reason == "" && o.carrier == CarrierCookie && e.renewalObstacle() == nil {
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
	return &Error{Reason: o.reason, detail: o.detail, stuck: o.stuck}
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

func (o *outcome) setHeader(name, value string) {
	if o.header == nil {
		o.header = make(http.Header)
	}
	o.header.Set(name, value)
}
