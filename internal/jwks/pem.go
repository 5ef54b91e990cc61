package jwks

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
)

// Why a text is no public key.
var (
	errNotPEM  = errors.New("is not the PEM of a public key; copy it from Clerk's Dashboard, API keys, JWT public key")
	errNotRSA  = errors.New("is not an RSA public key of at least 2048 bits; copy it from Clerk's Dashboard, API keys, JWT public key")
	errPrivate = errors.New("is a private key, which only Clerk has a use for; copy the public one from Clerk's Dashboard, API keys, JWT public key")
	errCut     = errors.New(`ends too early; copy all of it, to -----END PUBLIC KEY-----, and write it on one line with \n between the parts where only one line is read`)
)

// ParsePEM parses one public key: PEM (PKIX or PKCS #1), also on one line, with \n in place of line breaks, quoted, or only
// the base64, as environment variables contain them.
func ParsePEM(s string) (*Set, error) {
	s = strings.Trim(strings.TrimSpace(s), `"'`)
	s = strings.TrimSpace(strings.NewReplacer(`\r`, "", `\n`, "\n").Replace(s))
	block, rest := pem.Decode([]byte(s))
	if block == nil {
		block = oneLine(s)
	}
	unread := errNotPEM
	switch {
	case strings.Contains(s, "PRIVATE KEY-----"):
		return nil, errPrivate
	case strings.HasPrefix(s, "-----BEGIN ") && !strings.Contains(s, "-----END "): // which is read all the same where nothing else is missing
		unread = errCut
	}
	switch {
	case block == nil || strings.TrimSpace(string(rest)) != "" && len(rest) < len(s), strings.Count(s, "-----BEGIN ") > 1: // pem.Decode skips what it cannot read
		return nil, unread
	case block.Type != "" && block.Type != "PUBLIC KEY" && block.Type != "RSA PUBLIC KEY":
		return nil, errNotPEM
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		key, err = x509.ParsePKCS1PublicKey(block.Bytes)
	}
	public, ok := key.(*rsa.PublicKey)
	switch {
	case err != nil && unread != errNotPEM: //nolint:errorlint // one of this file
		return nil, unread
	case err != nil || !ok || !strong(public):
		return nil, errNotRSA
	}
	return &Set{only: public}, nil
}

// oneLine parses a PEM whose line breaks were lost.
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
