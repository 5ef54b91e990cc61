package clerkauth

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"time"
)

// RequestState is a decision. The zero RequestState is signed out.
type RequestState struct {
	Status  Status
	Session *Session    // nil unless Status is SignedIn
	Pending *Session    // a verified session that still has a task to do (sts "pending"); never signed in
	Err     error       // nil if and only if Status is SignedIn, else an *Error
	Header  http.Header // what the response must carry; nil: nothing
	token   string
}

// Token is the token that signed the request in. RequestState prints and logs without it.
func (s *RequestState) Token() string { return s.token }

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
)

// String is Clerk's word: "signed-in", "signed-out".
func (s Status) String() string {
	if s == SignedIn {
		return "signed-in"
	}
	return "signed-out"
}

// AuthenticateRequest decides and writes nothing. Callers must send what state.Header holds.
func (a *Authenticator) AuthenticateRequest(r *http.Request) *RequestState {
	return &a.authenticate(r).RequestState
}

// decision is a RequestState and for whom it was made.
type decision struct {
	RequestState
	session Session
	by      *Authenticator // nil: NewContext, so nobody's to believe
	request identity
}

// identity tells requests apart. Copies that middleware makes of a request share its header; a request that
// only shares the context, with other credentials, does not.
type identity struct {
	header       uintptr
	method, host string
}

func identify(r *http.Request) identity {
	return identity{reflect.ValueOf(r.Header).Pointer(), r.Method, r.Host}
}

// outcome is a decision before it is dressed up as a RequestState.
type outcome struct {
	reason  Reason // empty: signed in
	carrier Carrier
	token   string
	claims  *claims // nil unless verified and judged
}

func (a *Authenticator) authenticate(r *http.Request) *decision {
	begin := a.settings.now()
	o := a.decide(r, begin)
	d := &decision{by: a, request: identify(r)}
	if o.claims != nil {
		d.session = o.claims.copySession()
	}
	switch {
	case o.reason == "":
		d.Status, d.Session, d.token = SignedIn, &d.session, o.token
	case o.reason == ReasonSessionPending:
		d.Pending = &d.session
		fallthrough
	default:
		d.Err = refused(o.reason)
	}
	if a.settings.observe != nil {
		a.settings.observe(r.Context(), Event{Status: d.Status, Reason: o.reason, Carrier: o.carrier, Elapsed: a.settings.now().Sub(begin)})
	}
	return d
}

// decide is the way of a request: its facts, its tokens, and what they come to.
func (a *Authenticator) decide(r *http.Request, now time.Time) outcome {
	f, reason := readFacts(r, a.settings)
	if reason != "" {
		return outcome{reason: reason}
	}
	if f.hasBearer {
		return a.settings.pending(a.decideBearer(r.Context(), f.bearer, f.host, now))
	}
	o := a.decideCookies(r.Context(), &f, now)
	if o.reason == "" && crossOrigin(r, &f, a.settings) {
		return outcome{reason: ReasonCrossOriginRequest, carrier: o.carrier}
	}
	return a.settings.pending(o)
}

func (a *Authenticator) decideBearer(ctx context.Context, raw, host string, now time.Time) outcome {
	read := parse(raw)
	if reason := a.judgeParsed(ctx, read, CarrierBearer, host, now); reason != "" {
		return outcome{reason: reason, carrier: CarrierBearer}
	}
	return outcome{carrier: CarrierBearer, token: raw, claims: read.claims}
}

// judgeParsed verifies the signature of a token and then judges its claims.
func (a *Authenticator) judgeParsed(ctx context.Context, read parsed, k Carrier, host string, now time.Time) Reason {
	if read.reason != "" {
		return read.reason
	}
	if reason := a.verifier.checkSignature(ctx, read.header, read.compact); reason != "" {
		return reason
	}
	return judge(ctx, read.claims, k, host, &a.settings.policy, now)
}

func (a *Authenticator) decideCookies(ctx context.Context, f *facts, now time.Time) outcome {
	e := a.weigh(ctx, f, now)
	pair := e.choose(f, a.settings, now)
	chosen, uat := e.verdicts[pair], signedInAt(f.uat[pair])
	o := outcome{carrier: CarrierCookie, reason: cookieReason(&e, chosen, uat)}
	if o.reason == ReasonSessionTokenAndUATMissing {
		o.carrier = CarrierNone
	}
	if o.reason == "" {
		o.token, o.claims = chosen.raw, chosen.read.claims
	}
	return o
}

// cookieReason weighs the chosen session cookie against __client_uat, which tells when the browser last signed
// in or out: a session cookie alone, or one from before that, is not the browser's present state.
func cookieReason(e *cookieEvidence, chosen verdict, uat int64) Reason {
	switch {
	case chosen.raw == "" && uat == 0:
		return ReasonSessionTokenAndUATMissing
	case chosen.raw == "":
		return ReasonUATWithoutSessionToken
	case uat == 0:
		return ReasonSessionTokenWithoutUAT
	case e.ambiguous:
		return ReasonSessionTokenAmbiguous
	case chosen.read.reason != "":
		return chosen.read.reason
	case chosen.read.claims.iat.state == present && chosen.issued() < uat:
		return ReasonTokenBeforeUAT
	}
	return chosen.reason
}

// pending keeps a session that still has a task to do from counting as signed in.
func (s *settings) pending(o outcome) outcome {
	if o.reason == "" && o.claims.session.Pending && !s.allowPending {
		o.reason = ReasonSessionPending
	}
	return o
}
