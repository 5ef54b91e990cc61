// Package reasons has the strings that say why a request is not signed in.
package reasons

// Reason is why, in Clerk's words where Clerk has one. Empty: signed in.
type Reason string

// Nothing was sent, or not enough of it.
const (
	SessionTokenAndUATMissing Reason = "session-token-and-uat-missing"       // no token anywhere
	SessionTokenWithoutUAT    Reason = "session-token-but-no-client-uat"     // a session cookie without __client_uat beside it
	UATWithoutSessionToken    Reason = "client-uat-but-no-session-token"     // __client_uat says signed in, and no session cookie arrived
	MultipleAuthorization     Reason = "multiple-authorization-headers"      // 400: which one counts cannot be told
	SessionTokenAmbiguous     Reason = "session-token-ambiguous"             // cookies of several sessions arrived, and each would pass
	SessionTokenMissing       Reason = "session-token-missing"               // a handshake returned with: signed out
	TokenBeforeUAT            Reason = "session-token-iat-before-client-uat" // the browser signed in again after the token was issued
)

// The token is not one of this instance's session tokens.
const (
	TokenInvalid            Reason = "token-invalid"                    // not a JWS of a form that Clerk issues
	TokenTypeMismatch       Reason = "token-type-mismatch"              // a machine, template or OAuth token
	KeyUnknown              Reason = "jwk-kid-mismatch"                 // its key is not the instance's
	KeysUnavailable         Reason = "jwk-remote-failed-to-load"        // 503: the instance's keys could not be loaded
	TokenAlgorithm          Reason = "token-invalid-algorithm"          // not RS256
	TokenSignature          Reason = "token-invalid-signature"          // the signature does not verify
	TokenVerificationFailed Reason = "token-verification-failed"        // a claim is missing, malformed or does not match
	TokenInvalidParties     Reason = "token-invalid-authorized-parties" // azp is not in the allowlist
	TokenMissingAZP         Reason = "session-token-missing-azp"        // a cookie token that does not say for whom it was issued
	TokenIssuer             Reason = "token-invalid-issuer"             // issued by another instance
)

// The token is the instance's, and this is not its time or place.
const (
	TokenExpired       Reason = "session-token-expired"
	TokenNotActiveYet  Reason = "session-token-nbf"
	TokenFromTheFuture Reason = "session-token-iat-in-the-future"
	SessionPending     Reason = "session-pending"      // the session still has a task to do
	CrossOriginRequest Reason = "cross-origin-request" // 403: a write from an origin that is not allowed
	CheckFailed        Reason = "session-check-failed" // 403: signed in, and not allowed to do this
)

// A handshake is needed, or cannot be made.
const (
	DevBrowserMissing        Reason = "dev-browser-missing"              // a development instance does not know this browser yet
	DevBrowserSync           Reason = "dev-browser-sync"                 // a development instance sent the browser's token along
	SatelliteNeedsSync       Reason = "satellite-needs-syncing"          // a satellite has to ask the primary domain
	PrimaryRespondsToSync    Reason = "primary-responds-to-syncing"      // the primary domain answers a satellite
	CrossOriginSync          Reason = "primary-domain-cross-origin-sync" // the browser comes from another site, perhaps a satellite
	OrganizationMismatch     Reason = "active-organization-mismatch"     // the URL asks for another organization
	SessionChanged           Reason = "session-changed"                  // another session than the one this browser had here has to be confirmed
	HandshakeUnavailable     Reason = "handshake-unavailable"            // 503: the answer of a handshake could not be had
	RequestHostNotAuthorized Reason = "request-host-not-authorized"      // 403: a handshake is needed, and the request's host is not in the allowlist
)

// Time reports whether a reason means that a token is of another time than this.
func (r Reason) Time() bool {
	return r == TokenExpired || r == TokenNotActiveYet || r == TokenFromTheFuture
}

// The credential of a machine.
const (
	CredentialMissing      Reason = "credential-missing"      // none arrived in Authorization
	CredentialUnverifiable Reason = "credential-unverifiable" // 503: the Backend API did not say whether it holds
	SecretKeyInvalid       Reason = "secret-key-invalid"      // 503: the Backend API refuses the secret key
	InsufficientScope      Reason = "insufficient-scope"      // 403: it holds, and lacks a scope that is needed
)

// CannotTell reports whether a reason means that the answer could not be found out.
func (r Reason) CannotTell() bool {
	return r == KeysUnavailable || r == HandshakeUnavailable || r == CredentialUnverifiable || r == SecretKeyInvalid
}
