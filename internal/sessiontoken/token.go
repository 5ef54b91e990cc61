// Package sessiontoken turns a Clerk session token into claims: it checks form, header and kind, verifies the signature,
// and reads both versions of Clerk's claims.
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

// MaxSize is the size of the largest token that is read, in bytes. Browsers send no larger cookie.
const MaxSize = 8 << 10

// Verifier turns tokens into claims, and caches those whose signature is valid. It is safe for concurrent use.
type Verifier struct {
	keys  *jwks.Keys
	cache *tokencache.Cache[*Claims] // nil: nothing is cached
	skew  time.Duration
}

// New returns a verifier that caches size tokens at most. skew is how long after exp a token may still be used.
func New(keys *jwks.Keys, size int, skew time.Duration) *Verifier {
	v := &Verifier{keys: keys, skew: skew}
	if size > 0 {
		v.cache = tokencache.New[*Claims](size)
	}
	return v
}

// Keys are the keys with which it verifies.
func (v *Verifier) Keys() *jwks.Keys { return v.keys }

// Token is a token that was read but, unless Verified is set, not verified: its contents must not be trusted yet.
type Token struct {
	Raw      string
	Claims   *Claims        // nil: it is not a session token
	Reason   reasons.Reason // empty: the form, the header and the kind are a session token's
	Fault    Fault          // of Reason, when it is not empty
	Verified bool           // the signature was verified before, with keys that are still the instance's

	jws *jws // nil when Verified
}

// jws is what is needed to verify a signature.
type jws struct {
	jose.Compact
	header  header
	members []jose.Member // of the payload
	access  bool          // an OAuth access token, whose typ was checked
	good    bool          // the signature is valid, and the claims are complete
	failure error         // why there is no key to verify with
}

// Read looks a token up in the cache, or parses it. It never waits.
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

// Reread looks a token up again, with keys that may have been fetched since it was read.
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

// read checks form and header of any token.
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

// Reject returns the fault of most texts that are not session tokens, without verifying them: they are too long, have no
// dots, or are opaque machine credentials of Clerk's. NoFault: the text must be parsed.
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

// minSignature is the length of an encoded signature by the smallest allowed key, of 2048 bits.
const minSignature = 342

// Plausible reports whether a value may be a session token by its outline. Other values cannot be one.
func Plausible(raw string) bool {
	return len(raw) <= MaxSize && strings.Count(raw, ".") == 2 && len(raw)-strings.LastIndexByte(raw, '.') > minSignature
}

// SignedAsClerkDoes reports whether the header of an unverified token has the algorithm and the type of Clerk's tokens.
func (t *Token) SignedAsClerkDoes() bool { return t.jws.header.rs256() && t.jws.header.jwt() }

// KID is the key ID in an unverified token.
func (t *Token) KID() string { return t.jws.header.kid.Value }

// Verify verifies the signature of a token. A valid one is cached for as long as the keys are the same. Verify waits
// only for an unknown key, and for keys that must be refreshed first.
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

// remember caches a token that was verified with keys.
func (v *Verifier) remember(t *Token, keys *jwks.Snapshot, now time.Time) {
	if v.cache == nil {
		return
	}
	token := strings.Clone(t.Raw) // Raw is a part of its request's header
	t.Claims.compact(&token)
	v.cache.Put(token, keys.Generation, now, v.keys.End(keys, now), t.Claims.Exp.Time().Add(v.skew), t.Claims)
}

// checkSignature finds the key and verifies the signature with it (RFC 7515 section 5.2), RS256 only. It returns the keys
// with which it did.
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
