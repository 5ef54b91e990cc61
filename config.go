package clerkauth

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Config says which Clerk instance to trust, and for which origins. New copies it. White space at either end of a text,
// such as the line break after a mounted secret, is ignored.
//
// Most programs set only PublishableKey, SecretKey, AuthorizedParties and SignInURL. The fields come in this order:
//   - the instance: PublishableKey, SecretKey, JWTKey
//   - whose tokens are accepted: AuthorizedParties, AllowParty, TrustedOrigins, AllowPending, Audience, Issuers, ClockSkew
//   - browsers: SignInURL, ProxyURL, Satellite, OrganizationSync, TrustForwardedHeaders
//   - machines: MachineID, MachineSecretKey, MachineAudience, MachineCacheTTL
//   - defences that can be turned off: the fields whose names begin with Insecure
//   - addresses, limits and hooks: from FrontendAPIURL on
//
// New reports the mistakes that it can find. The others show when requests are refused; each field says with which reason.
// https://github.com/clerkauth/clerkauth/blob/main/docs/reasons.md explains the reasons.
type Config struct {
	// The instance. At least one of the three.

	// PublishableKey is the key that the pages of the application use too. The address of the Frontend API, the issuer and
	// the names of the instance's own cookies follow from it.
	//
	// Default: none; needed unless Issuers is set.
	// Example: "pk_test_YWJsZS1vd2wtNy5jbGVyay5hY2NvdW50cy5kZXYk".
	// When wrong: ReasonKeyUnknown without SecretKey and JWTKey, ReasonTokenIssuer with them.
	PublishableKey string
	// SecretKey is used to refresh expired sessions of browsers, for reads and for writes that a page of the same origin
	// sends; to exchange the nonces of handshakes; to fetch keys from the Backend API; and to verify machines' credentials
	// that are not JWTs. FrontendAPIProxy sends it to the Frontend API. It is sent nowhere else. This package's own cookies
	// are keyed with it unless StateKey is set.
	//
	// Default: none; browsers are then kept signed in by handshakes alone, and keys come from the Frontend API.
	// Example: os.Getenv("CLERK_SECRET_KEY"), which is sk_live_… or sk_test_….
	// When wrong: ReasonKeysUnavailable or ReasonSecretKeyInvalid, and a warning in the log.
	SecretKey string
	// JWTKey is the instance's public key in PEM. With it, tokens are verified without any network. It must be replaced
	// when Clerk's key is rotated.
	//
	// Default: none; keys are fetched.
	// Example: os.Getenv("CLERK_JWT_KEY"), which begins with -----BEGIN PUBLIC KEY-----.
	// When wrong: ReasonTokenSignature.
	JWTKey string

	// Whose tokens are accepted.

	// AuthorizedParties are the origins of the pages whose tokens are accepted. These pages may also send writes, and
	// browsers return to them after a handshake. A * stands for one or more of a-z, 0-9 and -, once in an entry and inside
	// one label. Hosts are ASCII; write others in punycode. See https://clerk.com/docs/guides/sessions/verifying.
	//
	// Default: none; required unless AllowParty or InsecureAllowAnyParty is set.
	// Example: []string{"https://example.com", "https://*.preview.example.com"}.
	// When wrong: ReasonTokenInvalidParties, ReasonCrossOriginRequest or ReasonRequestHostNotAuthorized.
	AuthorizedParties []string
	// AllowParty is called when AuthorizedParties has no match, with origins in normal form, once for each in a decision.
	// host is the request's, or "" in VerifyToken. The sender of a request chooses its host: look the origin up among your
	// own, and never decide by comparing it with the host. origin == "https://"+host would accept a token that another
	// subdomain obtained from a visitor and sent here with that subdomain's name as Host. AllowParty must be safe for
	// concurrent use.
	//
	// Default: nil; the list alone decides.
	// Example: func(_ context.Context, origin, _ string) bool { return customers.Has(origin) }.
	// When wrong: as AuthorizedParties where it wrongly returns false; strangers get in where it wrongly returns true.
	AllowParty func(ctx context.Context, origin, host string) bool
	// TrustedOrigins may send cross-origin writes with the browser's cookies, for example a payment page that posts back.
	// Their tokens are not accepted. Entries are written as in AuthorizedParties.
	//
	// Default: none.
	// Example: []string{"https://payments.example"}.
	// When wrong: ReasonCrossOriginRequest.
	TrustedOrigins []string
	// AllowPending accepts sessions that still have a task to complete: those whose claim sts is "pending".
	//
	// Default: false; they count as signed out, and are in RequestState.Pending.
	// Example: true, if people may work before they have chosen an organization.
	// When wrong: ReasonSessionPending.
	AllowPending bool
	// Audience lists values of the claim aud. A token must have the claim, with at least one of them. Clerk's tokens have
	// aud only if it was added to them.
	//
	// Default: none; aud is not read.
	// Example: []string{"https://api.example.com"}.
	// When wrong: ReasonTokenVerificationFailed.
	Audience []string
	// Issuers are the accepted values of the claim iss, compared exactly.
	//
	// Default: the instance's own, from PublishableKey, Satellite and ProxyURL.
	// Example: []string{"https://clerk.example.com"}.
	// When wrong: ReasonTokenIssuer.
	Issuers []string
	// ClockSkew is the leeway for exp, nbf and iat. New refuses more than a minute.
	//
	// Default: 0, which means 5 s; negative: none.
	// Example: 10 * time.Second.
	// When wrong: ReasonTokenExpired, ReasonTokenNotActiveYet or ReasonTokenFromTheFuture.
	ClockSkew time.Duration

	// Browsers.

	// SignInURL is where Require redirects a person who asks for a page and is not signed in: an absolute URL, or a path of
	// this site. The parameter redirect_url is added, so that the sign-in page can lead back. A person whose session has a
	// task to complete is redirected to the page tasks below SignInURL. A page whose own URL has an absolute redirect_url
	// is taken for the sign-in page and not redirected. From other pages people return to their URL without redirect_url.
	//
	// Default: none; Require answers 401, with a page that links to the account portal where that is known.
	// Example: "https://accounts.example.com/sign-in" or "/sign-in".
	// When wrong: no reason of this package; people see what is at that address.
	SignInURL string
	// ProxyURL is where the Frontend API is proxied: an absolute URL, or a path of this host. FrontendAPIProxy is such a
	// proxy. Clerk answers what is under /v1/, /.well-known/ and /npm/ below that path: Optional, Require and Authorize let
	// it pass, so serve nothing else there. The issuer of a token may be ProxyURL; for a path, it may be that path on any
	// origin in AuthorizedParties, without calling AllowParty.
	//
	// Default: none; browsers reach the Frontend API at its own address.
	// Example: "https://example.com/__clerk".
	// When wrong: ReasonTokenIssuer, and handshakes that lead nowhere.
	ProxyURL string
	// Satellite is set in the programs of a multi-domain instance's satellite domains.
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
	// TrustForwardedHeaders makes X-Forwarded-Host and X-Forwarded-Proto count, and for FrontendAPIProxy the last address
	// of X-Forwarded-For. Set it only behind a proxy that overwrites the first two and appends to the third: otherwise
	// anybody can send them. A proxy that only terminates TLS needs no forwarded header.
	//
	// Default: false; the Host header counts.
	// Example: true, behind a proxy that replaces Host.
	// When wrong: ReasonRequestHostNotAuthorized.
	TrustForwardedHeaders bool

	// Machines, see Accept. AuthorizedParties does not apply to them.

	// MachineID is the ID of this program's machine. M2M tokens must have been issued for it.
	//
	// Default: none; M2M tokens are not accepted unless InsecureAllowAnyMachine is set.
	// Example: "mch_2xhFjEI5X2qWRvtV13BzSj8H6Dk".
	// When wrong: ReasonTokenVerificationFailed.
	MachineID string
	// MachineSecretKey is the secret key of that machine. It verifies M2M tokens that are not JWTs, instead of SecretKey.
	//
	// Default: none; they are verified with SecretKey.
	// Example: os.Getenv("CLERK_MACHINE_SECRET_KEY"), which is ak_….
	// When wrong: ReasonSecretKeyInvalid, and a warning in the log.
	MachineSecretKey string
	// MachineAudience lists values of the claim aud. OAuth tokens, and M2M tokens that are JWTs, must have the claim, with
	// at least one of them. API keys and other M2M tokens have no aud.
	//
	// Default: none; aud is not read.
	// Example: []string{"https://api.example.com"}.
	// When wrong: ReasonTokenVerificationFailed.
	MachineAudience []string
	// MachineCacheTTL is how long the Backend API's answer that a credential is valid is cached. A revoked credential is
	// accepted for as long. New refuses more than 5 min.
	//
	// Default: 0; answers are not cached.
	// Example: 30 * time.Second.
	// When wrong: no reason; revoked credentials are accepted for longer, or the Backend API gets more requests.
	MachineCacheTTL time.Duration

	// Defences that can be turned off. SECURITY.md says what each one allows when it is off.

	// InsecureAllowAnyParty accepts any azp of this instance, and tokens without one. Any subdomain that can obtain a token
	// can then act as your users.
	//
	// Default: false.
	// Example: true, for an instance whose domain has one site and no other subdomain.
	// When wrong: ReasonTokenInvalidParties without it.
	InsecureAllowAnyParty bool
	// InsecureAllowBearerWithoutParty accepts bearer tokens without azp, as native apps send them. Any subdomain of yours
	// can then act as your users on these routes.
	//
	// Default: false.
	// Example: true, in an Authenticator for the native app's routes alone.
	// When wrong: ReasonTokenInvalidParties without it.
	InsecureAllowBearerWithoutParty bool
	// InsecureAllowCookieWithoutParty accepts cookie tokens without azp. Any subdomain of yours can plant one.
	//
	// Default: false; they are accepted from browsers that were signed in here before.
	// Example: true, for a domain without other subdomains.
	// When wrong: ReasonTokenMissingAZP without it.
	InsecureAllowCookieWithoutParty bool
	// InsecureSkipOriginCheck lets cross-origin writes that are authenticated by cookie pass. Any site can send them.
	//
	// Default: false.
	// Example: true, where other middleware defends against request forgery.
	// When wrong: ReasonCrossOriginRequest without it.
	InsecureSkipOriginCheck bool

	// InsecureAllowAnyMachine accepts M2M tokens that were issued for other machines. Whoever receives one can then act as
	// its sender here.
	//
	// Default: false; M2M tokens must be for MachineID.
	// Example: true, where every machine may act as every other.
	// When wrong: ReasonTokenVerificationFailed without it.
	InsecureAllowAnyMachine bool

	// Addresses, limits and hooks.

	// FrontendAPIURL replaces the address in PublishableKey, and for FrontendAPIProxy Clerk's address for proxies.
	//
	// Default: from PublishableKey.
	// Example: "http://127.0.0.1:4420", for a simulated instance on this machine.
	// When wrong: ReasonKeysUnavailable without SecretKey and JWTKey, and handshakes that lead nowhere.
	FrontendAPIURL string
	// BackendAPIURL is the address of the Backend API, to which SecretKey is sent.
	//
	// Default: "https://api.clerk.com".
	// Example: "http://127.0.0.1:4421", for a simulated instance on this machine.
	// When wrong: ReasonKeysUnavailable.
	BackendAPIURL string
	// HTTPClient fetches keys, refreshes sessions, exchanges nonces and verifies machines' credentials. FrontendAPIProxy
	// uses its Transport. It is copied, and the copy never follows redirects.
	//
	// Default: nil, a client of its own.
	// Example: &http.Client{Transport: otelhttp.NewTransport(nil)}.
	// When wrong: ReasonKeysUnavailable.
	HTTPClient *http.Client
	// StateKey is the key of this package's own cookies: at least 32 random bytes, the same on every replica.
	//
	// Default: nil, derived from SecretKey. With neither, cookie tokens without azp are never accepted.
	// Example: 32 bytes of crypto/rand, generated once and kept secret.
	// When wrong: ReasonTokenMissingAZP, if replicas have different ones.
	StateKey []byte
	// KeyMaxAge is how long known keys are used while their endpoint fails. New refuses less than 5 min.
	//
	// Default: 0, which means 24 h.
	// Example: 72 * time.Hour.
	// When wrong: ReasonKeysUnavailable, in an outage that lasts longer.
	KeyMaxAge time.Duration
	// TokenCacheSize is the largest number of verified tokens in the cache, about 2 KB each; the cache of machines' JWTs
	// holds as many. Only tokens that have not expired take memory. Every request checks a cached token again, except for
	// its signature.
	//
	// Default: 0, which means 65,536; negative: none.
	// Example: 4096, on a small machine.
	// When wrong: no reason; requests take longer.
	TokenCacheSize int
	// Logger gets warnings: keys that cannot be loaded, outages of the Backend API, a wrong clock, tokens that are too
	// large for a cookie. Each is logged immediately, and then at most every 10 min. New logs a ProxyURL without a key.
	//
	// Default: nil, slog.Default().
	// Example: slog.New(slog.DiscardHandler), in tests.
	// When wrong: no reason; an outage goes unseen.
	Logger *slog.Logger
	// Observe is called once for each decision, including those of VerifyToken and those that Require makes again, and once
	// for each check that does not pass. It runs on the request's goroutine and must not block.
	//
	// Default: nil; decisions are not reported.
	// Example: func(_ context.Context, e Event) { counter.Add(e.Status.String(), 1) }.
	// When wrong: no reason; if it blocks, it delays every request.
	Observe func(context.Context, Event)
	// ErrorHandler responds to requests that Require, Authorize and Accept refuse.
	//
	// Default: nil, DefaultErrorHandler.
	// Example: a function that logs and then calls DefaultErrorHandler.
	// When wrong: no reason; a refused request gets what it writes. That is 200 with an empty body where it writes nothing.
	ErrorHandler ErrorHandler
	// Now is the clock that the times in tokens are compared with. It must be safe for concurrent use.
	//
	// Default: nil, time.Now.
	// Example: func() time.Time { return noon }, in tests.
	// When wrong: ReasonTokenExpired, ReasonTokenNotActiveYet or ReasonTokenFromTheFuture.
	Now func() time.Time
}

