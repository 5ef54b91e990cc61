package clerkauth

import (
	"context"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/tokencache"
)

// maxToken is the size of the largest token that is looked at, in bytes. Browsers send no larger cookie.
const maxToken = 8 << 10

// verifier turns tokens into claims.
type verifier struct {
	keys  keys
	cache *tokencache.Cache[*claims] // of tokens whose signature is good
	skew  time.Duration
}

// parsed is a token that was read but, unless verified says so, not verified: nothing in it may be believed yet.
type parsed struct {
	raw      string
	outside  *outside // nil when verified
	claims   *claims
	reason   Reason // empty: the form, the header and the kind are a session token's
	verified bool   // the signature was verified before, with keys that still are the instance's
}

// outside is what a signature is verified from.
type outside struct {
	jose.Compact
	header  header
	members []jose.Member // of the payload
	good    bool          // the signature was verified, and claims are whole
}

// read looks a token up among those that were verified before, and else parses it. It never waits.
func (v *verifier) read(raw string, now time.Time) parsed {
	if s := v.keys.Ready(now); s != nil {
		if c, ok := v.cache.Get(raw, s.Generation, now); ok {
			return parsed{raw: raw, claims: c, verified: true}
		}
	}
	return parse(raw, maxToken)
}

// parse checks what needs no key: form, header and kind, in this order. size is in bytes.
func parse(raw string, size int) parsed {
	if reason := atAGlance(raw, size); reason != "" {
		return parsed{raw: raw, reason: reason}
	}
	compact, ok := jose.Split(raw)
	if !ok {
		return parsed{raw: raw, reason: ReasonTokenInvalid}
	}
	h, ok := decodeHeader(compact.Header)
	if !ok {
		return parsed{raw: raw, reason: ReasonTokenInvalid}
	}
	c, members, err := decodeClaims(compact.Payload)
	if err != nil {
		return parsed{raw: raw, reason: ReasonTokenInvalid}
	}
	if !h.sessionKind(c) {
		return parsed{raw: raw, reason: ReasonTokenTypeMismatch}
	}
	return parsed{raw: raw, outside: &outside{Compact: compact, header: h, members: members}, claims: c}
}

// atAGlance says what is wrong with most of what is no session token: it is too long, has no dots, or is one of Clerk's
// opaque machine credentials.
func atAGlance(raw string, size int) Reason {
	switch {
	case len(raw) > size:
		return ReasonTokenInvalid
	case strings.HasPrefix(raw, "ak_"), strings.HasPrefix(raw, "mt_"), strings.HasPrefix(raw, "oat_"):
		return ReasonTokenTypeMismatch
	case strings.IndexByte(raw, '.') < 0:
		return ReasonTokenInvalid
	}
	return ""
}

// verify makes sure of the signature of a token. One that passes is remembered for as long as the keys are the same.
func (v *verifier) verify(ctx context.Context, t *parsed, now time.Time) Reason {
	if t.verified || t.outside.good {
		return ""
	}
	keys, reason := v.checkSignature(ctx, t, now)
	if reason == "" {
		t.claims.expand(t.outside.members)
		t.outside.good = true
		v.remember(t, keys, now)
	}
	return reason
}

// remember keeps a token that was verified with set.
func (v *verifier) remember(t *parsed, set *jwks.Snapshot, now time.Time) {
	v.cache.Put(t.raw, set.Generation, now, v.keys.End(set, now), t.claims.exp.time().Add(v.skew), t.claims)
}

// checkSignature finds the key and verifies with it (RFC 7515 section 5.2), RS256 and nothing else. It may wait,
// and only for a key that nobody knows. It returns the keys that it verified with.
func (v *verifier) checkSignature(ctx context.Context, t *parsed, now time.Time) (*jwks.Snapshot, Reason) {
	h := &t.outside.header
	keys, reason := v.keys.forHeader(ctx, h, now)
	switch {
	case reason != "":
		return nil, reason
	case h.typ.state != absent && h.typ.value != "JWT":
		return nil, ReasonTokenInvalid
	case h.alg != jwt.SigningMethodRS256.Alg():
		return nil, ReasonTokenAlgorithm
	}
	key, err := keys.Key(&jwt.Token{Header: map[string]any{"kid": h.kid.value, "alg": h.alg}, Method: jwt.SigningMethodRS256})
	if err != nil {
		return nil, ReasonKeyUnknown
	}
	if jwt.SigningMethodRS256.Verify(t.outside.SigningInput, t.outside.Signature, key) != nil {
		return nil, ReasonTokenSignature
	}
	return keys, ""
}

// header is a JOSE header, as far as it matters.
type header struct {
	alg           string
	kid, typ, cat text
}

// decodeHeader refuses headers that ask for something this package does not do: extensions that must be
// understood (RFC 7515 section 4.1.11), unencoded payloads (RFC 7797), encryption, compression, and keys that
// the token brings along itself.
func decodeHeader(text string) (header, bool) {
	members, err := jose.Object(text)
	if err != nil {
		return header{}, false
	}
	var h header
	for _, m := range members {
		switch m.Name {
		case "alg":
			h.alg, _ = jose.String(m.Raw)
		case "kid":
			h.kid = decodeText(m.Raw)
		case "typ":
			h.typ = decodeText(m.Raw)
		case "cat":
			h.cat = decodeText(m.Raw)
		case "crit", "b64", "enc", "zip", "jwk", "jku", "x5u", "x5c":
			return header{}, false
		}
	}
	return h, true
}

// Categories that Clerk puts into the cat header of session tokens.
const (
	categorySession = "cl_B7d4PD111AAA"
	categoryIgnore  = "cl_I7d4PD111III"
)

// sessionKind reports whether a token is a session token, rather than one made for a machine, for OAuth or from
// a JWT template: those are signed with the same keys.
func (h *header) sessionKind(c *claims) bool {
	typ := h.typ.value
	if typ == "at+jwt" || typ == "application/at+jwt" || strings.HasPrefix(c.sub, "mch_") {
		return false
	}
	return h.cat.state == absent || h.cat.value == categorySession || h.cat.value == categoryIgnore
}
