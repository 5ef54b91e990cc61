package decision

import (
	"context"
	"net/http"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// Evidence is all that a decision is made from. The zero Evidence is that of no request.
type Evidence struct {
	inbound.Request

	required   bool         // whoever is signed out will be refused
	resolved   bool         // the answer of a handshake was looked at
	unexpected bool         // there is an answer, and this browser was not sent to fetch it
	result     renewal      // what the answer brought
	point      *returnPoint // see newReturnPoint; nil: not needed yet
	nowhere    bool         // there is no point, as the host is not one of the application's own
	confirms   bool         // a handshake that starts now shall confirm the session
	needed     bool         // a handshake was needed, whether or not it was made

	cookies    cookieEvidence
	pair       inbound.Slot // which of the two names counts
	signedInAt int64        // __client_uat of that name
}

// chosen is the session cookie of the name that counts; its Raw is empty where none was sent, or none was judged.
func (e *Evidence) chosen() *judgedCookie { return e.cookies.at(e.pair) }

// devBrowserToken is the token of a development browser, from the address or from its cookie.
func (e *Evidence) devBrowserToken() string {
	if value, _ := inbound.First(e.Page.Query, paramDevBrowser); value != "" {
		return value
	}
	return e.DevBrowser[e.pair].Value
}

// sentToken is the session token that was sent, a cookie before a bearer token.
func (e *Evidence) sentToken() string {
	if raw := e.chosen().read.Raw; raw != "" {
		return raw
	}
	return e.Bearer()
}

// Decide decides about a request in steps, each taken at most once: read it, resolve a handshake's answer, judge the
// cookies, refresh, start a handshake, finish. e and o must be zero; e gets what is read of r, and o the outcome.
// required: whoever is signed out will be refused.
//
// Most steps change o in place: it is large, and copying it would cost more than most of them.
func (d *Decider) Decide(r *http.Request, e *Evidence, o *Outcome, required bool, now time.Time) {
	e.required = required
	d.decide(r, e, o, now)
	if o.Reason != "" {
		d.explain(r, e, o, now)
	}
}

func (d *Decider) decide(r *http.Request, e *Evidence, o *Outcome, now time.Time) {
	if o.Reason = e.ReadBearer(r, &d.Settings.Settings); o.Reason != "" {
		return
	}
	if e.HasBearer {
		d.decideBearer(r, e, o, now)
		return
	}
	e.ReadOthers(r, &d.Settings.Settings)
	d.resolve(r.Context(), e, now)
	d.judgeCookies(r.Context(), &e.cookies, &e.Request, now)
	e.cookies.dropForeign(&e.Request, d.Settings)
	e.pair = e.cookies.choose(&e.Request, d.Settings, now)
	e.signedInAt = e.SignedInAt(e.pair)
	d.decideCookies(r, e, o, now)
	d.finish(r, e, o, now)
}

// decideCookies decides by what the browser sent by itself.
func (d *Decider) decideCookies(r *http.Request, e *Evidence, o *Outcome, now time.Time) {
	ctx, s := r.Context(), d.Settings
	if d.decideAnswer(ctx, e, o, now) {
		return
	}
	if !s.syncOutcome(ctx, e, o) {
		cookieOutcome(e, o)
	}
	if confirming := d.confirmFirst(ctx, e, o, now); confirming != nil {
		asking := d.startHandshake(ctx, e, *confirming, now)
		if asking.handshake || e.confirms || asking.Stuck != NotStuck && o.Reason != "" {
			*o = asking
			return
		}
	}
	if o.Reason == reasons.TokenExpired {
		if d.refresh(r, e, o, now); o.Source == FromRefresh {
			return
		}
	}
	if o.Reason == "" {
		d.resync(ctx, e, o, now)
	} else {
		*o = d.startHandshake(ctx, e, *o, now)
	}
}

// decideAnswer decides by the answer of a handshake. It returns false where there is none that counts.
func (d *Decider) decideAnswer(ctx context.Context, e *Evidence, o *Outcome, now time.Time) bool {
	switch {
	case !e.result.ok || d.injected(ctx, e, now):
		return false
	case e.result.oversize > 0 && !d.Live: // with live keys the answer signs in, each time anew
		*o = tooLarge(e.result.oversize)
		o.setCookies("no-store", e.result.cookies)
	default:
		*o = d.answerOutcome(ctx, e, now)
	}
	return true
}

// injected reports whether an answer was planted: it names another session than the one that the browser is signed in to,
// although that needed no handshake. In production, where answers arrive in cookies, a sibling subdomain can plant the
// answer to a handshake of its own. Had the session really changed, so had __client_uat, and the old cookie would not
// count. An answer that was confirmed, or is of the session that the party cookie names, was not planted.
func (s *Settings) injected(ctx context.Context, e *Evidence, now time.Time) bool {
	return s.Live && e.result.token != "" && cookieReason(e) == "" && e.chosen().read.Claims.SID != e.result.claims.SID &&
		!s.confirmed(ctx, e, now) && !s.Policy.partyHolds(ctx, e.result.claims, &e.Request, now)
}

// answerOutcome is the result of a handshake. What it left in the address is removed.
func (d *Decider) answerOutcome(ctx context.Context, e *Evidence, now time.Time) Outcome {
	s := d.Settings
	confirmed := s.confirmed(ctx, e, now)
	if !confirmed && s.changed(ctx, e, e.result.claims, now) && d.canConfirm() {
		return d.startHandshake(ctx, e, e.confirm(FromHandshake), now)
	}
	o := Outcome{Source: FromHandshake, Token: e.result.token, Claims: e.result.claims}
	if confirmed || e.result.token != "" {
		o.setCookies("no-store", s.deleteDomainSessions(&e.Request))
	}
	o.setCookies("no-store", e.result.cookies)
	if e.result.token == "" {
		o.Reason = reasons.SessionTokenMissing
	} else if confirmed && !s.Policy.partyHolds(ctx, o.Claims, &e.Request, now) {
		if c := s.replaceParty(ctx, o.Claims, &e.Request, now); c != "" {
			o.setCookies("no-store", []string{c})
		}
	}
	if (!s.Live || e.Own.Any) && e.result.oversize == 0 { // a cookie that is not kept would not sign in the page after the redirect
		return d.cleanOnce(ctx, e, o, now)
	}
	return o
}

// cookieOutcome is the outcome by the session cookies alone.
func cookieOutcome(e *Evidence, o *Outcome) {
	c := e.chosen()
	o.Source, o.Reason, o.CacheHit = FromCookie, cookieReason(e), c.read.Verified
	switch o.Reason {
	case reasons.SessionTokenAndUATMissing:
		o.Source = FromNowhere
	case "":
		o.Token, o.Claims = c.read.Raw, c.read.Claims
	}
}

// cookieReason judges the chosen session cookie beside __client_uat, which tells when the browser last signed
// in or out: a session cookie alone, or one from before that, is not the browser's present state.
func cookieReason(e *Evidence) reasons.Reason {
	switch c := e.chosen(); {
	case c.read.Raw == "" && e.signedInAt == 0:
		return reasons.SessionTokenAndUATMissing
	case c.read.Raw == "":
		return reasons.UATWithoutSessionToken
	case e.signedInAt == 0:
		return reasons.SessionTokenWithoutUAT
	case e.cookies.ambiguous:
		return reasons.SessionTokenAmbiguous
	case c.read.Reason != "":
		return c.read.Reason
	case c.read.Claims.Iat.State == sessiontoken.Present && c.issued() < e.signedInAt:
		return reasons.TokenBeforeUAT
	default:
		return c.reason
	}
}

// confirmFirst is the handshake to start before o, the outcome by the cookies, is used; nil: none. It is needed if the
// session is another one than this browser had here, or if a handshake result was sent that this browser was not sent to fetch:
// anybody could have put that into a link.
func (d *Decider) confirmFirst(ctx context.Context, e *Evidence, o *Outcome, now time.Time) *Outcome {
	switch {
	case (o.Reason == "" || o.Reason == reasons.TokenExpired) && d.changed(ctx, e, e.chosen().read.Claims, now) && d.canConfirm():
		confirming := e.confirm(o.Source)
		return &confirming
	case !e.unexpected:
		return nil
	case canRecover(o.Reason):
		confirming := *o
		return &confirming
	}
	return &Outcome{Reason: reasons.DevBrowserSync, Source: o.Source}
}

// resync starts a handshake for somebody who is signed in, where the session may be another one by now. Where none can
// be made, they stay signed in.
func (d *Decider) resync(ctx context.Context, e *Evidence, o *Outcome, now time.Time) {
	if !e.Document {
		return
	}
	var reason reasons.Reason
	switch {
	case d.crossOriginReferrer(ctx, e, now):
		reason = reasons.CrossOriginSync
	case d.wantsOrganization(e, o.Claims):
		reason = reasons.OrganizationMismatch
	default:
		return
	}
	if handshake := d.startHandshake(ctx, e, Outcome{Source: o.Source, Reason: reason}, now); handshake.handshake {
		*o = handshake
	}
}

// wantsOrganization reports whether a page asks for another organization than the active one.
func (s *Settings) wantsOrganization(e *Evidence, c *sessiontoken.Claims) bool {
	target, ok := s.Organizations.Target(e.Page.Path)
	return ok && !c.Pending && !target.Active(c.Organization.ID, c.Organization.Slug)
}

// finish applies to o what applies to every decision by a cookie.
func (d *Decider) finish(r *http.Request, e *Evidence, o *Outcome, now time.Time) {
	s := d.Settings
	if o.Reason == "" && crossOrigin(r, &e.Request, s) {
		*o = Outcome{Reason: reasons.CrossOriginRequest, Source: o.Source}
		return
	}
	if o.Reason == "" {
		o.Reason = s.judgePending(o.Claims)
	}
	if e.Document && !e.Head {
		s.stripOwn(r.Context(), e, o)
		o.setCookies("no-store", s.clearHandshake(&e.Request, o.Reason == reasons.SessionChanged))
		o.setCookies("no-store", s.deletePlanted(e, o))
		o.setCookies("no-store", s.endAttempts(r.Context(), e, o, now))
	}
	if o.Reason == "" && o.Source == FromCookie && e.renewalObstacle() == nil {
		if c := s.partyCookie(r.Context(), o.Claims, &e.Request, now); c != "" {
			o.setCookies("private", []string{c})
		}
	}
}

// judgePending keeps a session that still has a task to do from counting as signed in.
func (s *Settings) judgePending(c *sessiontoken.Claims) reasons.Reason {
	if c.Pending && !s.AllowPending {
		return reasons.SessionPending
	}
	return ""
}
