package clerkauth

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"slices"
	"testing"
	"time"
)

// Claims are shared between requests as soon as they are remembered: verifying a token again must not write to them.
func TestVerifyingAgainChangesNothing(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	input := encode([]byte(`{"alg":"RS256","kid":"k"}`)) + "." + encode([]byte(`{"sub":"user_1","sid":"sess_1","org_id":"org_1","org_permissions":["org:a:read"]}`))
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Config{
		JWTKey:            string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})),
		Issuers:           []string{"https://clerk.example.com"},
		AuthorizedParties: []string{"https://example.com"},
	})
	if err != nil {
		t.Fatal(err)
	}
	read := a.verifier.read(input+"."+encode(signature), time.Now())
	if len(read.claims.permissions) > 0 {
		t.Errorf("permissions %q before the signature is verified, want none", read.claims.permissions)
	}
	for range 2 {
		if reason := a.verifier.verify(t.Context(), &read, time.Now()); reason != "" || !slices.Equal(read.claims.permissions, []string{"org:a:read"}) {
			t.Errorf("%q with permissions %q, want one", reason, read.claims.permissions)
		}
	}
}
