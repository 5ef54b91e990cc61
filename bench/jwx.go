package bench

import (
	"context"
	"net/http"

	"github.com/go-chi/jwtauth/v5"
	"github.com/lestrrat-go/httprc/v3"
	jwt2 "github.com/lestrrat-go/jwx/v2/jwt"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jwt"
)

func jwxGuard() Guard {
	return Guard{
		Name: "lestrrat-go/jwx v3", Module: "github.com/lestrrat-go/jwx/v3", Party: "the library", Keys: Fetched,
		Protect: func(ctx context.Context, s Site) (Middleware, error) {
			cache, err := jwk.NewCache(ctx, httprc.NewClient())
			if err != nil {
				return nil, err
			}
			var options []jwk.RegisterOption
			if s.Lifetime > 0 {
				options = append(options, jwk.WithConstantInterval(s.Lifetime))
			}
			if err := cache.Register(ctx, s.KeySetURL(), options...); err != nil {
				return nil, err
			}
			keys, err := cache.CachedSet(s.KeySetURL())
			if err != nil {
				return nil, err
			}
			parse := []jwt.ParseOption{jwt.WithKeySet(keys), jwt.WithIssuer(Issuer), jwt.WithClaimValue("azp", Party)}
			return jwxMiddleware(parse), nil
		},
	}
}

func jwxMiddleware(options []jwt.ParseOption) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := jwt.ParseRequest(r, options...)
			if err != nil {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, token)))
		})
	}
}

// chiJWTAuth takes one key, which the program must come by itself.
func chiJWTAuth() Guard {
	return Guard{
		Name: "go-chi/jwtauth v5", Module: "github.com/go-chi/jwtauth/v5", Party: "the library",
		Protect: func(_ context.Context, s Site) (Middleware, error) {
			auth := jwtauth.New("RS256", nil, s.Key, jwt2.WithIssuer(Issuer), jwt2.WithClaimValue("azp", Party))
			verify, authenticate := jwtauth.Verifier(auth), jwtauth.Authenticator(auth)
			return func(next http.Handler) http.Handler { return verify(authenticate(next)) }, nil
		},
	}
}
