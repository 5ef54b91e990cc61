package decision

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/redact"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// A detail says in one line, for logs, why a request was refused. It is worked out after everything is decided, and
// changes nothing. No detail has a token, a key, a cookie or the ID of a person or session, and what the client sent
// is quoted and shortened.

// explain gives a refusal its detail.
func (d *Decider) explain(r *http.Request, e *Evidence, o *Outcome, now time.Time) {
	o.Browser = !e.HasBearer && (e.Document || browsersWrite(&e.Request))
	byAnswer := o.Source == FromHandshake && o.Reason == e.result.reason // the reason is that of the answer
	switch {
	case o.Detail != nil:
	case byAnswer:
		o.Detail = e.result.refused
	default:
		o.Detail = d.reasonDetail(r, e, o, now)
	}
	if o.Refresh != nil {
		o.Detail = refreshError{o.Detail, o.Refresh}
	}
	if o.Reason != reasons.HandshakeUnavailable { // which has this detail already
		o.Detail = Joined(unaskedDetail(e.result.unasked), o.Detail)
	}
	if e.Document && canRecover(o.Reason) && d.frontendAt("/") == "" {
		o.Detail = Joined(o.Detail, errNoFrontend)
	}
	o.Detail = Joined(o.Detail, stuck[o.Stuck])
	if e.result.refused != nil && !byAnswer {
		o.Detail = Joined(answerError{e.result.reason, e.result.refused}, o.Detail)
	}
}

// reasonDetail is the detail of what was decided last.
func (d *Decider) reasonDetail(r *http.Request, e *Evidence, o *Outcome, now time.Time) error {
	c := e.chosen()
	switch o.Reason {
	case reasons.SessionTokenAndUATMissing:
		return (*nothingError)(&d.Names)
	case reasons.SessionTokenWithoutUAT:
		if e.UAT[e.pair].Value == "" {
			return errNoUAT
		}
		return errSignedOut
	case reasons.UATWithoutSessionToken:
		return signedInError(now.Unix() - e.signedInAt)
	case reasons.TokenBeforeUAT:
		return beforeUATError(e.signedInAt - c.issued())
	case reasons.MultipleAuthorization:
		return countError{len(e.Lines.All(inbound.LineAuthorization)), " Authorization headers in the request; send one"}
	case reasons.SessionTokenAmbiguous:
		return countError{len(e.SessionCookies()), " session cookies in the request, and nothing shows which session is the right one"}
	case reasons.DevBrowserMissing:
		if len(e.SessionCookies()) == 0 {
			return errNothingSent
		}
	case reasons.DevBrowserSync:
		if e.unexpected {
			return errUnexpectedAnswer
		}
	case reasons.PrimaryRespondsToSync:
		return redact.SeenError{Before: "the satellite is ", Seen: redact.See(originOf(o.target))}
	case reasons.CrossOriginSync:
		return redact.SeenError{Before: "the page was opened from ", Seen: redact.See(originOf(e.Referrer()))}
	case reasons.OrganizationMismatch:
		return organizationError(c.read.Claims.Organization.ID != "")
	case reasons.CrossOriginRequest:
		return d.crossOriginDetail(&e.Request)
	case reasons.RequestHostNotAuthorized:
		return d.hostDetail(r, &e.Request)
	}
	if err := plain[o.Reason]; err != nil {
		return err
	}
	if c.read.Raw == "" {
		return nil
	}
	return d.tokenDetail(o.Reason, &c.read, now)
}

// plain are details that are always the same.
var plain = map[reasons.Reason]error{
	reasons.SessionTokenMissing: errors.New("the handshake result is: signed out"),
	reasons.SessionPending:      &fixedError{text: "sts is pending: the session still has a task to complete", field: "AllowPending"},
	reasons.DevBrowserMissing:   errors.New("the cookie __clerk_db_jwt is missing"),
	reasons.DevBrowserSync:      errors.New("the URL has __clerk_db_jwt, which belongs in a cookie"),
	reasons.SatelliteNeedsSync:  &fixedError{text: "this is a satellite, and the browser has not asked the primary domain yet", field: "Satellite"},
	reasons.SessionChanged:      errors.New("the party cookie is for another session"),
}

var (
	errNoUAT            = errors.New("there is a session cookie, but the cookie __client_uat is missing")
	errSignedOut        = errors.New("there is a session cookie, but __client_uat says signed out")
	errNothingSent      = &fixedError{text: "the session token and the cookie __clerk_db_jwt are missing", sentence: "No session token was sent."}
	errUnexpectedAnswer = errors.New("the URL has a handshake result, but this browser has started no handshake")
	errNoFrontend       = &fixedError{text: "no handshake is possible, because without PublishableKey the URL of the Frontend API is unknown; set it", field: "PublishableKey"}
	errNoSecret         = &fixedError{text: "the handshake result is a nonce, which cannot be exchanged without SecretKey; set it", field: "SecretKey"}
	errNonceForm        = errors.New("the nonce of the handshake result is malformed")
	errDirective        = errors.New("the handshake result has too many cookies, or one that cannot be set")
	errHandshakeClaims  = errors.New("the handshake token has expired, is not active yet, or has another issuer")
	errRefusedBefore    = errors.New("it was refused a moment ago, and is not checked again")
)

