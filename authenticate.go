package clerkauth

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// RequestState is a decision. The zero RequestState is signed out.
type RequestState struct {
	Status  Status
	Session *Session    // nil unless Status is SignedIn
	Pending *Session    // a verified session that still has a task to do (sts "pending"); never signed in
	Err     error       // nil if and only if Status is SignedIn, else an *Error
	Header  http.Header // what the response must carry (Set-Cookie, …); with a Location it is the whole response, status 307; nil: nothing
	token   *string     // a pointer, which even %#v does not follow; nil unless Status is SignedIn
}

// Token is the token that signed the request in. RequestState prints and logs without it.
func (s *RequestState) Token() string {
	if s.token == nil {
		return ""
	}
	return *s.token
}

// LogValue keeps the token and the claims out of logs.
func (s *RequestState) LogValue() slog.Value { return slog.StringValue(s.String()) }

// String keeps the token and the claims out of messages.
func (s *RequestState) String() string { return s.Status.String() }

// Status is the outcome. The zero Status is SignedOut.
type Status int

// The outcomes.
const (
	SignedOut Status = iota
	SignedIn
	Handshake // signed out, but a round trip through Clerk may change that: send Header with 307
)

// String is Clerk's word: "signed-in", "signed-out", "handshake".
func (s Status) String() string {
	switch s {
	case SignedIn:
		return "signed-in"
	case Handshake:
		return "handshake"
	default:
		return "signed-out"
	}
}

// AuthenticateRequest decides and writes nothing. Callers must send what state.Header holds.
func (a *Authenticator) AuthenticateRequest(r *http.Request) *RequestState {
	return &a.authenticate(r).RequestState
}

// decision is a RequestState and for whom it was made.
type decision struct {
	RequestState
	session Session
	raw     string
	by      *Authenticator // nil: NewContext, so nobody's to believe
	request identity
	header  http.Header // of the request, kept so that no other can come to lie at its address
}

// identity tells requests apart. Copies that middleware makes of a request share its header; a request that
// only shares the context does not, and one whose credentials were changed since is another one.
type identity struct {
	header                uintptr
	method, host          string
	authorization, cookie string
}

func identify(r *http.Request) identity {
	return identity{
		header: reflect.ValueOf(r.Header).Pointer(), method: r.Method, host: r.Host,
		authorization: strings.Join(r.Header["Authorization"], "\n"), cookie: strings.Join(r.Header["Cookie"], "\n"),
	}
}

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
	pair       slot    // which of the two names counts
	chosen     verdict // the session cookie of that name
	signedInAt int64   // __client_uat of that name

	refreshed refreshed
}

// devBrowserToken is the token of a development browser, from the address or from its cookie.
func (e *evidence) devBrowserToken() string {
	if value, ok := first(e.page.query, paramDevBrowser); ok && value != "" {
		return value
	}
	return e.devBrowser[e.pair].value
}

// sentToken is the session token that came, a cookie before a bearer token.
func (e *evidence) sentToken() string {
	if e.chosen.raw != "" {
		return e.chosen.raw
	}
	return e.bearer
}

func (a *Authenticator) authenticate(r *http.Request) *decision {
	begin := a.settings.now()
	o := a.decide(r, begin)
	d := &decision{by: a, request: identify(r), header: r.Header}
	d.Status, d.Header = o.status, o.header
	if o.claims != nil {
		d.session = o.claims.copySession()
	}
	if o.reason == "" {
		d.raw = o.token
		d.Status, d.Session, d.token = SignedIn, &d.session, &d.raw
	} else {
		d.Err = o.err()
	}
	if o.reason == ReasonSessionPending {
		d.Pending = &d.session
	}
	if a.settings.observe != nil {
		a.settings.observe(r.Context(), Event{Status: d.Status, Reason: o.reason, Carrier: o.carrier, CacheHit: o.hit, Elapsed: a.settings.now().Sub(begin)})
	}
	return d
}

func (o *outcome) err() *Error {
	if o.detail == nil && !o.tooMany {
		return refused(o.reason)
	}
	return &Error{Reason: o.reason, detail: o.detail, tooMany: o.tooMany}
}

// decide is the way of a request: its facts, what has to be found out, and what it all comes to.
func (a *Authenticator) decide(r *http.Request, now time.Time) outcome {
	var e evidence
	if reason := e.read(r, a.settings); reason != "" {
		return outcome{reason: reason}
	}
	if e.hasBearer {
		return a.decideBearer(r.Context(), &e, now)
	}
	o := a.settings.decideCookies(r.Context(), &e, now)
	for o.need != nothingMore {
		if o.need == refreshToken && crossOrigin(r, &e.facts, a.settings) {
			return outcome{reason: ReasonCrossOriginRequest, carrier: CarrierCookie} // or the new cookies would be lost
		}
		a.perform(r, o.need, &e, now)
		o = a.settings.decideCookies(r.Context(), &e, now)
	}
	return a.finish(r, &e, o, now)
}

