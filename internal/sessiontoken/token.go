// Package sessiontoken turns a Clerk session token into claims: its form, header and kind, the key and the signature, and
// what both versions of Clerk's claims say.
package sessiontoken

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/tokencache"
)

// MaxSize is the size of the largest token that is looked at, in bytes. Browsers send no larger cookie.
const MaxSize = 8 << 10

// Verifier turns tokens into claims, and remembers those whose signature is good. It is safe for concurrent use.
type Verifier struct {
	keys  *jwks.Keys
	cache *tokencache.Cache[*Claims] // nil: none is remembered
	skew  time.Duration
}

// New returns a verifier that remembers size tokens at most. skew is how long after exp one may still be of use.
func New(keys *jwks.Keys, size int, skew time.Duration) *Verifier {
	v := &Verifier{keys: keys, skew: skew}
	if size > 0 {
		v.cache = tokencache.New[*Claims](size)
	}
	return v
}

// Keys are the keys that it verifies with.
func (v *Verifier) Keys() *jwks.Keys { return v.keys }

// Token is a token that was read but, unless Verified says so, not verified: nothing in it may be believed yet.
type Token struct {
	Raw      string
	Claims   *Claims        // nil: it is no session token
	Reason   reasons.Reason // empty: the form, the header and the kind are a session token's
	Fault    Fault          // of Reason, when it is not empty
	Verified bool           // the signature was verified before, with keys that still are the instance's

	jws *jws // nil when Verified
}

// jws is what a signature is verified from.
type jws struct {
	jose.Compact
	header  header
	members []jose.Member // of the payload
	access  bool          // an OAuth access token, whose typ was looked at
	good    bool          // the signature was verified, and the claims are whole
	failure error         // why there is no key to verify with
}

// Read looks a token up among those that were verified before, and else parses it. It never waits.
func (v *Verifier) Read(raw string, now time.Time) Token {
	if t, ok := v.Verified(raw, now); ok {
		return t
	}
	return parse(raw, MaxSize)
}

// Verified is a token that was verified before. It returns false where none was.
func (v *Verifier) Verified(raw string, now time.Time) (Token, bool) {
	return v.known(raw, v.keys.Ready(now), now)
}

// Reread looks a token up again, with keys that may have come since it was read.
func (v *Verifier) Reread(t *Token, keys *jwks.Snapshot, now time.Time) {
	if known, ok := v.known(t.Raw, keys, now); ok {
		*t = known
	}
}

func (v *Verifier) known(raw string, keys *jwks.Snapshot, now time.Time) (Token, bool) {
	if keys == nil {
		return Token{}, false
	}
	c, ok := v.cache.Get(raw, keys.Generation, now)
	return Token{Raw: raw, Claims: c, Verified: true}, ok
}

// parse checks what needs no key: form, header and kind, in this order. size is in bytes.
func parse(raw string, size int) Token {
	if f := Reject(raw, size); f != NoFault {
		return faulty(raw, f)
	}
	t := read(raw)
	if t.Fault != NoFault {
		return t
	}
	if f := t.jws.header.kindFault(t.Claims); f != NoFault {
		return faulty(raw, f)
	}
	return t
}

// read checks form and header, whatever the token is for.
func read(raw string) Token {
	compact, ok := jose.Split(raw)
	if !ok {
		return faulty(raw, faultForm)
	}
	h, f := decodeHeader(compact.Header)
	if f != NoFault {
		return faulty(raw, f)
	}
	c, members, err := decodeClaims(compact.Payload)
	if err != nil {
		return faulty(raw, faultPayload)
	}
	return Token{Raw: raw, Claims: c, jws: &jws{Compact: compact, header: h, members: members}}
}

func faulty(raw string, f Fault) Token { return Token{Raw: raw, Reason: f.Reason(), Fault: f} }

// Reject says what is wrong with most of what is no session token, without verifying it: it is too long, has no dots, or is one
// of Clerk's opaque machine credentials. NoFault: it has to be parsed.
func Reject(raw string, size int) Fault {
	switch {
	case len(raw) > size:
		return faultSize
	case strings.HasPrefix(raw, "ak_"), strings.HasPrefix(raw, "mt_"), strings.HasPrefix(raw, "oat_"):
		return faultCredential
	case strings.IndexByte(raw, '.') < 0:
		return faultDots
	}
	return NoFault
}

// minSignature is the size of an encoded signature of the smallest key that is used, of 2048 bits.
const minSignature = 342

// Plausible reports whether a value has the outline of a session token. Nothing else can be one.
func Plausible(raw string) bool {
	return len(raw) <= MaxSize && strings.Count(raw, ".") == 2 && len(raw)-strings.LastIndexByte(raw, '.') > minSignature
}

// SignedAsClerkDoes reports whether the header of a token that was not verified names the algorithm and the type that
// Clerk signs with.
func (t *Token) SignedAsClerkDoes() bool { return t.jws.header.rs256() && t.jws.header.jwt() }

// KID is the key id that a token that was not verified names.
func (t *Token) KID() string { return t.jws.header.kid.Value }

// Verify makes sure of the signature of a token. One that passes is remembered for as long as the keys are the same. It
// may wait, and only for a key that nobody knows.
func (v *Verifier) Verify(ctx context.Context, t *Token, now time.Time) reasons.Reason {
	if t.Verified || t.jws.good {
		return ""
	}
	keys, reason := v.checkSignature(ctx, t.jws, now)
	if reason == "" {
		t.Claims.expand(t.jws.members)
		t.jws.good = true
		v.remember(t, keys, now)
	}
	return reason
}

// remember keeps a token that was verified with keys.
func (v *Verifier) remember(t *Token, keys *jwks.Snapshot, now time.Time) {
	if v.cache == nil {
		return
	}
	token := strings.Clone(t.Raw) // which lies in the header of its request
	t.Claims.compact(&token)
	v.cache.Put(token, keys.Generation, now, v.keys.End(keys, now), t.Claims.Exp.Time().Add(v.skew), t.Claims)
}

// checkSignature finds the key and verifies with it (RFC 7515 section 5.2), RS256 and nothing else. It returns the keys
// that it verified with.
func (v *Verifier) checkSignature(ctx context.Context, t *jws, now time.Time) (*jwks.Snapshot, reasons.Reason) {
	h := &t.header
	keys, err := v.keys.Find(ctx, h.kid.Value, now)
	t.failure = err
	switch {
	case errors.Is(err, jwks.ErrUnknownKID):
		return nil, reasons.KeyUnknown
	case err != nil:
		return nil, reasons.KeysUnavailable
	case !h.jwt() && !t.access:
		return nil, reasons.TokenInvalid
	case !h.rs256():
		return nil, reasons.TokenAlgorithm
	}
	key := keys.Key(h.kid.Value)
	if key == nil {
		return nil, reasons.KeyUnknown
	}
	if jwt.SigningMethodRS256.Verify(t.SigningInput, t.Signature, key) != nil {
		return nil, reasons.TokenSignature
	}
	return keys, ""
}
