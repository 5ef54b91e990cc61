package bench

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// goJose verifies with a key set, which the program must fetch itself: here once, at start.
func goJose() Guard {
	return Guard{
		Name: "go-jose v4", Module: "github.com/go-jose/go-jose/v4", Party: "the code around it",
		Protect: func(ctx context.Context, s Site) (Middleware, error) {
			keys, err := fetchJose(ctx, s.KeySetURL())
			if err != nil {
				return nil, err
			}
			algorithms := []jose.SignatureAlgorithm{jose.RS256}
			return byHand(func(_ context.Context, token string) (*standardClaims, error) {
				parsed, err := jwt.ParseSigned(token, algorithms)
				if err != nil {
					return nil, err
				}
				registered, claims := jwt.Claims{}, &standardClaims{}
				if err := parsed.Claims(keys, &registered, claims); err != nil {
					return nil, err
				}
				if err := registered.Validate(jwt.Expected{Issuer: Issuer, Time: time.Now()}); err != nil {
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

func fetchJose(ctx context.Context, url string) (keys *jose.JSONWebKeySet, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	return keys, json.Unmarshal(body, &keys)
}
