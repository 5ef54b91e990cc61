package clerkauth

import (
	"context"
	"net/http"
	"strconv"
	"time"
)

// A handshake sends a document request to the Frontend API, which looks at the browser's own session there and
// sends it back with fresh cookies. See https://clerk.com/docs/guides/how-clerk-works/overview.

// maxRounds is how many handshakes are made within roundsWindow before the browser is told what is wrong.
const (
	maxRounds    = 3
	roundsWindow = 2 * time.Second
)

// recoverable reports whether a handshake can change a reason.
func (r Reason) recoverable() bool {
	switch r {
	case ReasonSessionTokenWithoutUAT, ReasonUATWithoutSessionToken, ReasonTokenBeforeUAT, ReasonSessionTokenAmbiguous,
		ReasonTokenExpired, ReasonTokenNotActiveYet, ReasonTokenFromTheFuture, ReasonTokenMissingAzp,
		ReasonDevBrowserMissing, ReasonDevBrowserSync, ReasonSatelliteNeedsSync, ReasonPrimaryRespondsToSync,
		ReasonCrossOriginSync, ReasonOrganizationMismatch:
		return true
	}
	return false
}

// startHandshake turns a signed-out outcome into a handshake where that can help and the request allows it: on
// documents only, because everything else cannot follow, and not for ever.
func (s *settings) startHandshake(ctx context.Context, e *evidence, o outcome) outcome {
	if !o.reason.recoverable() || !e.document || s.onceOnly(e, o.reason) {
		return o
	}
	if e.answer.reason == ReasonTokenMissingAzp {
		return outcome{reason: ReasonTokenMissingAzp, carrier: CarrierHandshake} // the next answer would be no better
	}
	if e.rounds >= maxRounds {
		o.tooMany = true
		return o
	}
	public, ok := publicOrigin(ctx, &e.facts, &s.policy)
	if !ok {
		return outcome{reason: ReasonRequestHostNotAuthorized, carrier: o.carrier}
	}
	location := s.handshakeLocation(e, o, public)
	if location == "" {
		return o
	}
	o.status, o.header = Handshake, http.Header{}
	o.header.Set("Location", location)
	o.header.Set("Cache-Control", "no-store")
	o.header.Set("X-Clerk-Auth-Status", Handshake.String())
	o.header.Set("X-Clerk-Auth-Reason", o.err().clerkReason())
	o.header.Add("Set-Cookie", cookieRounds+"="+strconv.Itoa(e.rounds+1)+"; SameSite=Lax; HttpOnly; Max-Age="+strconv.Itoa(int(roundsWindow/time.Second)))
	if o.reason == ReasonTokenMissingAzp {
		o.header.Add("Set-Cookie", s.ownCookie(&e.facts, cookieTried, "1", triedLifetime).String())
	}
	return o
}

// onceOnly reports whether a handshake has been made for a reason that one handshake changes, or none.
func (s *settings) onceOnly(e *evidence, reason Reason) bool {
	return reason == ReasonTokenMissingAzp && (e.tried || e.resolved)
}
