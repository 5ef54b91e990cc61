package clerkauth

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Config says which Clerk instance to trust and for which origins. New copies it.
type Config struct {
	// The instance. At least one of the three.

	// PublishableKey is pk_live_… or pk_test_…. It gives the Frontend API host, the issuer and the names of
	// the instance's own cookies.
	PublishableKey string
	// SecretKey is sk_live_… or sk_test_…: with it expired browser sessions are refreshed, handshakes use nonces, keys
	// come from the Backend API, and it verifies opaque credentials of machines. It is sent nowhere else.
	SecretKey string
	// JWTKey is the instance's public key in PEM: tokens are verified without any network.
	JWTKey string

	// MachineSecretKey is the secret key of one machine: M2M tokens are verified with it in place of SecretKey. Empty: with
	// SecretKey.
	MachineSecretKey string

	// Who may come in.

	// AuthorizedParties are the origins whose tokens are accepted, as "https://example.com". Required unless
	// InsecureAllowAnyParty. One * stands for one or more of a-z, 0-9 and - inside one label:
	// "https://*.preview.example.com". Hosts are ASCII, in punycode where they have other letters. See
	// https://clerk.com/docs/guides/sessions/verifying.
	AuthorizedParties []string
	// AllowParty is asked, with origins in normal form, when the list does not match. host is the request's,
	// "" in VerifyToken. Whoever sends a request chooses its host: look origin up among your own, and never answer by
	// comparing the two. origin == "https://"+host accepts the token that a sibling subdomain obtained of a visitor,
	// sent here with that subdomain's name as Host. It must be safe for concurrent use. nil: the list alone decides.
	AllowParty func(ctx context.Context, origin, host string) bool
	// TrustedOrigins may send cross-origin writes, but mint no tokens: a payment page that posts back.
	TrustedOrigins []string
	// AllowPending lets sessions with sts "pending" count as signed in.
	AllowPending bool
	// Audience, when set, must be met: aud must be there and contain one of these. Empty: aud is not read.
	Audience []string
	// Issuers are compared exactly. Empty: the instance's own, from PublishableKey.
	Issuers []string
	// ClockSkew is the leeway for exp, nbf and iat. 0: 5 s; negative: none; more than 1 min: an error of New.
	ClockSkew time.Duration

	// Machines, see Accept. AuthorizedParties does not apply to them.

	// MachineID is this machine, mch_…: M2M tokens must be for it. Empty: none is accepted unless InsecureAllowAnyMachine.
	MachineID string
	// MachineAudience, when set, must be met by M2M tokens that are JWTs and by OAuth tokens: aud must be there and contain
	// one of these. Empty: aud is not read. API keys and opaque M2M tokens have none.
	MachineAudience []string
	// MachineCacheTTL is how long the Backend API's word that a credential holds may be used again. A revoked one is
	// accepted for as long. 0: not at all; more than 5 min is an error of New.
	MachineCacheTTL time.Duration

	// Browsers.

	// SignInURL is where Require sends a document request of somebody signed out: an absolute URL, or a path of
	// this site. Empty: it answers 401.
	SignInURL string
	// ProxyURL is where the Frontend API is proxied, absolute or a path of this host: "/__clerk". Empty: nowhere.
	ProxyURL string
	// Satellite is set on the satellite domains of a multi-domain instance. nil: this is the primary domain.
	Satellite *Satellite
	// OrganizationSync makes the URL choose the active organization. Zero: off.
	OrganizationSync OrganizationSync
	// TrustForwardedHeaders believes X-Forwarded-Host and X-Forwarded-Proto. Only behind a proxy that
	// overwrites them: anybody can send them. TLS termination alone needs no forwarded header.
	TrustForwardedHeaders bool

	// Defences that can be turned off.

	// InsecureAllowAnyParty goes without an allowlist: any azp, or none, of this instance is accepted, so any
	// subdomain that can obtain a token can act as your users.
	InsecureAllowAnyParty bool
	// InsecureAllowBearerWithoutParty accepts bearer tokens without azp. Native apps have none; but then any
	// subdomain of yours can act as your users on these routes.
	InsecureAllowBearerWithoutParty bool
	// InsecureAllowCookieWithoutParty accepts cookie tokens without azp: any subdomain of yours can plant one.
	InsecureAllowCookieWithoutParty bool
	// InsecureSkipOriginCheck lets cookie-authenticated cross-origin writes pass: any site can send them.
	InsecureSkipOriginCheck bool

	// InsecureAllowAnyMachine accepts M2M tokens for other machines: whoever is sent one can act as its sender here.
	InsecureAllowAnyMachine bool

	// Plumbing.

	// FrontendAPIURL replaces the address that PublishableKey gives. Empty: from PublishableKey.
	FrontendAPIURL string
	// BackendAPIURL is where SecretKey is sent. Empty: https://api.clerk.com.
	BackendAPIURL string
	// HTTPClient fetches keys. nil: a client of its own. Redirects are never followed.
	HTTPClient *http.Client
	// StateKey keys this package's own cookies, at least 32 bytes, the same on every replica. nil: derived from
	// SecretKey. With neither, cookie tokens without azp are never accepted.
	StateKey []byte
	// KeyMaxAge is how long known keys outlive their endpoint. 0: 24 h; less than 5 min is an error of New.
	KeyMaxAge time.Duration
	// TokenCacheSize is how many verified tokens are kept at most, about 2 KB each, and as many JWTs of machines. 0: 65,536;
	// negative: none. Memory follows the tokens that have not expired. A kept token is judged again on every request;
	// only its signature is not verified again.
	TokenCacheSize int
	// Logger gets warnings about keys that cannot be loaded. nil: slog.Default().
	Logger *slog.Logger
	// Observe is called once per decision, VerifyToken's and what Require decides again too, on the request's goroutine; it must not block. nil: nobody is told.
	Observe func(context.Context, Event)
	// ErrorHandler answers refused requests. nil: DefaultErrorHandler.
	ErrorHandler ErrorHandler
	// Now is the clock. nil: time.Now.
	Now func() time.Time

	problems []error // what ConfigFromEnv could not read; New reports it
}

