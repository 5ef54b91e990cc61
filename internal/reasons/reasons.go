// Package reasons has the strings that say why a request is not signed in.
package reasons

// Reason says why a request is not signed in, in Clerk's words where Clerk has them. Empty: it is.
type Reason string

// The request has no credential, or not all that belongs to one.
const (
	SessionTokenAndUATMissing Reason = "session-token-and-uat-missing"       // there is no token in the request
	SessionTokenWithoutUAT    Reason = "session-token-but-no-client-uat"     // there is a session cookie, but no __client_uat
	UATWithoutSessionToken    Reason = "client-uat-but-no-session-token"     // __client_uat says signed in, but there is no session cookie
	MultipleAuthorization     Reason = "multiple-authorization-headers"      // 400: it is unclear which one counts
	SessionTokenAmbiguous     Reason = "session-token-ambiguous"             // there are valid cookies of several sessions
	SessionTokenMissing       Reason = "session-token-missing"               // Clerk answered the handshake: signed out
	TokenBeforeUAT            Reason = "session-token-iat-before-client-uat" // the browser signed in again after the token was issued
)

// The token is not a session token of this instance.
const (
	TokenInvalid            Reason = "token-invalid"                    // not a JWS in a form that Clerk issues
	TokenTypeMismatch       Reason = "token-type-mismatch"              // a machine, template or OAuth token
	KeyUnknown              Reason = "jwk-kid-mismatch"                 // its key is not one of the instance's
	KeysUnavailable         Reason = "jwk-remote-failed-to-load"        // 503: the instance's keys could not be loaded
	TokenAlgorithm          Reason = "token-invalid-algorithm"          // not RS256
	TokenSignature          Reason = "token-invalid-signature"          // the signature does not verify
	TokenVerificationFailed Reason = "token-verification-failed"        // a claim is missing, malformed or does not match
	TokenInvalidParties     Reason = "token-invalid-authorized-parties" // azp is not in the allowlist
	TokenMissingAZP         Reason = "session-token-missing-azp"        // a cookie token without azp, which says for whom it was issued
	TokenIssuer             Reason = "token-invalid-issuer"             // issued by another instance
)

// The token is the instance's, but is not accepted now or here.
const (
	TokenExpired       Reason = "session-token-expired"
	TokenNotActiveYet  Reason = "session-token-nbf"
	TokenFromTheFuture Reason = "session-token-iat-in-the-future"
	SessionPending     Reason = "session-pending"      // the session still has a task to do
	CrossOriginRequest Reason = "cross-origin-request" // 403: a write from an origin that is not allowed
	CheckFailed        Reason = "session-check-failed" // 403: signed in, but a check does not pass
)

// A handshake with Clerk is needed, or is not possible.
const (
	DevBrowserMissing        Reason = "dev-browser-missing"              // a development instance does not know this browser yet
	DevBrowserSync           Reason = "dev-browser-sync"                 // the URL carries the browser's token of a development instance
	SatelliteNeedsSync       Reason = "satellite-needs-syncing"          // a satellite has to find out from the primary domain who is signed in
	PrimaryRespondsToSync    Reason = "primary-responds-to-syncing"      // the primary domain tells a satellite who is signed in
	CrossOriginSync          Reason = "primary-domain-cross-origin-sync" // the browser comes from another site, perhaps a satellite
	OrganizationMismatch     Reason = "active-organization-mismatch"     // the URL is of another organization than the session's
	SessionChanged           Reason = "session-changed"                  // the session is not the one that this browser had here, and has to be confirmed
	HandshakeUnavailable     Reason = "handshake-unavailable"            // 503: the result of a handshake could not be fetched
	RequestHostNotAuthorized Reason = "request-host-not-authorized"      // 403: a handshake is needed, but the request's host is not in the allowlist
)

// Time reports whether a reason means that a token has expired, or is not active yet.
func (r Reason) Time() bool {
	return r == TokenExpired || r == TokenNotActiveYet || r == TokenFromTheFuture
}

// The credential of a machine.
const (
	CredentialMissing      Reason = "credential-missing"      // there is none in Authorization
	CredentialUnverifiable Reason = "credential-unverifiable" // 503: the Backend API did not say whether it is valid
	SecretKeyInvalid       Reason = "secret-key-invalid"      // 503: the Backend API refuses the secret key
	InsufficientScope      Reason = "insufficient-scope"      // 403: it is valid, but lacks a scope that is needed
)

// CannotTell reports whether a reason means that nothing could be decided, so that a retry may help.
func (r Reason) CannotTell() bool {
	return r == KeysUnavailable || r == HandshakeUnavailable || r == CredentialUnverifiable || r == SecretKeyInvalid
}
