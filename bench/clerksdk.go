package bench

import (
	"context"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
	clerkhttp "github.com/clerk/clerk-sdk-go/v2/http"
	"github.com/clerk/clerk-sdk-go/v2/jwks"
)

// clerkSDK is Clerk's own library. It keeps keys for an hour, in one place for the whole process.
func clerkSDK() Guard {
	return Guard{
		Name: "clerk-sdk-go v2", Module: "github.com/clerk/clerk-sdk-go/v2", Party: "the library", Keys: Fetched,
		Clock: time.Hour,
		Protect: func(_ context.Context, s Site) (Middleware, error) {
			config := &clerk.ClientConfig{}
			config.Key = new("sk_test_bench")
			config.URL = new(s.Server + "/v1")
			options := []clerkhttp.AuthorizationOption{
				clerkhttp.JWKSClient(jwks.NewClient(config)),
				clerkhttp.AuthorizedPartyMatches(Party),
			}
			if s.Now != nil {
				options = append(options, clerkhttp.Clock(clerkClock(s.Now)))
			}
			return clerkhttp.RequireHeaderAuthorization(options...), nil
		},
	}
}

type clerkClock func() time.Time

func (c clerkClock) Now() time.Time { return c() }
