package conformance_test

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Where the reference gives no decision of its own, because it threw or
// looked at another cookie, a rule works out what is held. This is that
// working out, for plain cases: what a token is good for, and what that means
// beside __client_uat.

// verdict is why a token is refused, or "".
func (c *recorded) verdict(t *token) string {
	switch {
	case !t.complete() || t.doubled || t.padded() || t.marked:
		return "token-invalid"
	case t.foreignKind():
		return "token-type-mismatch"
	}
	keys, ok := c.keysFor(t)
	switch {
	case !ok:
		return "jwk-remote-failed-to-load"
	case len(keys) == 0:
		return "jwk-kid-mismatch"
	case !t.signedBy(keys[0]):
		return "token-invalid-signature"
	case !filled(t.claims["sub"]) || !filled(t.claims["sid"]):
		return "token-verification-failed"
	case len(c.parties()) > 0 && !slices.Contains(c.parties(), text(t.claims["azp"])):
		return "token-invalid-authorized-parties"
	case !slices.Contains(c.issuers(), text(t.claims["iss"])):
		return "token-invalid-issuer"
	}
	return c.timely(t)
}

func (t *token) foreignKind() bool {
	category, given := t.head["cat"]
	return given && category != "cl_B7d4PD111AAA" && category != "cl_I7d4PD111III" ||
		strings.HasPrefix(text(t.claims["sub"]), "mch_") || strings.HasSuffix(text(t.head["typ"]), "at+jwt")
}

// timely judges the dates with the default skew.
func (c *recorded) timely(t *token) string {
	const skew = 5
	exp, ok := seconds(t.claims["exp"])
	nbf, _ := seconds(t.claims["nbf"])
	iat, _ := seconds(t.claims["iat"])
	switch {
	case !ok || !number(t.claims["nbf"]) || !number(t.claims["iat"]):
		return "token-verification-failed"
	case c.Now >= exp+skew:
		return expired
	case nbf > c.Now+skew:
		return "session-token-nbf"
	case iat > c.Now+skew:
		return "session-token-iat-in-the-future"
	}
	return ""
}

// keysFor are the keys that may have signed the token; false if there is nobody to ask.
func (c *recorded) keysFor(t *token) ([]*rsa.PublicKey, bool) {
	if pinned := c.pinnedKey(); pinned != nil {
		return []*rsa.PublicKey{pinned}, true
	}
	set, ok := c.keySet()
	if secret, _ := c.Options.text("secretKey"); !ok || secret == "" {
		return nil, false
	}
	var keys []*rsa.PublicKey
	for modulus := range set.usable()[text(t.head["kid"])] {
		n, err := base64.RawURLEncoding.DecodeString(modulus)
		if err != nil {
			return nil, true
		}
		keys = append(keys, &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537})
	}
	return keys, true
}

// workOut decides a case without the reference: its bearer token, or its plain cookies.
func workOut(c *recorded, want *outcome) {
	t := c.deciding()
	reason := ""
	if c.hasBearer() {
		reason = c.verdict(t)
	} else {
		reason = c.besideUAT(t, c.Request.cookies()["__client_uat"+c.chosenSuffix()])
	}
	if reason != "" {
		want.refuse(reason)
		return
	}
	want.admit(t)
}

// besideUAT is the verdict on a cookie token, with what __client_uat says.
func (c *recorded) besideUAT(t *token, clientUAT string) string {
	uat, _ := strconv.ParseInt(clientUAT, 10, 64)
	issued, _ := seconds(t.claims["iat"])
	reason := c.verdict(t)
	switch {
	case t.raw == "" && uat == 0:
		return "session-token-and-uat-missing"
	case t.raw == "":
		return "client-uat-but-no-session-token"
	case uat == 0:
		return "session-token-but-no-client-uat"
	case reason != "token-invalid" && reason != "token-type-mismatch" && issued < uat:
		return "session-token-iat-before-client-uat"
	}
	return reason
}

func unescape(value string) string {
	if decoded, err := url.PathUnescape(value); err == nil {
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
	return s, err == nil
}

// number reports a JSON number, or nothing.
func number(v any) bool {
	_, ok := v.(json.Number)
	return ok || v == nil
}
