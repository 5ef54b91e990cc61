package clerkauth

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// RequestState is a decision. The zero RequestState is signed out.
type RequestState struct {
	Status  Status
	Session *Session    // nil unless Status is SignedIn
	Pending *Session    // a verified session that still has a task to do (sts "pending"); never signed in
	Err     error       // nil if and only if Status is SignedIn, else an *Error
	Header  http.Header // what the response must carry, see Respond; with a Location it is the whole response, status 307; nil: nothing
	token   *string     // a pointer, which even %#v does not follow; nil unless Status is SignedIn
}

// Token is the token that signed the request in. RequestState prints and logs without it.
func (s *RequestState) Token() string {
	if s.token == nil {
		return ""
	}
	return *s.token
}

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

// AuthenticateRequest decides and writes nothing: callers must answer with RequestState.Respond. It decides as Optional does,
// so that nothing is refreshed on images, scripts and the like.
func (a *Authenticator) AuthenticateRequest(r *http.Request) *RequestState {
	return &a.authenticate(r, false).RequestState
}

// decision is a RequestState and for whom it was made.
type decision struct {
	RequestState
	self    *decision // see decision.in
	session Session
	raw     string
	by      *Authenticator // nil: NewContext, so nobody's to believe
	left    bool           // an expired token was not refreshed, because nothing here requires a session
	request identity
}

// newDecision returns a decision about r, which read the lines of e from first on. bearer: a bearer token signed in.
func newDecision(r *http.Request, e *evidence, first int, bearer bool) *decision {
	if bearer {
		d := &decision{}
		d.request.set(r, &e.lines, first, readForBearer)
		return d
	}
	d := &struct { // one piece of memory
		decision

		others [lineCount - readForBearer]string
	}{}
	d.request.others = &d.others
	if !e.whole {
		e.lines.read(r.Header, readForPage, lineCount)
	}
	d.request.set(r, &e.lines, first, lineCount)
	return &d.decision
}

// authenticate decides about r. required: whoever is signed out will be refused.
func (a *Authenticator) authenticate(r *http.Request, required bool) *decision {
	begin := a.settings.now()
	e := evidence{required: required}
	o := a.decide(r, &e, begin)
	d := newDecision(r, &e, a.settings.firstLine(), o.reason == "" && o.carrier == CarrierBearer)
	d.by, d.left = a, errors.Is(o.detail, errRefreshNotRequired)
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

// decideBearer decides by a bearer token alone.
func (a *Authenticator) decideBearer(ctx context.Context, e *evidence, now time.Time) outcome {
	read := a.verifier.read(e.bearer, now)
	o := outcome{carrier: CarrierBearer, hit: read.verified}
	if o.reason = a.judgeParsed(ctx, &read, CarrierBearer, &e.facts, now); o.reason != "" {
		if o.reason == ReasonTokenExpired {
			o.detail = bearerObstacle(e.method)
		}
		return a.startHandshake(ctx, e, o, now)
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
