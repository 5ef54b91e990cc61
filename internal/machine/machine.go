// Package machine verifies the credentials of machines: API keys, machine-to-machine tokens and OAuth access tokens. JWTs
// are verified with the instance's keys, others by the Backend API, with the secret key.
//
// Strangers can make credentials up, so the calls to the Backend API are limited, for each kind separately. Of a credential
// that is not a JWT, only a hash is stored.
package machine

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
	"github.com/clerkauth/clerkauth/internal/tokencache"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// Kind is the kind of a credential.
type Kind uint8

// The kinds. The zero Kind is not a machine's.
const (
	None Kind = iota
	APIKey
	M2M
	OAuth
)

// Settings configure a Verifier. They never change.
type Settings struct {
	Base       string // of the Backend API, without a trailing slash
	SecretKey  string // empty: API keys and opaque OAuth tokens cannot be verified
	MachineKey string // for M2M tokens; empty: SecretKey

	Issues     func(iss string) bool // whether tokens of an issuer are the instance's
	Issuers    []string              // what is expected, for the detail of a refusal
	Audience   []string              // empty: aud is not read
	ID         string                // this machine, which M2M tokens must name
	AnyMachine bool                  // M2M tokens may be for any
	Skew       time.Duration
	TTL        time.Duration // of positive answers; 0: they are not cached
	CacheSize  int           // of verified JWTs
	Now        func() time.Time
	Warn       func(*transport.OutageError) // called for every call that was not answered, on any goroutine
}

// Verifier verifies credentials of machines. It is safe for concurrent use.
type Verifier struct {
	*Settings

	sessions *sessiontoken.Verifier
	jwts     *tokencache.Cache[*Claims] // a type of its own: no entry can be a session
	opaque   map[Kind]*asker
}

// New returns a verifier with the keys of sessions. client must not follow redirects.
func New(client *http.Client, s *Settings, sessions *sessiontoken.Verifier) *Verifier {
	opaque := map[Kind]*asker{}
	for kind := range endpoints {
		opaque[kind] = newAsker(client, s, kind)
	}
	return &Verifier{s, sessions, tokencache.New[*Claims](s.CacheSize), opaque}
}

// Claims are what a credential says. They are shared and never change.
type Claims struct {
	Kind                        Kind
	ID, Subject, Name, ClientID string
	Scopes, Audience            []string
	CreatedAt, ExpiresAt        time.Time // zero: never, or unknown
	Payload                     *string   // JSON: of a JWT the whole payload, else the claims member; nil: none

	jwt           bool
	iss           string
	exp, nbf, iat sessiontoken.Date
}

// Credential is a credential that was read, but not verified.
type Credential struct {
	Kind Kind

	raw    string
	opaque bool
	known  *Claims                    // it was verified before, with keys that are still the instance's
	token  *sessiontoken.MachineToken // of a JWT that was not verified before
}

// Read determines the kind of credential that raw is. It never waits.
func (v *Verifier) Read(raw string, now time.Time) Credential {
	if kind := opaqueKind(raw); kind != None {
		return Credential{Kind: kind, raw: raw, opaque: true}
	}
	if keys := v.sessions.Keys().Ready(now); keys != nil {
		if c, ok := v.jwts.Get(raw, keys.Generation, now); ok {
			return Credential{Kind: c.Kind, raw: raw, known: c}
		}
	}
	if _, ok := v.sessions.Verified(raw, now); ok {
		return Credential{}
	}
	token, ok := sessiontoken.ReadMachine(raw)
	switch {
	case !ok:
		return Credential{}
	case token.OAuth:
		return Credential{Kind: OAuth, raw: raw, token: token}
	}
	return Credential{Kind: M2M, raw: raw, token: token}
}

// opaqueKind is the kind of an opaque credential, by its prefix.
func opaqueKind(raw string) Kind {
	switch {
	case strings.HasPrefix(raw, "ak_"):
		return APIKey
	case strings.HasPrefix(raw, "mt_"):
		return M2M
	case strings.HasPrefix(raw, "oat_"):
		return OAuth
	}
	return None
}

// Result is the result of verifying a credential.
type Result struct {
	Claims *Claims        // nil unless valid
	Reason reasons.Reason // empty: verified
	Detail error          // why, for logs
	Hit    bool           // it was verified before
}

// Verify verifies a credential. It may wait for keys, and for the Backend API.
func (v *Verifier) Verify(ctx context.Context, c Credential, now time.Time) Result {
	var o Result
	if c.opaque {
		o = v.opaque[c.Kind].verify(ctx, c.raw, now)
	} else {
		o = v.verifyJWT(ctx, c, now)
	}
	if o.Reason == "" {
		if reason, why := v.judge(o.Claims, now); reason != "" {
			return Result{Reason: reason, Detail: why, Hit: o.Hit}
		}
	}
	return o
}

// judge returns what is wrong with verified claims, if anything. It runs for every request.
func (v *Verifier) judge(c *Claims, now time.Time) (reasons.Reason, error) {
	var err error
	switch {
	case c.jwt:
		err = v.judgeJWT(c, now)
	case !c.ExpiresAt.IsZero() && !now.Before(c.ExpiresAt):
		return reasons.TokenInvalid, errExpired
	}
	if err == nil && len(v.Audience) > 0 && (c.jwt || c.Kind == OAuth) && !intersect(c.Audience, v.Audience) {
		err = audienceError(len(v.Audience))
	}
	if err == nil && c.Kind == M2M && !v.forMe(c) {
		err = errOtherTarget
	}
	if err != nil {
		return reasons.TokenVerificationFailed, err
	}
	return "", nil
}

// forMe reports whether an M2M token names this machine. Otherwise, whoever receives a token could send it on and act as
// its sender elsewhere.
func (v *Verifier) forMe(c *Claims) bool {
	return v.AnyMachine || v.ID != "" && (slices.Contains(c.Scopes, v.ID) || slices.Contains(c.Audience, v.ID))
}

func intersect(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
