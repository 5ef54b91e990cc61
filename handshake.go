package clerkauth

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// A handshake sends a document request to the Frontend API, which looks at the browser's own session there and
// sends it back with fresh cookies. See https://clerk.com/docs/guides/how-clerk-works/overview.

// Clerk's own counter of handshakes is a cookie that lives for countedFor. Where the browser keeps ours it stops nobody:
// tabs that were opened together share it.
const (
	maxCounted = 3
	countedFor = 2 * time.Second
)

// recoverable reports whether a handshake can change a reason.
func (r Reason) recoverable() bool {
	switch r {
	case ReasonSessionTokenWithoutUAT, ReasonUATWithoutSessionToken, ReasonTokenBeforeUAT, ReasonSessionTokenAmbiguous,
		ReasonTokenExpired, ReasonTokenNotActiveYet, ReasonTokenFromTheFuture, ReasonTokenMissingAzp,
		ReasonDevBrowserMissing, ReasonDevBrowserSync, ReasonSatelliteNeedsSync, ReasonPrimaryRespondsToSync,
		ReasonCrossOriginSync, ReasonOrganizationMismatch, ReasonSessionChanged:
		return true
	}
	return false
}

// startHandshake turns a signed-out outcome into a handshake where that can help and the request allows it: on
// documents only, because everything else cannot follow, and not for ever.
func (a *Authenticator) startHandshake(ctx context.Context, e *evidence, o outcome, now time.Time) outcome {
	s := a.settings
	if !o.reason.recoverable() || !e.document || s.onceOnly(e, o.reason) || e.head && (e.own.came || e.came.any()) {
		return o
	}
	e.needed = true
	switch e.answer.reason {
	case ReasonTokenMissingAzp, ReasonKeysUnavailable:
		return outcome{reason: e.answer.reason, carrier: CarrierHandshake} // the next answer would be no better
	}
	p, ok := s.newReturnPoint(ctx, e, now)
	if e.rounds >= maxCounted && len(p.entries) == 0 {
		o.stuck = inCircles
		return o.orUnavailable(e)
	}
	if !ok {
		return outcome{reason: ReasonRequestHostNotAuthorized, carrier: o.carrier}
	}
	byToken := p.own.byToken || e.answer.unasked != nil
	if p.own.byToken && e.answer.unasked != nil {
		return o.orUnavailable(e)
	}
	if o.stuck = a.stop(e, &p, now); o.stuck != notStuck {
		return o.orUnavailable(e)
	}
	location := s.handshakeLocation(e, o, p.public, a.newReturn(ctx, e, &p, now), byToken)
	if location == "" {
		return o.orUnavailable(e)
	}
	o.status, o.header = Handshake, http.Header{}
	o.header.Set("Location", location)
	o.header.Set("Cache-Control", "no-store")
	o.header.Set("X-Clerk-Auth-Status", Handshake.String())
	o.header.Set("X-Clerk-Auth-Reason", o.err().clerkReason())
	if !e.uncounted() {
		s.count(e, &o, &p, byToken, now)
	}
	return o
}

// orUnavailable is a handshake that is not made. If it was the only way left, because the last one's answer could not be
// had, who is signed in cannot be told.
func (o outcome) orUnavailable(e *evidence) outcome {
	if e.answer.unasked != nil {
		return outcome{reason: ReasonHandshakeUnavailable, carrier: CarrierHandshake, detail: e.answer.unasked}
	}
	return o
}

// count adds the cookies that end a series of handshakes. What goes to a satellite is the satellite's.
func (s *settings) count(e *evidence, o *outcome, p *returnPoint, byToken bool, now time.Time) {
	o.header.Add("Set-Cookie", cookieRounds+"="+strconv.Itoa(e.rounds+1)+"; SameSite=Lax; HttpOnly; Max-Age="+strconv.Itoa(int(countedFor/time.Second)))
	if o.reason != ReasonPrimaryRespondsToSync {
		o.header.Add("Set-Cookie", s.attemptsCookie(&e.facts, p.public, p.next(byToken, now)))
	}
	if o.reason == ReasonTokenMissingAzp {
		o.header.Add("Set-Cookie", s.ownCookie(&e.facts, cookieTried, "1", triedLifetime).String())
	}
}

// newReturn is the address to come back to.
func (a *Authenticator) newReturn(ctx context.Context, e *evidence, p *returnPoint, now time.Time) string {
	s := a.settings
	address := addressWithout(p.public, e.page, s.leftBehind)
	if address == "" {
		return ""
	}
	if a.marks(e, p, now) {
		address = withParameter(address, paramSent, strconv.FormatInt(now.Unix(), 10))
	}
	if e.confirms || s.confirmed(ctx, e, now) {
		address = withParameter(address, paramState, s.newState(ctx, e, p, now))
	}
	return address
}

// endAttempts is the cookie without this page, which was decided without needing a handshake. Clerk's counter goes with
// it: alone it would stop the next page.
func (s *settings) endAttempts(ctx context.Context, e *evidence, o *outcome, now time.Time) []string {
	if e.attempts == [slots]attemptCookies{} || e.needed || e.prefetch || o.header.Get("Location") != "" {
		return nil
	}
	p, ok := s.newReturnPoint(ctx, e, now)
	if !ok || !p.known() {
		return nil
	}
	cookies := []string{s.attemptsCookie(&e.facts, p.public, p.others())}
	if e.rounds > 0 {
		cookies = append(cookies, cookieRounds+"=; Max-Age=0; SameSite=Lax; HttpOnly")
	}
	return cookies
}

// onceOnly reports whether a handshake has been made for a reason that one handshake changes, or none.
func (s *settings) onceOnly(e *evidence, reason Reason) bool {
	return reason == ReasonTokenMissingAzp && (e.tried || e.resolved)
}
