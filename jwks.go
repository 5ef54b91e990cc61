package clerkauth

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/jose"
)

// What is taken from a JWKS document.
const (
	minKeyBits = 2048
	maxKeyBits = 8192
	maxKeys    = 64
	maxKID     = 256 // bytes
)

// keySet is the usable keys of one document. It never changes.
type keySet struct {
	key  jwt.Keyfunc
	kids map[string]*rsa.PublicKey // nil: one key for every token, whatever its kid (JWTKey)
}

// has reports whether the set can say anything about kid.
func (s *keySet) has(kid string) bool {
	if s.kids == nil {
		return true
	}
	_, ok := s.kids[kid]
	return ok
}

// sameKeys reports whether both sets hold the same keys under the same names.
func (s *keySet) sameKeys(other *keySet) bool {
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
	errNotRSA    = errors.New("is not the PEM of an RSA public key of at least 2048 bits; copy it from Clerk's Dashboard, API keys, JWT public key")
	anyKID       = struct{}{}
	privateParts = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
)

// document is what a source answered. notModified: the keys are those of the etag.
type document struct {
	body        string
	etag        string
	notModified bool
	retryAfter  time.Duration
}

var (
	errTooLarge    = fmt.Errorf("the document is larger than %d bytes", maxDocument)
	errNotModified = errors.New("304 to a request that had no ETag")
)

// statusError is an answer other than 200 and 304.
type statusError int

func (e statusError) Error() string { return "the endpoint answered " + strconv.Itoa(int(e)) }

// readDocument reads an answer, as far as it can be used.
func readDocument(resp *http.Response) (document, error) {
	doc := document{
		etag: resp.Header.Get("ETag"), notModified: resp.StatusCode == http.StatusNotModified, retryAfter: pause(resp.Header),
	}
	if doc.notModified {
		return doc, nil
	}
	if resp.StatusCode != http.StatusOK {
		return doc, statusError(resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil {
		return doc, fmt.Errorf("keys: %w", err)
	}
	if len(body) > maxDocument {
		return doc, errTooLarge
	}
	doc.body = string(body)
	return doc, nil
}

// pause reads Retry-After in both its forms (RFC 9110 section 10.2.3), a date against the server's own clock.
// It is at most lastRetry: longer than that nobody is kept out.
func pause(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, lastRetry)
	}
	until, err := http.ParseTime(value)
	from, errFrom := http.ParseTime(h.Get("Date"))
	if err != nil || errFrom != nil {
		return 0
	}
	return max(0, min(until.Sub(from), lastRetry))
}

func (d document) keySet(old *snapshot) (*keySet, error) {
	if d.notModified {
		if old == nil {
			return nil, errNotModified
		}
		return old.keySet, nil
	}
	return parseKeySet(d.body)
}

// parseKeySet reads a JWK Set key by key: one bad key does not spoil the others, and a set without a usable
// one is an error.
func parseKeySet(document string) (*keySet, error) {
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
	doubtful := map[string]struct{}{}
	for _, raw := range keys {
		jwk, err := parseKey(raw)
		if err != nil {
			continue
		}
		kid := jwk.Marshal().KID
		if other, ok := usable[kid]; ok && !publicKey(jwk).Equal(publicKey(other)) {
			doubtful[kid] = anyKID
		}
		usable[kid] = jwk
	}
	for kid := range doubtful {
		delete(usable, kid)
	}
	return newKeySet(usable)
}

func newKeySet(usable map[string]jwkset.JWK) (*keySet, error) {
	if len(usable) == 0 {
		return nil, errNoKeys
	}
	storage := jwkset.NewMemoryStorage()
	kids := make(map[string]*rsa.PublicKey, len(usable))
	for kid, jwk := range usable {
		kids[kid] = publicKey(jwk)
		if err := storage.KeyWrite(context.Background(), jwk); err != nil {
			return nil, fmt.Errorf("storing a key: %w", err)
		}
	}
	keys, err := keyfunc.New(keyfunc.Options{Storage: storage})
	if err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	return &keySet{key: keys.Keyfunc, kids: kids}, nil
}

func publicKey(jwk jwkset.JWK) *rsa.PublicKey {
	key, _ := jwk.Key().(*rsa.PublicKey)
	return key
}

// parseKey reads one JWK. Usable is a public RSA key that may verify RS256 signatures.
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

// verifies reports whether what is said about a key lets it verify RS256 signatures. Its kind is seen in the key.
func verifies(m jwkset.JWKMarshal) bool {
	return m.KID != "" && len(m.KID) <= maxKID &&
		(m.ALG == "" || m.ALG == jwkset.AlgRS256) && (m.USE == "" || m.USE == jwkset.UseSig) &&
		(m.KEYOPS == nil || slices.Contains(m.KEYOPS, jwkset.KeyOpsVerify))
}

// decodeKeyMember takes the members that matter by their exact names; encoding/json would fold their case.
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

// strong reports whether key may be trusted to verify: an odd modulus of 2048 to 8192 bits, and an odd exponent
// that crypto/rsa takes, from 3 to 2^31-1.
func strong(key *rsa.PublicKey) bool {
	return key != nil && key.N.BitLen() >= minKeyBits && key.N.BitLen() <= maxKeyBits && key.N.Bit(0) == 1 &&
		key.E >= 3 && key.E <= math.MaxInt32 && key.E%2 == 1
}

// parsePEM reads JWTKey: PEM (PKIX or PKCS #1), also on one line, with \n spelled out, quoted, or the base64
// alone, as such values arrive from environment variables.
func parsePEM(s string) (*keySet, error) {
	s = strings.Trim(strings.TrimSpace(s), `"'`)
	s = strings.TrimSpace(strings.NewReplacer(`\r`, "", `\n`, "\n").Replace(s))
	block, rest := pem.Decode([]byte(s))
	if block == nil {
		block = oneLine(s)
	}
	if block != nil && block.Type != "" && block.Type != "PUBLIC KEY" && block.Type != "RSA PUBLIC KEY" {
		return nil, errNotRSA
	}
	if block == nil || strings.TrimSpace(string(rest)) != "" && len(rest) < len(s) {
		return nil, errNotRSA
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	}
	public, ok := key.(*rsa.PublicKey)
	if err != nil || !ok || !strong(public) {
		return nil, errNotRSA
	}
	return &keySet{key: func(*jwt.Token) (any, error) { return public, nil }}, nil
}

// oneLine reads what is left of a PEM whose line breaks were lost.
func oneLine(s string) *pem.Block {
	for _, label := range []string{"PUBLIC KEY", "RSA PUBLIC KEY"} {
		s = strings.TrimPrefix(s, "-----BEGIN "+label+"-----")
		s = strings.TrimSuffix(s, "-----END "+label+"-----")
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		return nil
	}
	return &pem.Block{Bytes: der}
}
