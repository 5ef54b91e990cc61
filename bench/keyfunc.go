package bench

import (
	"context"

	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
)

// sessionClaims is what a program would declare for golang-jwt, whose parser calls Validate.
type sessionClaims struct {
	jwt.RegisteredClaims

	SessionID       string `json:"sid"`
	AuthorizedParty string `json:"azp"`
}

// Validate compares the authorized party.
func (c *sessionClaims) Validate() error {
	if c.AuthorizedParty != Party {
		return errRefused
	}
	return nil
}

func keyfuncGuard() Guard {
	return Guard{
		Name: "golang-jwt v5 + keyfunc v3", Module: "github.com/golang-jwt/jwt/v5", Party: "a function it calls", Keys: Fetched,
		Protect: func(ctx context.Context, s Site) (Middleware, error) {
			keys, err := keyfunc.NewDefaultOverrideCtx(ctx, []string{s.KeySetURL()}, keyfunc.Override{RefreshInterval: s.Lifetime})
			if err != nil {
				return nil, err
			}
			parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(Issuer))
			return byHand(func(ctx context.Context, token string) (*sessionClaims, error) {
				claims := &sessionClaims{}
				if _, err := parser.ParseWithClaims(token, claims, keys.KeyfuncCtx(ctx)); err != nil {
					return nil, err
				}
				return claims, nil
			}), nil
		},
	}
}
