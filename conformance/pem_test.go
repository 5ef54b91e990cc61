package conformance_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"strings"
)

// pinnedKey is the one RSA key in jwtKey, in any spelling such values arrive
// in: PEM, PEM on one line, with \n spelled out, in quotes, or base64 alone.
// Nil if there is none.
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

// signedBy reports a good RS256 signature.
func (t *token) signedBy(key *rsa.PublicKey) bool {
	if len(t.segments) != 3 || t.head["alg"] != "RS256" {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(t.segments[2])
	digest := sha256.Sum256([]byte(t.segments[0] + "." + t.segments[1]))
	return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
}
