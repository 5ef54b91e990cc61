package bench

import (
	"context"
	"net/http"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// The names of Machines: the goals compare the first two.
const (
	AcceptedSession = "a session token seen before"
	AcceptedJWT     = "an OAuth token (JWT) seen before"
	CachedKey       = "an API key, MachineCacheTTL 1 min"
	UncachedKey     = "an API key, verified by the Backend API each time"
)

// MachineLoad is the Load of every one of Machines.
const MachineLoad = "Accept"

// Machines are Accept of people and machines, with each kind of credential. The Backend API is a server on this machine.
func Machines(c *Course) ([]*Contestant, error) {
	clerk, err := clerktest.Start(clerktest.Options{TokenLifetime: time.Hour})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(c.ctx, clerk.Close)
	var all []*Contestant
	for _, m := range []struct {
		name, credential string
		ttl              time.Duration
	}{
		{AcceptedSession, clerk.Token(clerktest.Claims{}), 0},
		{AcceptedJWT, clerk.OAuthJWT(clerktest.MachineClaims{}), 0},
		{CachedKey, clerk.APIKey(clerktest.MachineClaims{}), time.Minute},
		{UncachedKey, clerk.APIKey(clerktest.MachineClaims{}), 0},
	} {
		cfg := clerk.Config()
		cfg.MachineCacheTTL = m.ttl
		auth, err := clerkauth.New(cfg)
		if err != nil {
			return nil, err
		}
		h := auth.Accept(clerkauth.Sessions(), clerkauth.OAuthTokens(), clerkauth.APIKeys())(http.HandlerFunc(Handler))
		k := contestant(m.name, MachineLoad, h, http.StatusNoContent, program)
		all = append(all, k.sending("Authorization", []string{bearerScheme + m.credential}))
	}
	return all, nil
}

// program is a request that no browser sends.
func program() *http.Request {
	r := request(http.MethodGet, "https://example.com/api/invoices?page=2", nil)
	r.Host = "example.com"
	r.Header = http.Header{"Accept": {"application/json"}, "Accept-Encoding": {"gzip"}, "User-Agent": {"Go-http-client/1.1"}}
	return r
}
