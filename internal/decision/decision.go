// Package decision decides who is signed in: from what a request carries, and the tokens in it, to an outcome. It waits
// only for keys, if they are not loaded or must be refreshed first, and for the Backend API.
package decision

import (
	"net/http"
	"net/url"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/orgpath"
	"github.com/clerkauth/clerkauth/internal/origin"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// TokenSource is where the token that decided was found.
type TokenSource string

// The sources.
const (
	FromNowhere   TokenSource = ""
	FromBearer    TokenSource = "header"
	FromCookie    TokenSource = "cookie"
	FromHandshake TokenSource = "handshake"
	FromRefresh   TokenSource = "refresh"
)

// Outcome is the result of a decision.
type Outcome struct {
	Reason   reasons.Reason // empty: signed in
	Detail   error          // what there is to know about the reason, in one line for logs; nil: nothing
	Refresh  error          // why an expired token was not refreshed; nil: it was, or is not expired
	Source   TokenSource
	Token    string
	Claims   *sessiontoken.Claims // nil unless verified and judged
	Header   http.Header          // of the response; nil: nothing
	CacheHit bool                 // the signature of the token that decided was verified before
	Stuck    Stuck                // why no further handshake is made although one is needed
	Browser  bool                 // where there is a reason: a page was asked for, or it is a browser's write, without a bearer token

	handshake bool   // Header sends the browser to one
	target    string // where a handshake goes; empty: to the Frontend API
}

// Handshake reports whether Header sends the browser to a handshake.
func (o *Outcome) Handshake() bool { return o.handshake }

// setCookies adds Set-Cookie values, and keeps a response that has any, which is for one browser only, out of
// shared caches.
func (o *Outcome) setCookies(cacheControl string, cookies []string) {
	if len(cookies) == 0 {
		return
	}
	if o.Header == nil {
		o.Header = make(http.Header)
	}
	for _, c := range cookies {
		o.Header.Add("Set-Cookie", c)
	}
	if o.Header.Get("Cache-Control") == "" {
		o.Header.Set("Cache-Control", cacheControl)
	}
}

func (o *Outcome) setHeader(name, value string) {
	if o.Header == nil {
		o.Header = make(http.Header)
	}
	o.Header.Set(name, value)
}

// ClerkReason is a reason as Clerk's header spells it: an expired token with the outcome of its refresh.
func ClerkReason(reason reasons.Reason, refresh error) string {
	if reason == reasons.TokenExpired && refresh != nil {
		return string(reason) + "-refresh-" + refresh.Error()
	}
	return string(reason)
}

// CannotTell reports whether a request is refused because the answer could not be found out.
func CannotTell(reason reasons.Reason, refresh error) bool {
	return reason.CannotTell() || reason == reasons.TokenExpired && backendapi.Unanswered(refresh)
}

// Settings is what decisions depend on beside the request, the keys and the Backend API. It never changes.
type Settings struct {
	inbound.Settings

	Policy          Policy
	Trusted         origin.List // may send writes, and get no tokens
	SkipOriginCheck bool
	AllowPending    bool
	Secret          bool // the Backend API can be asked

	SignIn        *url.URL // nil: none
	Satellite     bool
	AutoSync      bool // of a satellite: ask the primary domain on the first visit
	Organizations *orgpath.Patterns
	Frontend      string // the Frontend API for browsers; empty: not known
	ProxyPath     string // instead: a path of this application's own host; empty: none
	OwnIssuer     string // the issuer of this domain's tokens; empty: not known
	Accounts      string // host of the account portal; empty: not known
	RootDomain    string // the domain that the instance serves; empty: not known

	ClockOff func(ahead time.Duration) // is told when a new token shows that this machine's clock is off
	TooLarge func(size, limit int)     // is told of a session cookie that browsers do not keep; in bytes
}

// Decider decides who is signed in. It is safe for concurrent use.
type Decider struct {
	*Settings

	verifier *sessiontoken.Verifier
	backend  *backendapi.Client // nil: no secret key
	failed   *recent            // answers of handshakes that were refused
	forged   *recent            // session cookies whose signature was refused
	forgiven *recent            // session tokens that were accepted with a wrong time, see forgiveClock
	repeated *recent            // cookies of browsers whose count of handshakes does not arrive, see marks
}

// New returns a Decider. backend is nil without a secret key.
func New(s *Settings, v *sessiontoken.Verifier, backend *backendapi.Client) *Decider {
	return &Decider{s, v, backend, &recent{}, &recent{}, &recent{}, &recent{}}
}
