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
		signed, signature64, ok := cutLast(token)
		head64, payload64, ok2 := strings.Cut(signed, ".")
		if !ok || !ok2 {
			return nil, errRefused
		}
		var head struct {
			Algorithm string `json:"alg"`
			KeyID     string `json:"kid"`
		}
		if err := decode(head64, &head); err != nil {
			return nil, err
		}
		key := keys[head.KeyID]
		if key == nil || head.Algorithm != "RS256" {
			return nil, errRefused
		}
		signature, err := base64.RawURLEncoding.DecodeString(signature64)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256([]byte(signed))
		if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature); err != nil {
			return nil, err
		}
		claims := &standardClaims{}
		if err := decode(payload64, claims); err != nil {
			return nil, err
		}
		if now := time.Now().Unix(); claims.Issuer != Issuer || claims.AuthorizedParty != Party ||
			now >= claims.Expiry || now < claims.NotBefore {
			return nil, errRefused
		}
		return claims, nil
	}
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
