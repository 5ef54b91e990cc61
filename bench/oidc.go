package bench

import (
	"context"

	"github.com/coreos/go-oidc/v3/oidc"
)

// goOIDC fetches keys when a token's kid is not among those it has, and never otherwise.
func goOIDC() Guard {
	return Guard{
		Name: "coreos/go-oidc v3", Module: "github.com/coreos/go-oidc/v3", Party: "the code around it", Keys: Fetched,
		Protect: func(ctx context.Context, s Site) (Middleware, error) {
			keys := oidc.NewRemoteKeySet(ctx, s.KeySetURL())
			verifier := oidc.NewVerifier(Issuer, keys, &oidc.Config{SkipClientIDCheck: true, Now: s.Now})
			return byHand(func(ctx context.Context, token string) (*standardClaims, error) {
				idToken, err := verifier.Verify(ctx, token)
				if err != nil {
					return nil, err
				}
				claims := &standardClaims{}
				if err := idToken.Claims(claims); err != nil {
					return nil, err
				}
				if claims.AuthorizedParty != Party {
					return nil, errRefused
				}
				return claims, nil
			}), nil
		},
	}
}
