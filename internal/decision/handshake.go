package decision

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// A handshake sends a document request to the Frontend API, which looks at the browser's own session there and
// sends it back with fresh cookies. See https://clerk.com/docs/guides/how-clerk-works/overview.

// Clerk's own counter of handshakes is a cookie that lives for countedFor. Where the browser keeps ours it stops nobody:
// tabs that were opened together share it.
const (
	maxCounted = 3
	countedFor = 2 * time.Second
)

// canRecover reports whether a handshake can change a reason.
func canRecover(reason reasons.Reason) bool {
	switch reason {
	case reasons.SessionTokenWithoutUAT, reasons.UATWithoutSessionToken, reasons.TokenBeforeUAT, reasons.SessionTokenAmbiguous,
		reasons.TokenExpired, reasons.TokenNotActiveYet, reasons.TokenFromTheFuture, reasons.TokenMissingAZP,
		reasons.DevBrowserMissing, reasons.DevBrowserSync, reasons.SatelliteNeedsSync, reasons.PrimaryRespondsToSync,
		reasons.CrossOriginSync, reasons.OrganizationMismatch, reasons.SessionChanged:
		return true
	}
	return false
}

// canHelp reports whether a handshake can change a reason for which this request is signed out. A session cookie that is no
// good may hide that this browser is signed in, as __client_uat says: its key was replaced while the browser was away, or, where
// a party cookie says that somebody was signed in here, a sibling subdomain planted it. So may one whose key cannot be fetched:
// the known keys may verify a handshake result. Clerk knows the browser, and signs in nobody else.
func (d *Decider) canHelp(e *Evidence, reason reasons.Reason, now time.Time) bool {
	c := e.chosen()
	if canRecover(reason) || reason != c.reason { // cookieReason gives a cookie's own reason only beside __client_uat
		return canRecover(reason)
	}
	returns := len(e.Party()) > 0
	if c.standing() == undecided {
		return returns && d.verifier.Keys().Ready(now) != nil
	}
	return returns || reason == reasons.KeyUnknown && c.expired(now) && d.Policy.Issues(c.read.Claims.Iss)
}

// startHandshake turns a signed-out outcome into a handshake where that can help and the request allows it: for
// documents only, because nothing else can follow the redirect, and only a few times.
func (d *Decider) startHandshake(ctx context.Context, e *Evidence, o Outcome, now time.Time) Outcome {
	s := d.Settings
	if !d.canHelp(e, o.Reason, now) || !e.Document || s.onceOnly(e, o.Reason) || e.Head && (e.Own.Any || e.Answer.Any()) {
		return o
	}
	if e.result.oversize > 0 {
		return tooLarge(e.result.oversize)
	}
	e.needed = true
	switch e.result.reason {
	case reasons.TokenMissingAZP, reasons.KeysUnavailable:
		return Outcome{Reason: e.result.reason, Source: FromHandshake} // the next answer would be no better
	}
	p, ok := s.newReturnPoint(ctx, e, now)
	if e.Redirects >= maxCounted && len(p.entries) == 0 {
		o.Stuck = d.because(InCircles, e, o.Reason, now)
		return o.notMade(e)
	}
	if !ok {
		return Outcome{Reason: reasons.RequestHostNotAuthorized, Source: o.Source}
	}
	if e.noBetter(&p, o.Reason, now) {
		return o.notMade(e)
	}
	if o.Stuck = d.because(d.stop(e, &p, now), e, o.Reason, now); o.Stuck != NotStuck {
		return o.inCircles(e).notMade(e)
	}
	byToken := p.own.byToken || e.result.unasked != nil
	location := s.handshakeLocation(e, o, p.public, d.newReturn(ctx, e, &p, byToken, now), byToken)
	if location == "" {
		return o.notMade(e)
	}
	o.handshake, o.Header = true, http.Header{}
	o.Header.Set("Location", location)
	o.Header.Set("Cache-Control", "no-store")
	o.Header.Set("X-Clerk-Auth-Status", "handshake")
	o.Header.Set("X-Clerk-Auth-Reason", ClerkReason(o.Reason, o.Refresh))
	if !e.uncounted() {
		s.count(e, &o, &p, byToken, now)
	}
	return o
}

