package clerktest

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
)

// keyPool lends RSA keys to instances. To generate one takes longer than most tests, so a closed instance returns its keys.
// Two open instances never share a key: the signature of a token would then be valid for both.
var keyPool pool

type pool struct {
	mu   sync.Mutex
	idle []*rsa.PrivateKey
}

func (p *pool) take() (*rsa.PrivateKey, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		key := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return key, nil
	}
	p.mu.Unlock()
	return rsa.GenerateKey(rand.Reader, 2048)
}

func (p *pool) give(key *rsa.PrivateKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, key)
}

// forgeryKey signs forgeries. No instance publishes it.
var forgeryKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// signingKey is a key with its kid.
type signingKey struct {
	kid     string
	private *rsa.PrivateKey
}

func (k signingKey) pem() []byte {
	der, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		panic(fmt.Sprintf("clerktest: RSA public key: %v", err)) // cannot happen: the key is the instance's own
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// jwk is the public key as Clerk publishes it, RFC 7517 and RFC 7518 section 6.3.1.
type jwk struct {
	Use string `json:"use"`
	Kty string `json:"kty"`
	Kid string `json:"kid"`
	Alg string `json:"alg"`
	N   string `json:"n"`
	E   string `json:"e"`
}

func (k signingKey) jwk() jwk {
	encode := base64.RawURLEncoding.EncodeToString
	return jwk{
		Use: "sig", Kty: "RSA", Kid: k.kid, Alg: "RS256",
		N: encode(k.private.N.Bytes()),
		E: encode(big.NewInt(int64(k.private.E)).Bytes()),
	}
}

var errKeyUnknown = errors.New("clerktest: no such key is published")

// keyRing has the instance's keys: the current one, and those that are published, usually including it.
type keyRing struct {
	mu        sync.Mutex
	current   signingKey
	next      signingKey // published before RotateKey makes it the current one; zero: none
	published []signingKey
	lent      []*rsa.PrivateKey
}

// publish makes the next key, unless there is one.
func (r *keyRing) publish() (kid string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	err = r.makeNext()
	return r.next.kid, err
}

// makeNext must be called with mu held.
func (r *keyRing) makeNext() error {
	if r.next.private != nil {
		return nil
	}
	private, err := keyPool.take()
	if err != nil {
		return fmt.Errorf("make an RSA key: %w", err)
	}
	r.next = signingKey{kid: "ins_" + rand.Text(), private: private}
	r.published = append(slices.Clone(r.published), r.next)
	r.lent = append(r.lent, private)
	return nil
}

func (r *keyRing) rotate() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.makeNext(); err != nil {
		return err
	}
	r.current, r.next = r.next, signingKey{}
	// The current key is put first, where the instance's saved state expects it.
	others := slices.DeleteFunc(slices.Clone(r.published), func(k signingKey) bool { return k.kid == r.current.kid })
	r.published = append([]signingKey{r.current}, others...)
	return nil
}

func (r *keyRing) revoke(kid string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if kid == r.next.kid {
		r.next = signingKey{}
	}
	n := len(r.published)
	r.published = slices.DeleteFunc(slices.Clone(r.published), func(k signingKey) bool { return k.kid == kid })
	return len(r.published) < n
}

func (r *keyRing) signing() signingKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

// public is the published key with a kid.
func (r *keyRing) public(kid string) (*rsa.PublicKey, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, k := range r.published {
		if k.kid == kid {
			return &k.private.PublicKey, nil
		}
	}
	return nil, errKeyUnknown
}

func (r *keyRing) set() []jwk {
	r.mu.Lock()
	defer r.mu.Unlock()
	keys := make([]jwk, 0, len(r.published))
	for _, k := range r.published {
		keys = append(keys, k.jwk())
	}
	return keys
}

func (r *keyRing) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range r.lent {
		keyPool.give(key)
	}
	r.lent, r.published = nil, nil
}

// KeyID is the kid of the key with which Token signs.
func (in *Instance) KeyID() string { return in.keys.signing().kid }

// JWTKey is the public half of that key, as the PEM that Clerk's Dashboard shows.
func (in *Instance) JWTKey() string { return string(in.keys.signing().pem()) }

// PublishKey publishes the key that the next RotateKey will make the current one, and returns its kid, so that verifiers
// can fetch it before it signs. Called again before RotateKey, it does nothing and returns the same kid.
func (in *Instance) PublishKey() string {
	kid, err := in.keys.publish()
	if err != nil {
		panic("clerktest: " + err.Error())
	}
	return kid
}

// RotateKey makes the key of PublishKey, or else a new one, the current key. The old key stays published, and the tokens
// that it signed stay valid.
func (in *Instance) RotateKey() {
	if err := in.keys.rotate(); err != nil {
		panic("clerktest: " + err.Error())
	}
}

// RevokeKey removes a key from the published set immediately. If it is the current key, Token still signs with it until
// RotateKey, so that tests have tokens to refuse. RevokeKey panics if no such key is published.
func (in *Instance) RevokeKey(kid string) {
	if !in.keys.revoke(kid) {
		panic(fmt.Sprintf("clerktest: RevokeKey: no key %q is published", kid))
	}
}