// perform finds out what a decision needs. Nothing else on the way of a request waits for anybody.
func (a *Authenticator) perform(r *http.Request, need effect, e *evidence, now time.Time) {
	switch need {
	case resolveAnswer:
		e.cameBack, e.answer = true, a.resolve(r.Context(), &e.facts, now)
	case weighCookies:
		e.weighed, e.cookies = true, a.weigh(r.Context(), &e.facts, now)
		e.pair = e.cookies.choose(&e.facts, a.settings, now)
		e.chosen, e.signedInAt = e.cookies.verdicts[e.pair], signedInAt(e.uat[e.pair])
	case refreshToken:
		e.refreshed = a.refresh(r, e, now)
	case nothingMore:
	}
}

// finish applies what holds for every decision that came from a cookie.
func (a *Authenticator) finish(r *http.Request, e *evidence, o outcome, now time.Time) outcome {
	s := a.settings
	if o.reason == "" && crossOrigin(r, &e.facts, s) {
		return outcome{reason: ReasonCrossOriginRequest, carrier: o.carrier}
	}
	if o.reason == "" {
		o.reason = s.judgePending(o.claims)
	}
	if e.cameBack {
		o.setCookies("no-store", s.forget(&e.facts))
	}
	if o.reason == "" && o.carrier == CarrierCookie {
		if c := s.partyCookie(r.Context(), o.claims, &e.facts, now); c != nil {
			o.setCookies("private", []string{c.String()})
		}
	}
	return o
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

// decideBearer decides by a bearer token alone.
func (a *Authenticator) decideBearer(ctx context.Context, e *evidence, now time.Time) outcome {
	read := a.verifier.read(e.bearer, now)
	o := outcome{carrier: CarrierBearer, hit: read.verified}
	if o.reason = a.judgeParsed(ctx, &read, CarrierBearer, &e.facts, now); o.reason != "" {
		if o.reason == ReasonTokenExpired {
			o.detail = bearerObstacle(e.method)
		}
		return a.settings.heal(ctx, e, o)
	}
	o.token, o.claims, o.reason = e.bearer, read.claims, a.settings.judgePending(read.claims)
	return o
}

// judgeParsed verifies the signature of a token and then judges its claims.
func (a *Authenticator) judgeParsed(ctx context.Context, read *parsed, k Carrier, f *facts, now time.Time) Reason {
	if read.reason != "" {
		return read.reason
	}
	if reason := a.verifier.verify(ctx, read, now); reason != "" {
		return reason
	}
	return judge(ctx, read.claims, k, f, &a.settings.policy, now)
}

// decideCookies decides from what is known so far, or says what has to be found out first.
func (s *settings) decideCookies(ctx context.Context, e *evidence, now time.Time) outcome {
	switch {
	case !e.cameBack && e.document && !e.came.empty():
		return outcome{need: resolveAnswer}
	case e.answer.ok:
		return s.answerOutcome(ctx, e)
	case !e.weighed:
		return outcome{need: weighCookies}
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
		o.header.Set("Location", withoutAnswer(public, e.page))
		o.header.Set("Cache-Control", "no-store")
	}
	return o
}

// cookieOutcome is what the session cookies come to.
func (s *settings) cookieOutcome(e *evidence) outcome {
	o := outcome{carrier: CarrierCookie, reason: cookieReason(e), hit: e.chosen.read.verified}
	switch o.reason {
	case ReasonSessionTokenAndUATMissing:
		o.carrier = CarrierNone
	case ReasonTokenExpired:
		o.detail = e.refreshed.err
	case "":
		o.token, o.claims = e.chosen.raw, e.chosen.read.claims
	}
	return o
}

// cookieReason weighs the chosen session cookie against __client_uat, which tells when the browser last signed
// in or out: a session cookie alone, or one from before that, is not the browser's present state.
func cookieReason(e *evidence) Reason {
	switch {
	case e.chosen.raw == "" && e.signedInAt == 0:
		return ReasonSessionTokenAndUATMissing
	case e.chosen.raw == "":
		return ReasonUATWithoutSessionToken
	case e.signedInAt == 0:
		return ReasonSessionTokenWithoutUAT
	case e.cookies.ambiguous:
		return ReasonSessionTokenAmbiguous
	case e.chosen.read.reason != "":
		return e.chosen.read.reason
	case e.chosen.read.claims.iat.state == present && e.chosen.issued() < e.signedInAt:
		return ReasonTokenBeforeUAT
	}
	return e.chosen.reason
}

// lookElsewhere makes a browser round for somebody who is signed in, where the session may be another one by
// now. Where no round can be made, they stay signed in.
func (s *settings) lookElsewhere(ctx context.Context, e *evidence, o outcome) outcome {
	round := outcome{carrier: o.carrier}
	switch target, ok := s.organizations.target(e.page.path); {
	case s.crossOriginReferrer(ctx, e):
		round.reason = ReasonCrossOriginSync
	case ok && e.document && !o.claims.session.Pending && !target.active(o.claims.session.Organization):
		round.reason = ReasonOrganizationMismatch
	default:
		return o
	}
	if round = s.heal(ctx, e, round); round.status == Handshake {
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
