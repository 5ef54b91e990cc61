package clerkauth

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Config says which Clerk instance to trust and for which origins. New copies it. White space around a text, such as the line
// break at the end of a mounted secret, is no part of it.
//
// Most programs set PublishableKey, SecretKey, AuthorizedParties and SignInURL, and nothing else. The fields are, in this
// order:
//   - the instance: PublishableKey, SecretKey, JWTKey
//   - whose tokens are accepted: AuthorizedParties, AllowParty, TrustedOrigins, AllowPending, Audience, Issuers, ClockSkew
//   - browsers: SignInURL, ProxyURL, Satellite, OrganizationSync, TrustForwardedHeaders
//   - machines: MachineID, MachineSecretKey, MachineAudience, MachineCacheTTL
//   - defences that can be turned off: the fields whose names begin with Insecure
//   - addresses, limits and hooks: from FrontendAPIURL on
//
// What New can see to be wrong, it reports. What it cannot see shows in requests that are refused: each field says with
// which reason. https://github.com/clerkauth/clerkauth/blob/main/docs/reasons.md explains the reasons.
type Config struct {
	// The instance. At least one of the three.

	// PublishableKey is the key that the instance's pages have, too. It gives the address of the Frontend API, the issuer
	// and the names of the instance's own cookies.
	//
	// Default: none; needed unless Issuers is set.
	// Example: "pk_test_YWJsZS1vd2wtNy5jbGVyay5hY2NvdW50cy5kZXYk".
	// When wrong: ReasonKeyUnknown without SecretKey and JWTKey, ReasonTokenIssuer with them.
	PublishableKey string
	// SecretKey refreshes expired browser sessions, for reads and for writes that a page of the same origin sends, exchanges
	// the nonces of handshakes, fetches keys from the Backend API and verifies machines' credentials that are no JWTs. For
	// FrontendAPIProxy it goes along to the Frontend API. It is sent nowhere else, and keys the package's own cookies unless
	// StateKey is set.
	//
	// Default: none; browsers are then kept signed in by handshakes alone, and keys come from the Frontend API.
	// Example: os.Getenv("CLERK_SECRET_KEY"), which is sk_live_… or sk_test_….
	// When wrong: ReasonKeysUnavailable or ReasonSecretKeyInvalid, and a warning in the log.
	SecretKey string
	// JWTKey is the instance's public key in PEM: tokens are verified without any network. It must be replaced when
	// Clerk's key is rotated.
	//
	// Default: none; keys are fetched.
	// Example: os.Getenv("CLERK_JWT_KEY"), which begins with -----BEGIN PUBLIC KEY-----.
	// When wrong: ReasonTokenSignature.
	JWTKey string

	// Whose tokens are accepted.

	// AuthorizedParties are the origins of the pages whose tokens are accepted. They may also send writes, and browsers
	// are sent back to them after a handshake. One * stands for one or more of a-z, 0-9 and - inside one label. Hosts are
	// ASCII, in punycode where they have other letters. See https://clerk.com/docs/guides/sessions/verifying.
	//
	// Default: none; required unless AllowParty or InsecureAllowAnyParty is set.
	// Example: []string{"https://example.com", "https://*.preview.example.com"}.
	// When wrong: ReasonTokenInvalidParties, ReasonCrossOriginRequest or ReasonRequestHostNotAuthorized.
	AuthorizedParties []string
	// AllowParty is called, with origins in normal form, when the list does not match. host is the request's,
	// "" in VerifyToken. Whoever sends a request chooses its host: look origin up among your own, and never answer by
	// comparing the two. origin == "https://"+host accepts the token that another subdomain obtained of a visitor,
	// sent here with that subdomain's name as Host. It must be safe for concurrent use.
	//
	// Default: nil; the list alone decides.
	// Example: func(_ context.Context, origin, _ string) bool { return customers.Has(origin) }.
	// When wrong: as AuthorizedParties where it says no too often; strangers get in where it says yes too often.
	AllowParty func(ctx context.Context, origin, host string) bool
	// TrustedOrigins may send cross-origin writes with the browser's cookies, and get no tokens: a payment page that
	// posts back. Entries are as in AuthorizedParties.
	//
	// Default: none.
	// Example: []string{"https://payments.example"}.
	// When wrong: ReasonCrossOriginRequest.
	TrustedOrigins []string
	// AllowPending lets sessions count as signed in that still have a task to do: whose claim sts is "pending".
	//
	// Default: false; they are signed out, and in RequestState.Pending.
	// Example: true, if people may work before they have chosen an organization.
	// When wrong: ReasonSessionPending.
	AllowPending bool
	// Audience must be met by the claim aud, which Clerk's tokens have only if somebody added it: aud must be there and
	// contain one of these.
	//
	// Default: none; aud is not read.
	// Example: []string{"https://api.example.com"}.
	// When wrong: ReasonTokenVerificationFailed.
	Audience []string
	// Issuers are compared exactly with the claim iss.
	//
	// Default: the instance's own, from PublishableKey, Satellite and ProxyURL.
	// Example: []string{"https://clerk.example.com"}.
	// When wrong: ReasonTokenIssuer.
	Issuers []string
	// ClockSkew is the leeway for exp, nbf and iat. More than a minute is an error of New.
	//
	// Default: 0, which means 5 s; negative: none.
	// Example: 10 * time.Second.
	// When wrong: ReasonTokenExpired, ReasonTokenNotActiveYet or ReasonTokenFromTheFuture.
	ClockSkew time.Duration

	// Browsers.

	// SignInURL is where Require sends somebody signed out who asks for a page: an absolute URL, or a path of this site.
	// The parameter redirect_url is added, the way back. Whose session has a task to complete goes to the page tasks below it. A
	// page that has an absolute redirect_url in its address is sent nowhere: somebody has been sent there to sign in.
	//
	// Default: none; Require answers 401, with a page that links to the account portal where that is known.
	// Example: "https://accounts.example.com/sign-in" or "/sign-in".
	// When wrong: no reason of this package; people see what is at that address.
	SignInURL string
	// ProxyURL is where the Frontend API is proxied: an absolute URL, or a path of this host. FrontendAPIProxy is such
	// a proxy. What it forwards, under /v1/, /.well-known/ and /npm/ below
	// that path, is Clerk's: Optional, Require and Authorize let it pass, so serve nothing else there.
	// Tokens may name it as their issuer; a path behind the origins of AuthorizedParties, about which AllowParty is not asked.
	//
	// Default: none; browsers reach the Frontend API at its own address.
	// Example: "https://example.com/__clerk".
	// When wrong: ReasonTokenIssuer, and handshakes that lead nowhere.
	ProxyURL string
	// Satellite is set on the satellite domains of a multi-domain instance.
	//
	// Default: nil; this is the primary domain.
	// Example: &Satellite{Domain: "satellite.example"}.
	// When wrong: ReasonTokenIssuer or ReasonSatelliteNeedsSync.
	Satellite *Satellite
	// OrganizationSync makes the path of a page choose the active organization.
	//
	// Default: the zero OrganizationSync, which is off.
	// Example: OrganizationSync{OrganizationPatterns: []string{"/orgs/:slug", "/orgs/:slug/(.*)"}}.
	// When wrong: ReasonOrganizationMismatch.
	OrganizationSync OrganizationSync
	// TrustForwardedHeaders believes X-Forwarded-Host and X-Forwarded-Proto, and FrontendAPIProxy the last address of
	// X-Forwarded-For. Only behind a proxy that overwrites the first two and adds to the third: anybody can send them. TLS
	// termination alone needs no forwarded header.
	//
	// Default: false; the Host header is believed.
	// Example: true, behind a proxy that replaces Host.
	// When wrong: ReasonRequestHostNotAuthorized.
	TrustForwardedHeaders bool

	// Machines, see Accept. AuthorizedParties does not apply to them.

	// MachineID is the machine that this program is: M2M tokens must be for it.
	//
	// Default: none; M2M tokens are not accepted unless InsecureAllowAnyMachine is set.
	// Example: "mch_2xhFjEI5X2qWRvtV13BzSj8H6Dk".
	// When wrong: ReasonTokenVerificationFailed.
	MachineID string
	// MachineSecretKey is that machine's secret key. M2M tokens that are no JWTs are verified with it, in place of
	// SecretKey.
	//
	// Default: none; they are verified with SecretKey.
	// Example: os.Getenv("CLERK_MACHINE_SECRET_KEY"), which is ak_….
	// When wrong: ReasonSecretKeyInvalid, and a warning in the log.
	MachineSecretKey string
	// MachineAudience must be met by the claim aud of M2M tokens that are JWTs, and of OAuth tokens: aud must be there and
	// contain one of these. API keys and the other M2M tokens have none.
	//
	// Default: none; aud is not read.
	// Example: []string{"https://api.example.com"}.
	// When wrong: ReasonTokenVerificationFailed.
	MachineAudience []string
	// MachineCacheTTL is how long the Backend API's answer that a credential is good may be used again. A revoked one is
	// accepted for as long. More than 5 min is an error of New.
	//
	// Default: 0; answers are not used again.
	// Example: 30 * time.Second.
	// When wrong: no reason; revoked credentials are accepted for longer, or the Backend API is asked more often.
	MachineCacheTTL time.Duration

	// Defences that can be turned off. SECURITY.md says what each allows.

	// InsecureAllowAnyParty goes without an allowlist: any azp, or none, of this instance is accepted, so any
	// subdomain that can obtain a token can act as your users.
	//
	// Default: false.
	// Example: true, for an instance whose domain has one site and no other subdomain.
	// When wrong: ReasonTokenInvalidParties without it.
	InsecureAllowAnyParty bool
	// InsecureAllowBearerWithoutParty accepts bearer tokens without azp. Native apps have none; but then any
	// subdomain of yours can act as your users on these routes.
	//
	// Default: false.
	// Example: true, in an Authenticator for the native app's routes alone.
	// When wrong: ReasonTokenInvalidParties without it.
	InsecureAllowBearerWithoutParty bool
	// InsecureAllowCookieWithoutParty accepts cookie tokens without azp: any subdomain of yours can plant one.
	//
	// Default: false; they are accepted from browsers that were signed in here before.
	// Example: true, for a domain without other subdomains.
	// When wrong: ReasonTokenMissingAZP without it.
	InsecureAllowCookieWithoutParty bool
	// InsecureSkipOriginCheck lets cookie-authenticated cross-origin writes pass: any site can send them.
	//
	// Default: false.
	// Example: true, where other middleware defends against request forgery.
	// When wrong: ReasonCrossOriginRequest without it.
	InsecureSkipOriginCheck bool

	// InsecureAllowAnyMachine accepts M2M tokens for other machines: whoever is sent one can act as its sender here.
	//
	// Default: false; M2M tokens must be for MachineID.
	// Example: true, where every machine may act as every other.
	// When wrong: ReasonTokenVerificationFailed without it.
	InsecureAllowAnyMachine bool

	// Addresses, limits and hooks.

	// FrontendAPIURL replaces the address that PublishableKey gives, and for FrontendAPIProxy Clerk's address for proxies.
	//
	// Default: from PublishableKey.
	// Example: "http://127.0.0.1:4420", of an instance that is simulated on this machine.
	// When wrong: ReasonKeysUnavailable without SecretKey and JWTKey, and handshakes that lead nowhere.
	FrontendAPIURL string
	// BackendAPIURL is where SecretKey is sent.
	//
	// Default: "https://api.clerk.com".
	// Example: "http://127.0.0.1:4421", of an instance that is simulated on this machine.
	// When wrong: ReasonKeysUnavailable.
	BackendAPIURL string
	// HTTPClient fetches keys, refreshes sessions, exchanges nonces and verifies credentials of machines; FrontendAPIProxy uses
	// its Transport. It is copied; redirects are never followed.
	//
	// Default: nil, a client of its own.
	// Example: &http.Client{Transport: otelhttp.NewTransport(nil)}.
	// When wrong: ReasonKeysUnavailable.
	HTTPClient *http.Client
	// StateKey keys this package's own cookies: at least 32 random bytes, the same on every replica.
	//
	// Default: nil, derived from SecretKey. With neither, cookie tokens without azp are never accepted.
	// Example: 32 bytes of crypto/rand that were made once and are kept as a secret.
	// When wrong: ReasonTokenMissingAZP, when replicas have different ones.
	StateKey []byte
	// KeyMaxAge is how long known keys outlive their endpoint. Less than 5 min is an error of New.
	//
	// Default: 0, which means 24 h.
	// Example: 72 * time.Hour.
	// When wrong: ReasonKeysUnavailable, in an outage that lasts longer.
	KeyMaxAge time.Duration
	// TokenCacheSize is how many verified tokens are kept at most, about 2 KB each, and as many JWTs of machines. Memory
	// follows the tokens that have not expired. A kept token is judged again on every request; only its signature is not
	// verified again.
	//
	// Default: 0, which means 65,536; negative: none.
	// Example: 4096, on a small machine.
	// When wrong: no reason; requests take longer.
	TokenCacheSize int
	// Logger gets warnings: keys that cannot be loaded, outages of the Backend API, a clock that is off, tokens too large for a
	// cookie, each at once and then at most every 10 min; and New's of a ProxyURL without a key.
	//
	// Default: nil, slog.Default().
	// Example: slog.New(slog.DiscardHandler), in tests.
	// When wrong: no reason; an outage goes unseen.
	Logger *slog.Logger
	// Observe is called once per decision, VerifyToken's and what Require decides again too, and once per check that does not
	// hold, on the request's goroutine. It must not block.
	//
	// Default: nil; nobody is told.
	// Example: func(_ context.Context, e Event) { counter.Add(e.Status.String(), 1) }.
	// When wrong: no reason; one that blocks holds up every request.
	Observe func(context.Context, Event)
	// ErrorHandler answers requests that Require, Authorize and Accept refuse.
	//
	// Default: nil, DefaultErrorHandler.
	// Example: a function that logs and then calls DefaultErrorHandler.
	// When wrong: no reason; a refused request gets what it writes.
	ErrorHandler ErrorHandler
	// Now is the clock that tokens are judged by.
	//
	// Default: nil, time.Now.
	// Example: func() time.Time { return noon }, in tests.
	// When wrong: ReasonTokenExpired, ReasonTokenNotActiveYet or ReasonTokenFromTheFuture.
	Now func() time.Time
}