// ErrorHandler responds to a request that Require, Authorize or Accept refuses. It is not called for handshakes, which are
// redirects and not errors. Nothing has been written before but the headers that Respond adds. err is never nil and belongs
// to this request alone. The status of DefaultErrorHandler is err.StatusCode(), or 302 if err.Redirect is not empty: a
// handler that logs the status and then calls it must take that into account. A handler must write a response itself, or
// call DefaultErrorHandler: net/http answers 200 where nothing was written.
type ErrorHandler func(w http.ResponseWriter, r *http.Request, err *Error)

// Event is one decision, for metrics and traces. It identifies no person.
//
// A check of Authorize or Accept that does not pass is an Event of its own, after the decision's. Its Status is
// StatusSignedIn and its Reason is ReasonCheckFailed, which no decision has; apart from these, only Err and Type are set.
// So each Event whose Reason is not ReasonCheckFailed is one decision. One with a Reason need not become a refusal: Optional
// lets the request through, and a handshake redirects it. Require may answer with ReasonRequestHostNotAuthorized instead,
// which no Event has.
type Event struct {
	Status      Status
	Reason      Reason      // empty when signed in and no check failed
	Err         error       // an *Error of this event alone, with the detail for logs and the Check; nil without a Reason
	Type        TokenType   // of the credential that decided; empty: none was sent, or its kind is not known or not expected
	TokenSource TokenSource // of the token that decided
	CacheHit    bool        // the signature was verified for an earlier request
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
