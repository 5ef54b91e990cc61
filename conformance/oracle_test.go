package conformance_test

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Where the reference has no decision, because it threw or used another cookie, a rule expects what this file computes for
// plain cases: the result of a token, and what it means together with __client_uat.

// whyRefused is why a token is refused, or "".
func (c *recorded) whyRefused(t *token) string { return c.whyRefusedWithin(t, c.skew()) }

// whyRefusedWithin is whyRefused with times that may be off by so many seconds.
func (c *recorded) whyRefusedWithin(t *token, skew time.Duration) string {
	for _, judge := range []func(*token) string{c.badForm, c.badSignature, c.badClaims} {
		if reason := judge(t); reason != "" {
			return reason
		}
	}
	return c.timely(t, skew)
}

func (c *recorded) badForm(t *token) string {
	switch {
	case t.opaque():
		return "token-type-mismatch"
	case !t.complete() || !t.canonical() || t.doubled || t.padded() || t.marked || t.extended():
		return "token-invalid"
	case t.foreignKind():
		return "token-type-mismatch"
	}
	return ""
}

func (c *recorded) badSignature(t *token) string {
	keys, ok := c.keysFor(t)
	typ, typed := t.head["typ"]
	switch {
	case !ok:
		return "jwk-remote-failed-to-load"
	case len(keys) == 0:
		return "jwk-kid-mismatch"
	case typed && typ != "JWT":
		return "token-invalid"
	case t.head["alg"] != "RS256":
		return "token-invalid-algorithm"
	case !t.signedBy(keys[0]):
		return "token-invalid-signature"
	}
	return ""
}

func (c *recorded) badClaims(t *token) string {
	wanted := meaningful(c.Options, "audience")
	azp, named := t.claims["azp"]
	switch {
	case !filled(t.claims["sub"]) || !filled(t.claims["sid"]) || t.unreadableOrganization():
		return "token-verification-failed"
	case len(wanted) > 0 && !aimedAt(t.claims["aud"], wanted):
		return "token-verification-failed"
	case len(c.parties()) > 0 && !named && !c.bearerInAnyCase():
		return missingAZP
	case len(c.parties()) > 0 && !slices.Contains(c.parties(), text(azp)):
		return "token-invalid-authorized-parties"
	case !slices.Contains(c.issuers(), text(t.claims["iss"])):
		return "token-invalid-issuer"
	}
	return ""
}

// missingAZP is the reason of a cookie token without azp.
const missingAZP = "session-token-missing-azp"

func (t *token) opaque() bool {
	return slices.ContainsFunc([]string{"ak_", "mt_", "oat_"}, func(prefix string) bool { return strings.HasPrefix(t.raw, prefix) })
}

// canonical reports base64url in its only canonical spelling, and JSON with nothing after it.
func (t *token) canonical() bool {
	for i, segment := range t.segments {
		content, err := base64.RawURLEncoding.Strict().DecodeString(segment)
		if err != nil || strings.ContainsAny(segment, "\r\n") || i < 2 && !json.Valid(content) {
			return false
		}
	}
	return true
}

// extended reports a header that requires something unsupported.
func (t *token) extended() bool {
	return slices.ContainsFunc([]string{"crit", "b64", "enc", "zip", "jwk", "jku", "x5u", "x5c"}, func(name string) bool {
		_, there := t.head[name]
		return there
	})
}

func (t *token) foreignKind() bool {
	category, given := t.head["cat"]
	return given && category != "cl_B7d4PD111AAA" && category != "cl_I7d4PD111III" ||
		strings.HasPrefix(text(t.claims["sub"]), "mch_") || strings.HasSuffix(text(t.head["typ"]), "at+jwt")
}

// skew is the tolerance for dates.
func (c *recorded) skew() time.Duration {
	switch skew, _ := c.Options.skew(); {
	case skew < 0:
		return 0
	case skew > 0:
		return skew
	}
	return 5 * time.Second
}

func (c *recorded) timely(t *token, within time.Duration) string {
	exp, ok := seconds(t.claims["exp"])
	skew := within.Seconds()
	nbf, _ := seconds(t.claims["nbf"])
	iat, _ := seconds(t.claims["iat"])
	switch {
	case !ok || !t.dated("exp"):
		return "token-verification-failed"
	case float64(c.Now) >= float64(exp)+skew:
		return expired
	case !t.dated("nbf"):
		return "token-verification-failed"
	case float64(nbf) > float64(c.Now)+skew:
		return "session-token-nbf"
	case !t.dated("iat"):
		return "token-verification-failed"
	case float64(iat) > float64(c.Now)+skew:
		return "session-token-iat-in-the-future"
	}
	return ""
}

// keysFor are the keys that may have signed the token; false if none can be fetched.
func (c *recorded) keysFor(t *token) ([]*rsa.PublicKey, bool) {
	if pinned := c.pinnedKey(); pinned != nil {
		return []*rsa.PublicKey{pinned}, true
	}
	if kid := text(t.head["kid"]); kid == "" || len(kid) > 256 {
		return nil, true // no document can contain it
	}
	set, ok := c.keySet()
	if secret := c.secret(); !ok || secret == "" || !set.hasKey() {
		return nil, false
	}
	var keys []*rsa.PublicKey
	if len(set.usable()[text(t.head["kid"])]) > 1 {
		return nil, set.hasKey()
	}
	for modulus := range set.usable()[text(t.head["kid"])] {
		n, err := base64.RawURLEncoding.DecodeString(modulus)
		if err != nil {
			return nil, true
		}
		keys = append(keys, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537})
	}
	return keys, true
}

func unescape(value string) string {
	if decoded, err := url.PathUnescape(value); err == nil && utf8.ValidString(decoded) {
		return decoded
	}
	return value
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

func seconds(v any) (int64, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	s, err := n.Int64()
	if err == nil {
		return s, true
	}
	f, err := n.Float64() // 1.75e9 is a whole number too
	return int64(f), err == nil && f == float64(int64(f))
}

// dated reports that a date is a whole number of seconds of this age, or is not there.
func (t *token) dated(name string) bool {
	v, given := t.claims[name]
	_, whole := seconds(v)
	return !given || whole && plainDate(v)
}