// ErrorHandler answers what Require, Authorize and Accept refuse. A handshake is no error, and has been answered without it.
// Nothing has been written but what Respond adds; err is never nil, and this request's own. DefaultErrorHandler does not
// answer err.StatusCode but 302 where err.Redirect is not empty: a handler that logs and then calls it should say so.
type ErrorHandler func(w http.ResponseWriter, r *http.Request, err *Error)

// Event is one decision, for metrics and traces. It names nobody.
//
// A check of Authorize or Accept that does not hold is an Event of its own, after that of the decision: its Status is
// StatusSignedIn and its Reason ReasonCheckFailed, which no decision has, and beside them it has Err and Type only. So an Event
// with a Reason is a refusal, counted once, and a decision is an Event whose Reason is not ReasonCheckFailed.
type Event struct {
	Status      Status
	Reason      Reason      // empty when signed in and no check failed
	Err         error       // an *Error of the event's own, with the detail for logs, and the Check; nil without a Reason
	Type        TokenType   // of the credential that decided; empty: none, or one of a machine where people are asked for, or the reverse
	TokenSource TokenSource // of the token that decided
	CacheHit    bool        // its signature had been verified before
	Elapsed     time.Duration
}

// TokenSource is where the token was found.
type TokenSource string

// The sources.
const (
	TokenSourceNone      TokenSource = ""
	TokenSourceBearer    TokenSource = "header"
	TokenSourceCookie    TokenSource = "cookie"
	TokenSourceHandshake TokenSource = "handshake"
	TokenSourceRefresh   TokenSource = "refresh"
)
