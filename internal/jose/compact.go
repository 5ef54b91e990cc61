// Package jose parses the form of a token, strictly: the JWS compact serialization (RFC 7515 section 7.1) and JSON objects
// (RFC 8259). It knows no keys and no claims.
package jose

import (
	"encoding/base64"
	"strings"
)

// Compact is a token in its three parts, decoded.
type Compact struct {
	SigningInput string // what was signed: the first two parts, unchanged
	Header       string // JSON text, not validated
	Payload      string // JSON text, not validated
	Signature    []byte
}

// canonical refuses spare bits that are not zero: one signature has one spelling.
var canonical = base64.RawURLEncoding.Strict()

// Split splits a compact serialization. It reports false unless there are exactly three parts of canonical, unpadded
// base64url, the first of them not empty. Other input costs one pass and no allocation.
func Split(token string) (Compact, bool) {
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, found := strings.Cut(rest, ".")
	if !found || header == "" || !alphabet(header) || !alphabet(payload) || !alphabet(signature) {
		return Compact{}, false
	}
	decoded := make([]byte, 0, canonical.DecodedLen(len(token)))
	decoded, errHeader := canonical.AppendDecode(decoded, []byte(header))
	h := len(decoded)
	decoded, errPayload := canonical.AppendDecode(decoded, []byte(payload))
	p := len(decoded)
	decoded, errSignature := canonical.AppendDecode(decoded, []byte(signature))
	if errHeader != nil || errPayload != nil || errSignature != nil {
		return Compact{}, false
	}
	text := string(decoded[:p])
	return Compact{SigningInput: token[:len(token)-len(signature)-1], Header: text[:h], Payload: text[h:], Signature: decoded[p:]}, true
}

// alphabet reports whether s is base64url only, without another dot: the decoder alone would skip CR and LF.
func alphabet(s string) bool {
	for i := range len(s) {
		if !inAlphabet[s[i]] {
			return false
		}
	}
	return true
}

var inAlphabet = func() (set [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") {
		set[c] = true
	}
	return set
}()
