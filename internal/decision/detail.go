package decision

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/redact"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// A detail says in one line, for logs, what there is to know about a refusal. It is found when everything is decided,
// and changes nothing. No detail has a token, a key, a cookie or the id of a person or session, and what the client sent
// is quoted and cut.

// explain gives a refusal its detail.
func (d *Decider) explain(r *http.Request, e *Evidence, o *Outcome, now time.Time) {
	if o.Detail == nil {
		o.Detail = d.reasonDetail(r, e, o, now)
	}
	if o.Refresh != nil {
		o.Detail = joined(o.Detail, refreshError{o.Refresh})
	}
	if e.result.unasked != nil && o.Reason != reasons.HandshakeUnavailable {
		o.Detail = joined(backendapi.Cause(e.result.unasked), o.Detail)
	}
	if e.Document && canRecover(o.Reason) && d.frontendAt("/") == "" {
		o.Detail = joined(o.Detail, errNoFrontend)
	}
	if e.result.refused != nil && e.result.refused != o.Detail {
		o.Detail = joined(answerError{e.result.reason, e.result.refused}, o.Detail)
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
		return countError{len(e.Lines[inbound.LineAuthorization]), " Authorization headers came"}
	case reasons.SessionTokenAmbiguous:
		return countError{len(e.SessionCookies()), " session cookies came, and which session counts cannot be told"}
	case reasons.DevBrowserMissing:
		if len(e.SessionCookies()) == 0 {
			return (*nothingError)(&d.Names)
		}
	case reasons.DevBrowserSync:
		if e.unexpected {
			return errUnexpectedAnswer
		}
	case reasons.PrimaryRespondsToSync:
		return redact.SeenError{Before: "the satellite is ", Seen: redact.See(originOf(o.target))}
	case reasons.CrossOriginSync:
		return redact.SeenError{Before: "the page was opened from ", Seen: redact.See(originOf(e.Page.Referrer))}
	case reasons.OrganizationMismatch:
		return organizationError(c.read.Claims.Organization.ID != "")
	case reasons.CrossOriginRequest:
		return d.crossOriginDetail(&e.Request)
	case reasons.RequestHostNotAuthorized:
		return d.hostDetail(r, &e.Request)
	}
	if o.Source == FromHandshake && o.Reason == e.result.reason {
		return e.result.refused
	}
	if err := plain[o.Reason]; err != nil {
		return err
	}
	if c.read.Raw == "" {
		return nil
	}
	return d.tokenDetail(o.Reason, &c.read, FromCookie, now)
}

// plain are details that are always the same.
var plain = map[reasons.Reason]error{
	reasons.SessionTokenMissing: errors.New("the answer of the handshake was: signed out"),
	reasons.SessionPending:      errors.New("sts is pending: the session has a task to complete"),
	reasons.DevBrowserMissing:   errors.New("the cookie __clerk_db_jwt did not come"),
	reasons.DevBrowserSync:      errors.New("the address has __clerk_db_jwt, which belongs into a cookie"),
	reasons.SatelliteNeedsSync:  errors.New("this is a satellite, and the browser has not asked the primary domain yet"),
	reasons.SessionChanged:      errors.New("the party cookie is of another session"),
}

var (
	errNoUAT            = errors.New("__client_uat did not come with the session cookie")
	errSignedOut        = errors.New("__client_uat says signed out, and a session cookie came")
	errUnexpectedAnswer = errors.New("the address has the answer of a handshake that this browser was not sent to make")
	errNoFrontend       = errors.New("no handshake can be made, because without PublishableKey the Frontend API's address is not known")
	errNoSecret         = errors.New("a nonce came, and without SecretKey it cannot be exchanged")
	errNonceForm        = errors.New("it is no nonce")
	errDirective        = errors.New("it has too many cookies, or one that cannot be set")
	errHandshakeClaims  = errors.New("the handshake token has expired, is not active yet, or is of another issuer")
	errRefusedBefore    = errors.New("it did not hold a moment ago, and is not looked at again")
)

// tokenDetail says what is wrong with a token that was refused for reason.
func (d *Decider) tokenDetail(reason reasons.Reason, t *sessiontoken.Token, from TokenSource, now time.Time) error {
	if detail := t.Detail(reason); detail != nil {
		return detail
	}
	p, c := &d.Policy, t.Claims
	switch {
	case reason == reasons.TokenVerificationFailed:
		return p.badClaim(c)
	case reason == reasons.TokenInvalidParties && c.Azp.State == sessiontoken.Present:
		return partyError{redact.See(c.Azp.Value), p.List.Len(), p.Allow != nil}
	case reason == reasons.TokenInvalidParties && c.Azp.State == sessiontoken.Absent && from == FromBearer:
		return ErrBearerWithoutParty
	case reason == reasons.TokenInvalidParties:
		return errAzp
	case reason == reasons.TokenMissingAzp:
		return missingAzpError(p.Party != nil)
	case reason == reasons.TokenIssuer:
		return issuerError{redact.See(c.Iss), p.Issuers}
	case reason == reasons.TokenExpired:
		return clockError{"it expired ", now.Unix() - c.Exp.Unix, " ago", p.Skew}
	case reason == reasons.TokenNotActiveYet:
		return clockError{"nbf is ", c.Nbf.Unix - now.Unix(), " ahead", p.Skew}
	case reason == reasons.TokenFromTheFuture:
		return clockError{"iat is ", c.Iat.Unix - now.Unix(), " ahead", p.Skew}
	}
	return plain[reason]
}

