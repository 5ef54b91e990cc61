package clerktest_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/clerktest"
)

// verifies reports whether the key of the token's kid, among keys, verifies the token.
func verifies(t *testing.T, token string, keys map[string]*rsa.PublicKey) bool {
	t.Helper()
	parser := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithValidMethods([]string{"RS256"}))
	_, err := parser.Parse(token, func(tok *jwt.Token) (any, error) {
		kid, _ := tok.Header["kid"].(string)
		if keys[kid] == nil {
			return nil, jwt.ErrTokenUnverifiable
		}
		return keys[kid], nil
	})
	return err == nil
}

func TestTokensVerifyWithThePublishedKeysAndForgeriesDoNot(t *testing.T) {
	claims := clerktest.Claims{IssuedAt: time.Unix(1772625600, 0)} // the same second in all headers
	both(t, func(t *testing.T, in *clerktest.Instance) {
		for _, e := range []clerktest.Endpoint{clerktest.FrontendJWKS, clerktest.BackendJWKS} {
			keys := published(t, mustAsk(t, in, e))
			if !verifies(t, in.Token(claims), keys) {
				t.Errorf("%s: an honest token does not verify", e)
			}
			forged := in.Forge(claims)
			if verifies(t, forged, keys) {
				t.Errorf("%s: a forged token verifies", e)
			}
			h1, _, _ := parts(t, forged)
			if h2, _, _ := parts(t, in.Token(claims)); h1 != h2 {
				t.Errorf("a forgery's header is %s, a token's %s; want them alike", h1, h2)
			}
		}
	})
}

func TestRotateAndRevoke(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	first, before := in.KeyID(), in.Token(clerktest.Claims{})
	in.RotateKey()
	second, after := in.KeyID(), in.Token(clerktest.Claims{})
	if first == second {
		t.Fatal("RotateKey did not change the kid")
	}
	check := func(when string, kids []string, beforeOK, afterOK bool) {
		t.Helper()
		keys := published(t, mustAsk(t, in, clerktest.FrontendJWKS))
		if got := slices.Sorted(maps.Keys(keys)); !slices.Equal(got, slices.Sorted(slices.Values(kids))) {
			t.Errorf("%s: published %q, want %q", when, got, kids)
		}
		if b, a := verifies(t, before, keys), verifies(t, after, keys); b != beforeOK || a != afterOK {
			t.Errorf("%s: old token verifies %t, new token %t; want %t, %t", when, b, a, beforeOK, afterOK)
		}
	}
	check("rotated", []string{first, second}, true, true)
	in.RevokeKey(first)
	check("old key revoked", []string{second}, false, true)
	in.RevokeKey(second)
	check("current key revoked", nil, false, false)
	if in.KeyID() != second {
		t.Error("RevokeKey changed the current key")
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("RevokeKey does not panic for a key that is not published")
			}
		}()
		in.RevokeKey(first)
	}()
}

func TestOpenInstancesShareNoKey(t *testing.T) {
	a, b := clerktest.New(t, clerktest.Options{}), clerktest.New(t, clerktest.Options{})
	if a.KeyID() == b.KeyID() || a.SecretKey() == b.SecretKey() {
		t.Error("two instances share a kid or a secret key")
	}
	foreign := a.Token(clerktest.Claims{Header: map[string]any{"kid": b.KeyID()}})
	if verifies(t, foreign, published(t, mustAsk(t, b, clerktest.FrontendJWKS))) {
		t.Error("a token of one instance verifies with the key of another")
	}
}

func TestJWTKeyIsTheCurrentKey(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	block, rest := pem.Decode([]byte(in.JWTKey()))
	if block == nil || block.Type != "PUBLIC KEY" || len(rest) > 0 {
		t.Fatalf("JWTKey is %q, want one PUBLIC KEY block", in.JWTKey())
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	if want := published(t, mustAsk(t, in, clerktest.FrontendJWKS))[in.KeyID()]; !want.Equal(key) {
		t.Error("JWTKey is not the key published under KeyID")
	}
}

// TestAlgOfTheHeaderSigns imitates verifiers that let a token choose its algorithm.
func TestAlgOfTheHeaderSigns(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	public := published(t, mustAsk(t, in, clerktest.FrontendJWKS))[in.KeyID()]
	keys := map[string]any{
		"HS256": []byte(in.JWTKey()), "RS512": public, "PS256": public, "none": jwt.UnsafeAllowNoneSignatureType,
	}
	for alg, key := range keys {
		token := in.Token(clerktest.Claims{Header: map[string]any{"alg": alg}})
		parser := jwt.NewParser(jwt.WithoutClaimsValidation(), jwt.WithValidMethods([]string{alg}))
		if _, err := parser.Parse(token, func(*jwt.Token) (any, error) { return key, nil }); err != nil {
			t.Errorf("alg %s: the token does not verify: %v", alg, err)
		}
	}
	for _, alg := range []any{"ES256", "rs256", 5, nil, clerktest.Absent} {
		token := in.Token(clerktest.Claims{Header: map[string]any{"alg": alg}})
		if _, _, signature := parts(t, token); len(signature) != 256 {
			t.Errorf("alg %v: signature of %d bytes, want the 256 of RS256", alg, len(signature))
		}
	}
}

func TestPublishKeyIsAheadOfRotateKey(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	kids := func() []string {
		return slices.Sorted(maps.Keys(published(t, mustAsk(t, in, clerktest.FrontendJWKS))))
	}
	first, next := in.KeyID(), in.PublishKey()
	if again := in.PublishKey(); again != next {
		t.Errorf("the second call publishes %s, want %s still", again, next)
	}
	if want := slices.Sorted(slices.Values([]string{first, next})); in.KeyID() != first || !slices.Equal(kids(), want) {
		t.Errorf("%s signs and %q are published, want %s and %q", in.KeyID(), kids(), first, want)
	}
	in.RotateKey()
	if in.KeyID() != next || len(kids()) != 2 {
		t.Errorf("%s signs and %q are published, want %s and two", in.KeyID(), kids(), next)
	}
	withdrawn := in.PublishKey()
	in.RevokeKey(withdrawn)
	in.RotateKey()
	if slices.Contains(kids(), withdrawn) || in.KeyID() == withdrawn {
		t.Errorf("%s is published or current after it was revoked", withdrawn)
	}
}
