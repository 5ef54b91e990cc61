package sessiontoken

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

	"github.com/clerkauth/clerkauth/internal/jwks"
)

// Claims are shared between requests once they are cached: verifying a token again must not write to them.
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
	set, err := jwks.ParsePEM(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	if err != nil {
		t.Fatal(err)
	}
	v := New(jwks.Fixed(set, time.Hour), 8, 0)
	read := v.Read(input+"."+encode(signature), time.Now())
	if len(read.Claims.Permissions) > 0 {
		t.Errorf("permissions %q before the signature is verified, want none", read.Claims.Permissions)
	}
	for range 2 {
		if reason := v.Verify(t.Context(), &read, time.Now()); reason != "" || !slices.Equal(read.Claims.Permissions, []string{"org:a:read"}) {
			t.Errorf("%q with permissions %q, want one", reason, read.Claims.Permissions)
		}
	}
}
