package jwks

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/jose"
)

// Limits of a JWKS document.
const (
	minKeyBits = 2048
	maxKeyBits = 8192
	maxKeys    = 64
	maxKID     = 256 // bytes
)

// WellFormedKID reports whether a document may contain a key with this kid.
func WellFormedKID(kid string) bool { return kid != "" && len(kid) <= maxKID }

// Set is the usable keys of one document. It never changes.
type Set struct {
	only *rsa.PublicKey            // of every kid (ParsePEM); nil: kids has them
	kids map[string]*rsa.PublicKey // for RS256 signatures
}

// Key is the key for the RS256 signatures of a kid; nil: there is none.
func (s *Set) Key(kid string) *rsa.PublicKey {
	if s.only != nil {
		return s.only
	}
	return s.kids[kid]
}

// Has reports whether the set has a key for kid.
func (s *Set) Has(kid string) bool { return s.Key(kid) != nil }

// equal reports whether both sets hold the same keys under the same names.
func (s *Set) equal(other *Set) bool {
	if len(s.kids) != len(other.kids) {
		return false
	}
	for kid, key := range s.kids {
		if old, ok := other.kids[kid]; !ok || !key.Equal(old) {
			return false
		}
	}
	return true
}

var (
	errNoKeySet  = errors.New("the document is not a JWK Set (RFC 7517 section 5)")
	errTooMany   = fmt.Errorf("the document has more than %d keys", maxKeys)
	errNoKeys    = errors.New("the document has no usable key: RSA of at least 2048 bits, for RS256 signatures, public")
	errUnusable  = errors.New("unusable key")
	privateParts = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
)

// ParseSet parses a JWK Set key by key: a bad key does not affect the others, and a set without a usable key is an error.
func ParseSet(document string) (*Set, error) {
	members, err := jose.Object(document)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoKeySet, err)
	}
	i := slices.IndexFunc(members, func(m jose.Member) bool { return m.Name == "keys" })
	if i < 0 {
		return nil, errNoKeySet
	}
	keys, ok := jose.Array(members[i].Raw)
	if !ok {
		return nil, errNoKeySet
	}
	if len(keys) > maxKeys {
		return nil, errTooMany
	}
	usable := map[string]jwkset.JWK{}
	doubtful := map[string]bool{}
	for _, raw := range keys {
		jwk, err := parseKey(raw)
		if err != nil {
			continue
		}
		kid := jwk.Marshal().KID
		if other, ok := usable[kid]; ok && !publicKey(jwk).Equal(publicKey(other)) {
			doubtful[kid] = true
		}
		usable[kid] = jwk
	}
	for kid := range doubtful {
		delete(usable, kid)
	}
	return newSet(usable)
}

func newSet(usable map[string]jwkset.JWK) (*Set, error) {
	if len(usable) == 0 {
		return nil, errNoKeys
	}
	storage := jwkset.NewMemoryStorage()
	for _, jwk := range usable {
		if err := storage.KeyWrite(context.Background(), jwk); err != nil {
			return nil, fmt.Errorf("storing a key: %w", err)
		}
	}
	keys, err := keyfunc.New(keyfunc.Options{Storage: storage})
	if err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	s := &Set{kids: make(map[string]*rsa.PublicKey, len(usable))}
	for kid := range usable {
		// What it says depends on the kid and the algorithm, so that it is asked here, and not for each token.
		key, err := keys.Keyfunc(&jwt.Token{Header: map[string]any{"kid": kid, "alg": jwt.SigningMethodRS256.Alg()}, Method: jwt.SigningMethodRS256})
		public, ok := key.(*rsa.PublicKey)
		if err != nil || !ok {
			return nil, fmt.Errorf("finding a key: %w", errors.Join(err, errUnusable))
		}
		s.kids[kid] = public
	}
	return s, nil
}

func publicKey(jwk jwkset.JWK) *rsa.PublicKey {
	key, _ := jwk.Key().(*rsa.PublicKey)
	return key
}

// parseKey parses one JWK. Only a public RSA key that may verify RS256 signatures is usable.
func parseKey(raw string) (jwkset.JWK, error) {
	members, err := jose.Object(raw)
	if err != nil {
		return jwkset.JWK{}, err
	}
	var m jwkset.JWKMarshal
	for _, member := range members {
		if slices.Contains(privateParts, member.Name) {
			return jwkset.JWK{}, errUnusable
		}
		if err := decodeKeyMember(&m, member); err != nil {
			return jwkset.JWK{}, err
		}
	}
	if !verifies(m) {
		return jwkset.JWK{}, errUnusable
	}
	jwk, err := jwkset.NewJWKFromMarshal(m, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{StrictPadding: true})
	if err != nil {
		return jwkset.JWK{}, fmt.Errorf("%w: %w", errUnusable, err)
	}
	if !strong(publicKey(jwk)) {
		return jwkset.JWK{}, errUnusable
	}
	return jwk, nil
}

// verifies reports whether the members of a key allow it to verify RS256 signatures. The kind of key is checked elsewhere.
func verifies(m jwkset.JWKMarshal) bool {
	return WellFormedKID(m.KID) &&
		(m.ALG == "" || m.ALG == jwkset.AlgRS256) && (m.USE == "" || m.USE == jwkset.UseSig) &&
		(m.KEYOPS == nil || slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify))
}

// decodeKeyMember reads the members that matter by their exact names; encoding/json would ignore case.
func decodeKeyMember(m *jwkset.JWKMarshal, member jose.Member) error {
	if member.Name == "key_ops" {
		elements, ok := jose.Array(member.Raw)
		m.KEYOPS = []jwkset.KEYOPS{}
		for _, e := range elements {
			op, _ := jose.String(e)
			m.KEYOPS = append(m.KEYOPS, jwkset.KEYOPS(op))
		}
		if !ok {
			return errUnusable
		}
		return nil
	}
	value, _ := jose.String(member.Raw)
	switch member.Name {
	case "kty":
		m.KTY = jwkset.KTY(value)
	case "use":
		m.USE = jwkset.USE(value)
	case "alg":
		m.ALG = jwkset.ALG(value)
	case "kid":
		m.KID = value
	case "n":
		m.N = value
	case "e":
		m.E = value
	default:
		return nil
	}
	if value == "" {
		return errUnusable
	}
	return nil
}

// strong reports whether key is strong enough: an odd modulus of 2048 to 8192 bits, and an odd exponent that crypto/rsa
// accepts, from 3 to 2^31-1.
func strong(key *rsa.PublicKey) bool {
	return key != nil && key.N.BitLen() >= minKeyBits && key.N.BitLen() <= maxKeyBits && key.N.Bit(0) == 1 &&
		key.E >= 3 && key.E <= math.MaxInt32 && key.E%2 == 1
}
