package bench

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

var errRefused = errors.New("refused")

func floors() []Guard {
	return []Guard{
		{
			Name: "floor: a context value", Kind: Open, Party: "-",
			Protect: func(context.Context, Site) (Middleware, error) { return contextOnly, nil },
		},
		{
			Name: "floor: standard library", Kind: Floor, Party: "the code around it",
			Protect: func(_ context.Context, s Site) (Middleware, error) {
				return byHand(standardLibrary(map[string]*rsa.PublicKey{KeyID: s.Key})), nil
			},
		},
	}
}

// contextOnly is the least a middleware can do that hands something on.
func contextOnly(next http.Handler) http.Handler {
	claims := &standardClaims{}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
	})
}

type standardClaims struct {
	Issuer          string `json:"iss"`
	Subject         string `json:"sub"`
	SessionID       string `json:"sid"`
	AuthorizedParty string `json:"azp"`
	Expiry          int64  `json:"exp"`
	NotBefore       int64  `json:"nbf"`
}

// standardLibrary verifies a token with nothing but the standard library and the least care that can be called right.
func standardLibrary(keys map[string]*rsa.PublicKey) func(context.Context, string) (*standardClaims, error) {
	return func(_ context.Context, token string) (*standardClaims, error) {
		signed, signature, _ := cutLast(token)
		head, payload, ok := strings.Cut(signed, ".")
		if !ok {
			return nil, errRefused
		}
		if err := checkSignature(keys, head, signed, signature); err != nil {
			return nil, err
		}
		claims := &standardClaims{}
		if err := decode(payload, claims); err != nil {
			return nil, err
		}
		if now := time.Now().Unix(); claims.Issuer != Issuer || claims.AuthorizedParty != Party ||
			now >= claims.Expiry || now < claims.NotBefore {
			return nil, errRefused
		}
		return claims, nil
	}
}

func checkSignature(keys map[string]*rsa.PublicKey, head, signed, signature string) error {
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	if err := decode(head, &header); err != nil {
		return err
	}
	key := keys[header.KeyID]
	if key == nil || header.Algorithm != "RS256" {
		return errRefused
	}
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(signed))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw)
}

func cutLast(token string) (signed, signature string, ok bool) {
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return "", "", false
	}
	return token[:i], token[i+1:], true
}

func decode(segment string, v any) error {
	b, err := base64.RawURLEncoding.DecodeString(segment)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}
