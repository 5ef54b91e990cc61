package clerkauth

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/clerkauth/clerkauth/internal/decision"
	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// RequestState is a decision. The zero RequestState is signed out.
type RequestState struct {
	Status  Status
	Session *Session    // nil unless Status is StatusSignedIn
	Pending *Session    // a verified session that still has a task to do (sts "pending"); never signed in
	Err     error       // nil if and only if Status is StatusSignedIn, else an *Error
	Header  http.Header // what the response must carry, see Respond; with a Location it is the whole response, status 307; nil: nothing
	token   *string     // a pointer, which even %#v does not follow; nil unless Status is StatusSignedIn
}

// Token is the token that signed the request in. RequestState prints and logs without it.
func (s *RequestState) Token() string {
	if s.token == nil {
		return ""
	}
	return *s.token
}

// Status is the outcome. The zero Status is StatusSignedOut.
type Status int

// The outcomes.
const (
	StatusSignedOut Status = iota
	StatusSignedIn
	StatusHandshake // signed out, but a handshake may change that: send Header with 307
)

// String is Clerk's word: "signed-in", "signed-out", "handshake".
func (s Status) String() string {
	switch s {
	case StatusSignedIn:
		return "signed-in"
	case StatusHandshake:
		return "handshake"
	default:
		return "signed-out"
	}
}

// AuthenticateRequest decides and writes nothing: callers must answer with RequestState.Respond. It decides as Optional does,
// so that nothing is refreshed on images, scripts and the like.
func (a *Authenticator) AuthenticateRequest(r *http.Request) *RequestState {
	return a.authenticate(r, false).requestState()
}

// boundState is a decision, what it was made for, and the request that hands it on, in one allocation.
type boundState struct {
	shown   RequestState // see boundState.requestState
	raw     string
	claims  *sessiontoken.Claims // of shown.Session or shown.Pending; nil: there is none
	once    sync.Once            // makes the session
	left    bool                 // an expired token was not refreshed, because nothing here requires a session
	browser bool                 // see decision.Outcome.Browser
	by      *Authenticator       // nil: made by NewContext, which no Authenticator accepts
	request inbound.Identity
	context requestContext
	self    *boundState  // see boundState.in
	handed  http.Request // see boundState.handOn
}

// requestState is what callers see of a decision. The session is made when it is first needed, in memory of its own: keeping
// it keeps nothing of the request.
func (d *boundState) requestState() *RequestState {
	d.once.Do(func() {
		if d.claims == nil {
			return
		}
		session := newSession(d.claims)
		if d.shown.Err == nil {
			d.shown.Session = &session
		} else {
			d.shown.Pending = &session
		}
	})
	return &d.shown
}

// authenticate decides about r. required: whoever is signed out will be refused.
func (a *Authenticator) authenticate(r *http.Request, required bool) *boundState {
	begin := a.settings.now()
	var e decision.Evidence
	var o decision.Outcome
	a.decider.Decide(r, &e, &o, required, begin)
	d := &boundState{by: a}
	d.request.Set(r, &e.Lines)
	d.shown.Header, d.left, d.browser = o.Header, o.Left(), o.Browser
	switch {
	case o.Reason == "":
		d.raw, d.claims = o.Token, o.Claims
		d.shown.Status, d.shown.token = StatusSignedIn, &d.raw
	case o.Handshake():
		d.shown.Status = StatusHandshake
	case o.Reason == reasons.SessionPending:
		d.claims = o.Claims
	}
	if o.Reason != "" {
		d.shown.Err = newError(&o)
	}
	a.observed(r.Context(), &o, begin)
	return d
}

// observed tells Config.Observe of a decision. began is when the decision began.
func (a *Authenticator) observed(ctx context.Context, o *decision.Outcome, began time.Time) {
	if a.settings.observe == nil {
		return
	}
	e := Event{Reason: Reason(o.Reason), TokenSource: TokenSource(o.Source), CacheHit: o.CacheHit, Elapsed: a.settings.now().Sub(began)}
	if o.Source != decision.FromNowhere && o.Reason != reasons.TokenTypeMismatch {
		e.Type = SessionToken
	}
	if o.Reason == "" {
		e.Status = StatusSignedIn
	} else {
		e.Err = newError(o)
	}
	if o.Handshake() {
		e.Status = StatusHandshake
	}
	a.settings.observe(ctx, e)
}