// ErrBearerWithoutParty is the detail of a bearer token that does not say for whom it was issued.
var ErrBearerWithoutParty error = bearerError{}

var errAzp = errors.New("azp is no text")

type bearerError struct{}

func (bearerError) Error() string {
	return "azp is absent, as in the tokens of native apps; InsecureAllowBearerWithoutParty would accept it"
}

func (bearerError) Field() string { return "InsecureAllowBearerWithoutParty" }

// badClaim is the first claim that judge refuses.
func (p *Policy) badClaim(c *sessiontoken.Claims) error {
	switch {
	case c.Sub == "":
		return claimError("sub")
	case c.SID == "":
		return claimError("sid")
	case c.Unreadable:
		return claimError("o, or fea,")
	case !p.forMe(c):
		return audienceError(len(p.Audience))
	case c.Exp.State != sessiontoken.Present:
		return claimError("exp")
	case c.Nbf.State == sessiontoken.Malformed:
		return claimError("nbf")
	}
	return claimError("iat")
}

type claimError string

func (claim claimError) Error() string {
	return "the claim " + string(claim) + " is missing or has another form than Clerk's"
}

type audienceError int

func (n audienceError) Error() string {
	return "the claim aud is missing, or has none of the " + strconv.Itoa(int(n)) + " in Audience"
}

func (audienceError) Field() string { return "Audience" }

type partyError struct {
	azp     redact.Seen
	entries int
	asked   bool
}

func (e partyError) Error() string {
	text := "azp is " + e.azp.String() + ", which matches none of the " + strconv.Itoa(e.entries) + " entries of AuthorizedParties"
	if e.asked {
		text += ", and AllowParty does not take it"
	}
	return text
}

type missingAzpError bool

func (keyed missingAzpError) Error() string {
	if keyed {
		return "azp is absent, and no party cookie shows that this browser had the session here before"
	}
	return "azp is absent, and without StateKey or SecretKey no cookie can show that this browser had the session here before"
}

func (keyed missingAzpError) Field() string {
	if keyed {
		return ""
	}
	return "StateKey"
}

type issuerError struct {
	seen     redact.Seen
	expected []string
}

func (e issuerError) Error() string {
	quoted := make([]string, len(e.expected))
	for i, issuer := range e.expected {
		quoted[i] = strconv.Quote(issuer)
	}
	return "iss is " + e.seen.String() + ", and expected is " + strings.Join(quoted, " or ")
}

type clockError struct {
	before  string
	seconds int64
	after   string
	skew    time.Duration
}

func (e clockError) Error() string {
	return e.before + seconds(e.seconds) + e.after + " by this machine's clock, and ClockSkew is " + e.skew.String()
}

// seconds writes a duration, however long.
func seconds(n int64) string {
	const most = int64(1<<63-1) / int64(time.Second)
	return (time.Duration(max(-most, min(n, most))) * time.Second).String()
}

// nothingError is that of a request without a session token.
type nothingError inbound.Names

func (n *nothingError) Error() string {
	text := "neither Authorization: Bearer nor the cookie " + n.Session[inbound.Plain]
	if suffixed := n.Session[inbound.Suffixed]; suffixed != "" {
		text += " or " + suffixed
	}
	return text + " came"
}

type signedInError int64

func (n signedInError) Error() string {
	return "__client_uat says that the browser signed in " + seconds(int64(n)) + " ago, and no session cookie came; browsers keep none larger than " + strconv.Itoa(maxCookie) + " bytes"
}

type beforeUATError int64

func (n beforeUATError) Error() string {
	return "iat is " + seconds(int64(n)) + " before __client_uat: the browser signed in again since"
}

type countError struct {
	n    int
	what string
}

func (e countError) Error() string { return strconv.Itoa(e.n) + e.what }

type organizationError bool

func (active organizationError) Error() string {
	if active {
		return "the address asks for another organization than the active one"
	}
	return "the address asks for an organization, and none is active"
}

// refreshError says that an expired token was not refreshed.
type refreshError struct{ err error }

func (e refreshError) Error() string {
	text := "not refreshed: " + e.err.Error()
	if cause := e.Unwrap(); cause != e.err {
		text += ": " + cause.Error()
	}
	return text
}

func (e refreshError) Unwrap() error { return backendapi.Cause(e.err) }

// answerError says that the answer of a handshake was refused.
type answerError struct {
	reason reasons.Reason
	err    error
}

func (e answerError) Error() string {
	text := "the answer of the handshake does not hold: "
	if e.reason != "" {
		text += string(e.reason) + ": "
	}
	return text + e.err.Error()
}

func (e answerError) Unwrap() error { return e.err }

// joinedError is several details in one line.
type joinedError [2]error

func joined(first, then error) error {
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