// ErrorHandler answers a refused request. Nothing has been written; err is never nil, and this request's own.
type ErrorHandler func(w http.ResponseWriter, r *http.Request, err *Error)

// Event is one decision, for metrics and traces. It names nobody.
type Event struct {
	Status   Status
	Reason   Reason    // empty when signed in
	Type     TokenType // of the credential that decided; empty: none came, or none that is accepted
	Carrier  Carrier   // of the token that decided
	CacheHit bool      // its signature had been verified before
	Elapsed  time.Duration
}

// Carrier is where the token came from.
type Carrier string

// The carriers.
const (
	CarrierNone      Carrier = ""
	CarrierBearer    Carrier = "header"
	CarrierCookie    Carrier = "cookie"
	CarrierHandshake Carrier = "handshake"
	CarrierRefresh   Carrier = "refresh"
)

// Satellite marks a satellite domain of a multi-domain instance: people sign in on the primary domain, and the
// satellite learns of it. See https://clerk.com/docs/guides/dashboard/dns-domains/satellite-domains.
type Satellite struct {
	Domain   string // the satellite's own, without scheme; may be empty when Config.ProxyURL is set
	AutoSync bool   // ask the primary domain on the first visit; else only when the application links with __clerk_synced=false
}

// OrganizationSync makes the URL choose the active organization: when somebody signed in opens a page whose path
// asks for another organization than the session's, a handshake activates that one first. The zero
// OrganizationSync is off. See https://clerk.com/docs/guides/organizations/org-slugs-in-urls.
//
// Patterns are those of path-to-regexp 6, as in Clerk's own SDKs: text, :name for a part of one segment,
// :name(regexp), (regexp) and {groups}, each with ?, * or + behind it; \ takes the next character as it stands.
// They are matched against the whole path, undecoded; neither the case of letters nor one slash at the end
// matters. New reports a pattern that is malformed, gives two parameters one name, or needs what RE2 has not:
// lookaround, back references, a parameter right behind two or more characters without a slash.
//
// It is a convenience and no defence. A path is what anybody can type, and only page loads are sent through a
// handshake: a handler that serves an organization must ask Session.Organization, never the path.
type OrganizationSync struct {
	// OrganizationPatterns have a parameter :slug or :id: "/orgs/:slug", "/orgs/:slug/(.*)". The first that
	// matches decides; with both parameters the id counts. They go before PersonalAccountPatterns.
	OrganizationPatterns []string
	// PersonalAccountPatterns are paths where no organization is active: "/me", "/me/(.*)".
	PersonalAccountPatterns []string
}
