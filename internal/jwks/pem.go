package jwks

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

var errNotRSA = errors.New("is not the PEM of an RSA public key of at least 2048 bits; copy it from Clerk's Dashboard, API keys, JWT public key")

// ParsePEM reads one public key: PEM (PKIX or PKCS #1), also on one line, with \n spelled out, quoted, or the base64
// alone, as such values arrive from environment variables.
func ParsePEM(s string) (*Set, error) {
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
	return &Set{key: func(*jwt.Token) (any, error) { return public, nil }}, nil
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
