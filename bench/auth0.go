package bench

import (
	"context"
	"net/url"
	"time"

	middleware2 "github.com/auth0/go-jwt-middleware/v2"
	jwks2 "github.com/auth0/go-jwt-middleware/v2/jwks"
	validator2 "github.com/auth0/go-jwt-middleware/v2/validator"
	middleware3 "github.com/auth0/go-jwt-middleware/v3"
	jwks3 "github.com/auth0/go-jwt-middleware/v3/jwks"
	validator3 "github.com/auth0/go-jwt-middleware/v3/validator"
)

// auth0Lifetime is what the examples of version 2 keep keys for; version 3 keeps them 15 minutes unless told.
const auth0Lifetime = 5 * time.Minute

// partyClaims is how version 2 is told to look at a claim that it does not know.
type partyClaims struct {
	AuthorizedParty string `json:"azp"`
}

func (c *partyClaims) Validate(context.Context) error {
	if c.AuthorizedParty != Party {
		return errRefused
	}
	return nil
}

func auth0v2() Guard {
	return Guard{
		Name: "auth0/go-jwt-middleware v2", Module: "github.com/auth0/go-jwt-middleware/v2",
		Party: "a function it calls", Keys: Fetched,
		Protect: func(_ context.Context, s Site) (Middleware, error) {
			issuer, keys, err := auth0URLs(s)
			if err != nil {
				return nil, err
			}
			lifetime := auth0Lifetime
			if s.Lifetime > 0 {
				lifetime = s.Lifetime
			}
			provider := jwks2.NewCachingProvider(issuer, lifetime, jwks2.WithCustomJWKSURI(keys))
			v, err := validator2.New(provider.KeyFunc, validator2.RS256, Issuer, []string{Audience},
				validator2.WithCustomClaims(func() validator2.CustomClaims { return &partyClaims{} }))
			if err != nil {
				return nil, err
			}
			return middleware2.New(v.ValidateToken).CheckJWT, nil
		},
	}
}

func auth0v3() Guard {
	return Guard{
		Name: "auth0/go-jwt-middleware v3", Module: "github.com/auth0/go-jwt-middleware/v3",
		Party: "a function it calls", Keys: Fetched,
		Protect: func(_ context.Context, s Site) (Middleware, error) {
			issuer, keys, err := auth0URLs(s)
			if err != nil {
				return nil, err
			}
			provider, err := jwks3.NewCachingProvider(jwks3.WithIssuerURL(issuer), jwks3.WithCustomJWKSURI(keys),
				jwks3.WithCacheTTL(s.Lifetime))
			if err != nil {
				return nil, err
			}
			v, err := validator3.New(
				validator3.WithKeyFunc(provider.KeyFunc),
				validator3.WithAlgorithm(validator3.RS256),
				validator3.WithIssuer(Issuer),
				validator3.WithAudience(Audience),
				validator3.WithRegisteredClaimsValidator(func(c validator3.RegisteredClaims) error {
					if c.AuthorizedParty != Party {
						return errRefused
					}
					return nil
				}),
			)
			if err != nil {
				return nil, err
			}
			m, err := middleware3.New(middleware3.WithValidator(v))
			if err != nil {
				return nil, err
			}
			return m.CheckJWT, nil
		},
	}
}

func auth0URLs(s Site) (issuer, keys *url.URL, err error) {
	if issuer, err = url.Parse(Issuer); err != nil {
		return nil, nil, err
	}
	keys, err = url.Parse(s.KeySetURL())
	return issuer, keys, err
}