// stuck says why no further handshake is made.
var stuck = map[Stuck]error{
	InCircles:   &fixedError{text: "several handshakes for this page did not help: compare the instances of PublishableKey and SecretKey", field: "PublishableKey"},
	ClockOff:    errors.New("several handshakes for this page did not help: by this machine's clock their session tokens are not valid now"),
	KeepsNone:   errors.New("this browser was sent to a handshake, but returned none of the cookies that were set with it"),
	CookiesLost: errors.New("the cookie that counts handshakes does not come back, but other cookies do: a proxy may remove it"),
}

// fixedError is a detail that is always the same.
type fixedError struct {
	text, field string
	sentence    string // for people; empty: what the reason says
}

func (e *fixedError) Error() string { return e.text }
func (e *fixedError) Field() string { return e.field }

// Field is the field of the configuration that a detail speaks of; empty: none.
func Field(detail error) string {
	return first(detail, func(err error) string {
		if d, ok := err.(interface{ Field() string }); ok {
			return d.Field()
		}
		return ""
	})
}

// Sentence is what people are told because of a detail, in place of the reason's message; empty: the reason's message.
func Sentence(detail error) string {
	return first(detail, func(err error) string {
		if d, ok := err.(*fixedError); ok { //nolint:errorlint // first unwraps
			return d.sentence
		}
		return ""
	})
}

// first is the first text that says returns for a detail or for one that it wraps.
func first(detail error, says func(error) string) string {
	if text := says(detail); text != "" {
		return text
	}
	switch d := detail.(type) { //nolint:errorlint // this unwraps
	case interface{ Unwrap() error }:
		return first(d.Unwrap(), says)
	case interface{ Unwrap() []error }:
		for _, next := range d.Unwrap() {
			if text := first(next, says); text != "" {
				return text
			}
		}
	}
	return ""
}

// nothingError is that of a request without a session token.
type nothingError inbound.Names

func (n *nothingError) Error() string {
	text := "the request has neither Authorization: Bearer nor the cookie " + n.Session[inbound.Plain]
	if suffixed := n.Session[inbound.Suffixed]; suffixed != "" {
		text += " or " + suffixed
	}
	return text
}

type signedInError int64

func (n signedInError) Error() string {
	return "__client_uat says that the browser signed in " + sessiontoken.Seconds(int64(n)) + " ago, but there is no session cookie; browsers keep none larger than " + strconv.Itoa(maxCookie) + " bytes"
}

type beforeUATError int64

func (n beforeUATError) Error() string {
	return "iat is " + sessiontoken.Seconds(int64(n)) + " before __client_uat: the browser signed in again after the token was issued"
}

type countError struct {
	n    int
	what string
}

func (e countError) Error() string { return strconv.Itoa(e.n) + e.what }

type organizationError bool

func (active organizationError) Error() string {
	if active {
		return "the URL is of another organization than the active one"
	}
	return "the URL is of an organization, but none is active"
}

func (organizationError) Field() string { return "OrganizationSync" }

// cookieSizeError is the size of a session cookie that browsers do not keep.
type cookieSizeError int

func (n cookieSizeError) Error() string {
	return "the session cookie has " + strconv.Itoa(int(n)) + " bytes, and browsers keep none larger than " + strconv.Itoa(maxCookie)
}

// refreshError is the detail of an expired token, and why it was not refreshed.
type refreshError struct{ expired, refresh error }

func (e refreshError) Error() string {
	text := e.expired.Error() + "; not refreshed: " + e.refresh.Error()
	if cause := e.cause(); cause != nil {
		text += ": " + cause.Error()
	}
	return text
}

func (e refreshError) Unwrap() []error {
	if cause := e.cause(); cause != nil {
		return []error{e.expired, cause}
	}
	return []error{e.expired}
}

func (e refreshError) cause() error {
	if refused, ok := errors.AsType[refusedError](e.refresh); ok {
		return refused.cause
	}
	return backendapi.Cause(e.refresh)
}

// unaskedDetail says why nobody could say what a nonce stands for; nil for nil.
func unaskedDetail(err error) error {
	if cause := backendapi.Cause(err); cause != nil {
		return cause
	}
	return err
}

// refusedError is the code of a refresh whose answer was refused, and the detail of that, or nil.
type refusedError struct {
	error

	cause error
}

func (e refusedError) Unwrap() error { return e.error }

// answerError says that the answer of a handshake was refused.
type answerError struct {
	reason reasons.Reason
	err    error
}

func (e answerError) Error() string {
	text := "the handshake result was refused: "
	if e.reason != "" {
		text += string(e.reason) + ": "
	}
	return text + e.err.Error()
}

func (e answerError) Unwrap() error { return e.err }

// joinedError is several details in one line.
type joinedError [2]error

// Joined is two details in one line, of which either may be nil.
func Joined(first, then error) error {
	switch {
	case first == nil:
		return then
	case then == nil:
		return first
	}
	return &joinedError{first, then}
}

func (e *joinedError) Error() string   { return e[0].Error() + "; " + e[1].Error() }
func (e *joinedError) Unwrap() []error { return e[:] }
