package clerkauth

import (
	"context"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/origin"
)

// Clerk may mint a cookie token without azp, and nothing in such a token says for whom it was minted: a sibling
// subdomain can obtain one of a victim and use it. A browser that was signed in here with a token that has azp
// therefore gets a cookie that proves it, bound to the instance, the origin, the session and the user. Only
// together with it is a cookie token without azp accepted. A sibling can neither read nor set the cookie, and a
// thief who speaks HTTP directly cannot compute it.

const (
	partyLifetime = 7 * 24 * time.Hour
	triedLifetime = time.Minute
	minStateKey   = 32 // bytes
)

// partyKey makes and checks party cookies. nil: there is no key, and tokens without azp are never accepted.
type partyKey []byte

// newPartyKey derives the key from the application's own secret (RFC 5869).
func newPartyKey(secret []byte) (partyKey, error) {
	if len(secret) == 0 {
		return nil, nil
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "clerkauth party v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("StateKey: %w", err)
	}
	return key, nil
}

// mint returns the cookie's value for a session at an origin until exp.
func (k partyKey) mint(c *claims, origin string, exp time.Time) string {
	until := strconv.FormatInt(exp.Unix(), 10)
	return "v1." + until + "." + base64.RawURLEncoding.EncodeToString(k.mac(c, origin, until))
}

func (k partyKey) mac(c *claims, origin, until string) []byte {
	h := hmac.New(sha256.New, k)
	h.Write([]byte(strings.Join([]string{"v1", c.iss, origin, c.sid, c.sub, until}, "\x00")))
	return h.Sum(nil)
}

// expiry is when value expires, if it is this session's at this origin and has not expired.
func (k partyKey) expiry(value string, c *claims, origin string, now time.Time) (time.Time, bool) {
	rest, ok := strings.CutPrefix(value, "v1.")
	until, encoded, found := strings.Cut(rest, ".")
	mac, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !ok || !found || err != nil || !hmac.Equal(mac, k.mac(c, origin, until)) {
		return time.Time{}, false
	}
	seconds, err := strconv.ParseInt(until, 10, 64)
	exp := time.Unix(seconds, 0)
	return exp, err == nil && now.Before(exp)
}

// vouched reports whether the request brings exactly one party cookie, and it holds for these claims.
func (p *policy) vouched(ctx context.Context, c *claims, f *facts, now time.Time) bool {
	value := f.party.only()
	if p.party == nil || value == "" {
		return false
	}
	public, ok := publicOrigin(ctx, f, p)
	if !ok {
		return false
	}
	_, ok = p.party.expiry(value, c, public, now)
	return ok
}

// partyProof is a party cookie that holds for a session at the host of a request. It never changes.
type partyProof struct {
	rawHost, scheme string
	value           string
	exp             time.Time
}

// partyCookie is the cookie that a request signed in by a cookie token should get; nil: none. Only a token whose
// azp passed begets one, so that it never prolongs itself.
func (s *settings) partyCookie(ctx context.Context, c *claims, f *facts, now time.Time) *http.Cookie {
	if s.policy.party == nil || s.policy.cookieWithout || c.azp.state != present || !f.ownSite {
		return nil
	}
	proof := c.proof.Load()
	if !proof.fits(f, now) {
		if proof = s.newProof(ctx, c, f, now); proof == nil {
			return nil
		}
		c.proof.Store(proof)
	}
	if f.party.only() == proof.value {
		return nil
	}
	return s.ownCookie(f, cookieParty, proof.value, partyLifetime)
}

// fits reports whether p says all about a request: no other cookie came, and it need not be renewed.
func (p *partyProof) fits(f *facts, now time.Time) bool {
	return p != nil && p.rawHost == f.rawHost && p.scheme == f.scheme && p.fresh(now) &&
		(f.party.count == 0 || f.party.only() == p.value)
}

// fresh reports whether more than half of its life is left.
func (p *partyProof) fresh(now time.Time) bool { return p.exp.Sub(now) > partyLifetime/2 }

// newProof takes the cookie that came, if it holds, or else makes one; nil: this host is nobody's.
func (s *settings) newProof(ctx context.Context, c *claims, f *facts, now time.Time) *partyProof {
	public, ok := publicOrigin(ctx, f, &s.policy)
	if !ok {
		return nil
	}
	proof := &partyProof{rawHost: f.rawHost, scheme: f.scheme, value: strings.Clone(f.party.only())}
	if proof.exp, ok = s.policy.party.expiry(proof.value, c, public, now); ok && proof.fresh(now) {
		return proof
	}
	proof.exp = now.Add(partyLifetime)
	proof.value = s.policy.party.mint(c, public, proof.exp)
	return proof
}

// ownCookie is a cookie of this package, out of reach of scripts and sibling subdomains.
func (s *settings) ownCookie(f *facts, name, value string, age time.Duration) *http.Cookie {
	c := &http.Cookie{ //nolint:gosec // Secure, but for development on this machine without TLS, below
		Name: prefixHost + name, Value: value, Path: "/", MaxAge: int(age / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if s.bareCookies(f) {
		c.Name, c.Secure = name, false
	}
	return c
}

// bareCookies reports whether our own cookies go without Secure, and so without the __Host- prefix: only in
// development, on this machine and without TLS.
func (s *settings) bareCookies(f *facts) bool {
	return !s.live && f.scheme == "http" && origin.Loopback(origin.Hostname(f.host()))
}
