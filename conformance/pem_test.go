package conformance_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"sync"
)

// pinnedKey is the one RSA key in jwtKey, in any spelling of such values: PEM, PEM on one line, with \n in place of line
// breaks, in quotes, or only the base64. Nil if there is none.
func (c *recorded) pinnedKey() *rsa.PublicKey {
	text, _ := c.Options.text("jwtKey")
	text = strings.ReplaceAll(strings.Trim(strings.TrimSpace(text), `"'`), `\n`, "\n")
	text = strings.TrimSpace(text)
	if strings.Count(text, "-----BEGIN") > 1 {
		return nil
	}
	for _, label := range []string{"PUBLIC KEY", "RSA PUBLIC KEY"} {
		text = strings.TrimPrefix(text, "-----BEGIN "+label+"-----")
		text = strings.TrimSuffix(text, "-----END "+label+"-----")
	}
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		key, err = x509.ParsePKCS1PublicKey(der)
	}
	public, ok := key.(*rsa.PublicKey)
	if err != nil || !ok || public.N.BitLen() < 2048 {
		return nil
	}
	return public
}

// signatures are those that were verified, by token and key.
var signatures sync.Map

// signedBy reports a good RS256 signature.
func (t *token) signedBy(key *rsa.PublicKey) bool {
	if len(t.segments) != 3 || t.head["alg"] != "RS256" {
		return false
	}
	name := t.raw + " " + string(key.N.Bytes())
	if known, ok := signatures.Load(name); ok {
		return known == true
	}
	signature, err := base64.RawURLEncoding.DecodeString(t.segments[2])
	digest := sha256.Sum256([]byte(t.segments[0] + "." + t.segments[1]))
	good := err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	signatures.Store(name, good)
	return good
}