// noBetter reports whether the handshake result that was sent shows that the next one would be no better: it is a nonce where a token
// was asked for, or its session token was refused for a reason that no handshake changes, so the application is set up wrongly.
func (e *Evidence) noBetter(p *returnPoint, reason reasons.Reason, now time.Time) bool {
	if e.result.unasked != nil {
		return e.sentForToken(now)
	}
	return e.result.reason != "" && !canRecover(e.result.reason) && p.own.n > 0 && !canRecover(reason)
}

// notMade is the outcome where no handshake is made. If the nonce of the last one could not be exchanged, it is unknown who
// is signed in.
func (o Outcome) notMade(e *Evidence) Outcome {
	if e.result.unasked != nil {
		return Outcome{Reason: reasons.HandshakeUnavailable, Source: FromHandshake, Detail: unaskedDetail(e.result.unasked)}
	}
	return o
}

// inCircles gives a page that was sent away often enough the reason for which the answers of its handshakes are refused, if
// they are.
func (o Outcome) inCircles(e *Evidence) Outcome {
	if o.Stuck == InCircles && e.result.reason != "" {
		o.Reason, o.Source = e.result.reason, FromHandshake
	}
	return o
}

// tooLarge is the outcome of an answer that no browser can keep: the next one would be as large. size is that of the session
// cookie, in bytes.
func tooLarge(size int) Outcome {
	return Outcome{Reason: reasons.UATWithoutSessionToken, Source: FromHandshake, Stuck: CookieTooLarge, Detail: cookieSizeError(size)}
}

// count adds the cookies that end a series of handshakes. A redirect to a satellite is not counted for this page.
func (s *Settings) count(e *Evidence, o *Outcome, p *returnPoint, byToken bool, now time.Time) {
	o.Header.Add("Set-Cookie", inbound.CookieRedirects+"="+strconv.Itoa(e.Redirects+1)+"; SameSite=Lax; HttpOnly; Max-Age="+strconv.Itoa(int(countedFor/time.Second)))
	if o.Reason != reasons.PrimaryRespondsToSync {
		o.Header.Add("Set-Cookie", s.attemptsCookie(&e.Request, p.public, p.next(byToken, false, now)))
	}
	if o.Reason == reasons.TokenMissingAZP {
		o.Header.Add("Set-Cookie", s.ownCookie(&e.Request, inbound.CookieTried, "1", triedLifetime).String())
	}
}

// newReturn is the address to come back to.
func (d *Decider) newReturn(ctx context.Context, e *Evidence, p *returnPoint, byToken bool, now time.Time) string {
	s := d.Settings
	address := addressWithout(p.public, &e.Page, asForm, s.isHandshakeParameter)
	if address == "" {
		return ""
	}
	switch sent := strconv.FormatInt(now.Unix(), 10); {
	case byToken:
		address = withParameter(address, inbound.ParamSent, sent+inbound.SentForToken)
	case d.marks(e, p, now):
		address = withParameter(address, inbound.ParamSent, sent)
	}
	if e.confirms || s.confirmed(ctx, e, now) {
		address = withParameter(address, inbound.ParamState, s.newState(ctx, e, p, now))
	}
	return address
}

// endAttempts takes a page that needed no handshake out of the cookie. Clerk's counter is deleted with it: alone it would
// stop the next page.
func (s *Settings) endAttempts(ctx context.Context, e *Evidence, o *Outcome, now time.Time) []string {
	if e.Attempts == [inbound.Slots]inbound.AttemptCookies{} || e.needed || e.Prefetch() || o.Header.Get("Location") != "" {
		return nil
	}
	p, _ := s.newReturnPoint(ctx, e, now)
	if !p.known() {
		return nil
	}
	cookies := []string{s.attemptsCookie(&e.Request, p.public, p.others())}
	if e.Redirects > 0 {
		cookies = append(cookies, inbound.CookieRedirects+"=; Max-Age=0; SameSite=Lax; HttpOnly")
	}
	return cookies
}

// onceOnly reports whether a handshake was made for a reason that a second one would not change.
func (s *Settings) onceOnly(e *Evidence, reason reasons.Reason) bool {
	return reason == reasons.TokenMissingAZP && (e.Tried || e.resolved)
}
