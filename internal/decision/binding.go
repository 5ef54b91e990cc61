package decision

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// A browser that was signed in here with a token that has azp gets a cookie that says so, the party cookie. It is
// bound to the instance, the origin, the session and the user, and has two uses.
//
// Clerk may mint a cookie token without azp, and nothing in such a token says for which origin it was minted: a sibling
// subdomain can obtain one of a victim and use it. So it is accepted only together with a party cookie. And a sibling
// subdomain can plant a session of its own beside the victim's: the party cookie tells which of the two this browser
// had here. A sibling subdomain can neither read nor set it, and a thief who speaks HTTP directly cannot compute it.
//
// Its name ends in a tag computed from the key, the instance and the origin, so that services on other ports of the same
// host, or with other keys, have cookies of their own.

const (
	partyLifetime = 7 * 24 * time.Hour
	triedLifetime = time.Minute
)

// MinStateKey is the length of the shortest secret that an application may choose, in bytes.
const MinStateKey = 32

// PartyKey makes and checks party cookies. nil: there is no key, and no party cookie is set or accepted.
type PartyKey []byte

// NewPartyKey derives the key from the application's own secret (RFC 5869).
func NewPartyKey(secret []byte) (PartyKey, error) {
	if len(secret) == 0 {
		return nil, nil
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "clerkauth party v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("StateKey: %w", err)
	}
	return key, nil
}

// sum is the MAC of fields. The first says what it is for.
func (k PartyKey) sum(fields ...string) []byte {
	h := hmac.New(sha256.New, k)
	h.Write([]byte(strings.Join(fields, "\x00")))
	return h.Sum(nil)
}

// tag is the end of the cookie's name for an instance at an origin.
func (k PartyKey) tag(issuer, origin string) string {
	return base64.RawURLEncoding.EncodeToString(k.sum("name", issuer, origin))[:inbound.PartyTagSize]
}

// mint returns the cookie's value for a session at an origin until exp.
func (k PartyKey) mint(c *sessiontoken.Claims, origin string, exp time.Time) string {
	until := strconv.FormatInt(exp.Unix(), 10)
	return inbound.PartyVersion + until + "." + base64.RawURLEncoding.EncodeToString(k.mac(c, origin, until))
}

func (k PartyKey) mac(c *sessiontoken.Claims, origin, until string) []byte {
	return k.sum("v2", c.Iss, origin, c.SID, c.Sub, until)
}

// partyValue is the value of a party cookie, taken apart.
type partyValue struct {
	raw, until string
	exp        time.Time
	mac        []byte
}

// parsePartyValue returns false for a value that is malformed or has expired.
func parsePartyValue(raw string, now time.Time) (partyValue, bool) {
	rest, ok := strings.CutPrefix(raw, inbound.PartyVersion)
	until, encoded, _ := strings.Cut(rest, ".")
	mac, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if !ok || err != nil || len(mac) != sha256.Size {
		return partyValue{}, false
	}
	seconds, err := strconv.ParseInt(until, 10, 64)
	v := partyValue{raw: raw, until: until, exp: time.Unix(seconds, 0), mac: mac}
	return v, err == nil && now.Before(v.exp)
}

// ownCookie is a cookie of this package, out of reach of scripts and sibling subdomains.
func (s *Settings) ownCookie(f *inbound.Request, name, value string, age time.Duration) *http.Cookie {
	c := &http.Cookie{ //nolint:gosec // Secure, but for development on this machine without TLS, below
		Name: inbound.PrefixHost + name, Value: value, Path: "/", MaxAge: int(age / time.Second),
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if s.Bare(f) {
		c.Name, c.Secure = name, false
	}
	return c
}
