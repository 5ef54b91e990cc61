package clerkauth

import (
	"net/http"

	"github.com/clerkauth/clerkauth/internal/decision"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// Error is a refusal of one request. The caller may keep and change it.
type Error struct {
	Reason Reason // never empty
	Check  Check  // the check that failed, for ReasonCheckFailed
	Scope  string // the scopes that are needed, with spaces between them, for ReasonInsufficientScope

	detail  error
	refresh error          // why an expired token was not refreshed
	stuck   decision.Stuck // why a handshake that is needed is not started any more
}

// Error returns "clerkauth: " and the reason. It never contains a token, key or claim.
func (e *Error) Error() string { return "clerkauth: " + string(e.Reason) }

// Unwrap returns the detail, for logs, in one line unless an error of Config.HTTPClient has several: for example the azp of
// the token, how long ago it expired, or which field of Config to check. It contains no token, key, cookie, or ID of a
// person or session; what was not verified is quoted and cut at 64 bytes. The text may change. It returns nil when nothing
// more is known.
func (e *Error) Unwrap() error { return e.detail }

// Is reports whether target is the reason, so that errors.Is(err, ReasonTokenExpired) works on every error that wraps e.
func (e *Error) Is(target error) bool {
	reason, ok := target.(Reason)
	return ok && reason != "" && reason == e.Reason
}

// clerkReason is the reason as Clerk's header spells it: for an expired token, with the outcome of its refresh.
func (e *Error) clerkReason() string {
	return decision.ClerkReason(reasons.Reason(e.Reason), e.refresh)
}

// StatusCode returns 400, 401, 403 or 503. With 503 nothing was decided, and a retry may help.
func (e *Error) StatusCode() int {
	if decision.CannotTell(reasons.Reason(e.Reason), e.refresh) {
		return http.StatusServiceUnavailable
	}
	if entry, ok := table[e.Reason]; ok {
		return entry.status
	}
	return http.StatusUnauthorized
}

// Reason says why a request was refused, in Clerk's words where Clerk has them. It implements error only for errors.Is: the
// errors that this package returns are of type *Error. The text of a reason does not change. A minor version may add a
// reason or split one in two: treat a reason that your program does not know as a refusal like the others. The zero Reason
// means that there is none, and errors.Is never finds it.
//
// The header X-Clerk-Auth-Reason contains the reason, and so does __clerk_hs_reason in the URL of a handshake. There, as in
// Clerk's SDKs, ReasonTokenExpired is followed by why the token was not refreshed: "session-token-expired-refresh-", and
// then
//   - non-eligible-non-get, non-eligible-no-refresh-cookie, non-eligible-no-secret-key, non-eligible-no-azp,
//     non-eligible-several-sessions, expired-session-token-missing-sid-claim: a refresh was not possible;
//   - non-eligible-subresource, non-eligible-not-required: parts of pages are not refreshed, see Optional;
//   - fetch-error, unexpected-sdk-error, unexpected-bapi-error, too-many-questions: the Backend API gave no usable answer;
//   - invalid-session-token: the new token was refused;
//   - or the code of the Backend API's error, such as session_not_found: small letters, digits, _ and -, 64 at most.
type Reason string //nolint:errname // the reason of an Error

// Error returns the reason.
func (r Reason) Error() string { return string(r) }

// The request has no credential, or not all that belongs to one.
const (
	ReasonSessionTokenAndUATMissing Reason = "session-token-and-uat-missing"       // there is no token in the request
	ReasonSessionTokenWithoutUAT    Reason = "session-token-but-no-client-uat"     // there is a session cookie, but no __client_uat
	ReasonUATWithoutSessionToken    Reason = "client-uat-but-no-session-token"     // __client_uat says signed in, but there is no session cookie
	ReasonMultipleAuthorization     Reason = "multiple-authorization-headers"      // 400: it is unclear which one counts
	ReasonSessionTokenAmbiguous     Reason = "session-token-ambiguous"             // there are valid cookies of several sessions
	ReasonSessionTokenMissing       Reason = "session-token-missing"               // Clerk answered the handshake: signed out
	ReasonTokenBeforeUAT            Reason = "session-token-iat-before-client-uat" // the browser signed in again after the token was issued
)

// The token is not a session token of this instance.
const (
	ReasonTokenInvalid            Reason = "token-invalid"                    // not a JWS in a form that Clerk issues
	ReasonTokenTypeMismatch       Reason = "token-type-mismatch"              // a machine, template or OAuth token
	ReasonKeyUnknown              Reason = "jwk-kid-mismatch"                 // its key is not one of the instance's
	ReasonKeysUnavailable         Reason = "jwk-remote-failed-to-load"        // 503: the instance's keys could not be loaded
	ReasonTokenAlgorithm          Reason = "token-invalid-algorithm"          // not RS256
	ReasonTokenSignature          Reason = "token-invalid-signature"          // the signature does not verify
	ReasonTokenVerificationFailed Reason = "token-verification-failed"        // a claim is missing, malformed or does not match
	ReasonTokenInvalidParties     Reason = "token-invalid-authorized-parties" // azp is not in the allowlist
	ReasonTokenMissingAZP         Reason = "session-token-missing-azp"        // a cookie token without azp, which says for whom it was issued
	ReasonTokenIssuer             Reason = "token-invalid-issuer"             // issued by another instance
)

// The token is the instance's, but is not accepted now or here.
const (
	ReasonTokenExpired       Reason = "session-token-expired"
	ReasonTokenNotActiveYet  Reason = "session-token-nbf"
	ReasonTokenFromTheFuture Reason = "session-token-iat-in-the-future"
	ReasonSessionPending     Reason = "session-pending"      // the session still has a task to do
	ReasonCrossOriginRequest Reason = "cross-origin-request" // 403: a write from an origin that is not allowed
	ReasonCheckFailed        Reason = "session-check-failed" // 403: signed in, but a check does not pass
)

// A handshake with Clerk is needed, or is not possible.
const (
	ReasonDevBrowserMissing        Reason = "dev-browser-missing"              // a development instance does not know this browser yet
	ReasonDevBrowserSync           Reason = "dev-browser-sync"                 // the URL carries the browser's token of a development instance
	ReasonSatelliteNeedsSync       Reason = "satellite-needs-syncing"          // a satellite has to find out from the primary domain who is signed in
	ReasonPrimaryRespondsToSync    Reason = "primary-responds-to-syncing"      // the primary domain tells a satellite who is signed in
	ReasonCrossOriginSync          Reason = "primary-domain-cross-origin-sync" // the browser comes from another site, perhaps a satellite
	ReasonOrganizationMismatch     Reason = "active-organization-mismatch"     // the URL is of another organization than the session's
	ReasonSessionChanged           Reason = "session-changed"                  // the session is not the one that this browser had here, and has to be confirmed
	ReasonHandshakeUnavailable     Reason = "handshake-unavailable"            // 503: the result of a handshake could not be fetched
	ReasonRequestHostNotAuthorized Reason = "request-host-not-authorized"      // 403: a handshake is needed, but the request's host is not in the allowlist
)

// The credential of a machine: see Accept.
const (
	ReasonCredentialMissing      Reason = "credential-missing"      // there is none in Authorization
	ReasonCredentialUnverifiable Reason = "credential-unverifiable" // 503: the Backend API did not say whether it is valid
	ReasonSecretKeyInvalid       Reason = "secret-key-invalid"      // 503: the Backend API refuses the secret key
	ReasonInsufficientScope      Reason = "insufficient-scope"      // 403: it is valid, but lacks a scope that is needed
)

// ofConfig reports whether a person who is signed in at Clerk, or at another instance, is refused here because of the
// configuration. To sign in again would not help, and a sign-in page would send them straight back.
func (e *Error) ofConfig() bool {
	switch e.Reason {
	case ReasonTokenInvalidParties, ReasonTokenIssuer, ReasonTokenVerificationFailed, ReasonTokenMissingAZP, ReasonKeyUnknown:
		return true
	}
	return false
}

// refusal is the response to one reason.
type refusal struct {
	status  int
	nothing bool   // no credential was sent: RFC 6750 section 3.1 then wants no error code
	message string // a fixed sentence for people
}

// table is the one place that gives each reason its status and its sentence.
var table = map[Reason]*refusal{
	ReasonSessionTokenAndUATMissing: {http.StatusUnauthorized, true, "You are not signed in."},
	ReasonSessionTokenWithoutUAT:    {http.StatusUnauthorized, false, "You are not signed in."},
	ReasonUATWithoutSessionToken:    {http.StatusUnauthorized, true, "This browser was signed in, but it sent no session token."},
	ReasonMultipleAuthorization:     {http.StatusBadRequest, false, "More than one Authorization header was sent."},
	ReasonSessionTokenMissing:       {http.StatusUnauthorized, true, "You are not signed in."},
	ReasonDevBrowserMissing:         {http.StatusUnauthorized, true, "This browser is not known to the development instance yet."},
	ReasonDevBrowserSync:            {http.StatusUnauthorized, true, "This browser is not known to the development instance yet."},
	ReasonSatelliteNeedsSync:        {http.StatusUnauthorized, true, "This domain has not yet asked the primary domain who is signed in."},
	ReasonPrimaryRespondsToSync:     {http.StatusUnauthorized, true, "A satellite domain is waiting for an answer."},
	ReasonCrossOriginSync:           {http.StatusUnauthorized, false, "The session may have changed on another domain."},
	ReasonOrganizationMismatch:      {http.StatusUnauthorized, false, "This URL needs another organization to be active."},
	ReasonRequestHostNotAuthorized:  {http.StatusForbidden, false, "This host is not one of the application's own."},
	ReasonSessionChanged:            {http.StatusUnauthorized, false, "The session has changed and must be confirmed."},
	ReasonHandshakeUnavailable:      {http.StatusServiceUnavailable, false, "The sign-in cannot be checked right now."},
	ReasonTokenBeforeUAT:            {http.StatusUnauthorized, false, "The session token is older than the last sign-in."},
	ReasonSessionTokenAmbiguous:     {http.StatusUnauthorized, false, "The browser sent cookies of more than one session."},
	ReasonTokenInvalid:              {http.StatusUnauthorized, false, "The token is malformed or not valid."},
	ReasonTokenTypeMismatch:         {http.StatusUnauthorized, false, "This kind of token is not accepted here."},
	ReasonKeyUnknown:                {http.StatusUnauthorized, false, "The session token is signed with a key that this Clerk instance does not have."},
	ReasonKeysUnavailable:           {http.StatusServiceUnavailable, false, "The session cannot be checked right now."},
	ReasonTokenAlgorithm:            {http.StatusUnauthorized, false, "The session token uses an algorithm that is not allowed."},
	ReasonTokenSignature:            {http.StatusUnauthorized, false, "The signature of the session token is not valid."},
	ReasonTokenVerificationFailed:   {http.StatusUnauthorized, false, "A claim of the token is missing or not valid."},
	ReasonTokenInvalidParties:       {http.StatusUnauthorized, false, "The session token was issued for another origin."},
	ReasonTokenMissingAZP:           {http.StatusUnauthorized, false, "The session token does not say for which origin it was issued."},
	ReasonTokenIssuer:               {http.StatusUnauthorized, false, "The session token was issued by another Clerk instance."},
	ReasonTokenExpired:              {http.StatusUnauthorized, false, "The session token has expired."},
	ReasonTokenNotActiveYet:         {http.StatusUnauthorized, false, "The session token is not active yet, according to the clock of this server."},
	ReasonTokenFromTheFuture:        {http.StatusUnauthorized, false, "The session token was issued in the future, according to the clock of this server."},
	ReasonSessionPending:            {http.StatusUnauthorized, false, "The session still has a task to complete."},
	ReasonCheckFailed:               {http.StatusForbidden, false, "This session is not allowed to do this."},
	ReasonCrossOriginRequest:        {http.StatusForbidden, false, "This origin is not allowed to do this."},
	ReasonCredentialMissing:         {http.StatusUnauthorized, true, "No machine credential was sent."},
	ReasonCredentialUnverifiable:    {http.StatusServiceUnavailable, false, "The credential cannot be checked right now."},
	ReasonSecretKeyInvalid:          {http.StatusServiceUnavailable, false, "Credentials cannot be checked right now."},
	ReasonInsufficientScope:         {http.StatusForbidden, false, "The credential does not have a scope that is needed."},
}

// refused returns a new Error with this reason.
func refused(reason Reason) *Error { return &Error{Reason: reason} }

// rejected is the Error of what cannot be a token, in one allocation. size is in bytes.
func rejected(f sessiontoken.Fault, size int) *Error {
	e := &struct {
		Error

		size sessiontoken.SizeError
	}{Error{Reason: Reason(f.Reason())}, sessiontoken.SizeError(size)}
	e.detail = f.Detail(&e.size)
	return &e.Error
}

// newError is the Error of an outcome that is not signed in.
func newError(o *decision.Outcome) *Error {
	return &Error{Reason: Reason(o.Reason), detail: o.Detail, refresh: o.Refresh, stuck: o.Stuck}
}

// stuckMessage has the sentence for people for whom no further handshake would help.
var stuckMessage = map[decision.Stuck]string{
	decision.InCircles:      "Signing in ended in a loop of redirects. Are the publishable key and the secret key of the same Clerk instance, is its domain this one, and does the browser accept cookies?",
	decision.KeepsNone:      "This browser keeps no cookies for this page, and signing in needs them. Is the page inside a frame of another site, or are cookies blocked?",
	decision.ClockOff:       "According to the clock of this server, the session token has expired or is not active yet, and a new one did not help. Is that clock right?",
	decision.CookieTooLarge: "The session token is too large: browsers keep no cookie larger than 4096 bytes. Remove custom claims from it in Clerk's Dashboard, under Sessions, Customize session token.",
	decision.SignInReturns:  "The browser was sent to the sign-in page several times within a short time. Does that page, or a server in front of it, send it back here?",
	decision.CookiesLost:    "Signing in cannot finish: cookies that this application set do not come back. Does a proxy in front of it remove some of them?",
}
