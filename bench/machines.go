package bench

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// MachineRun is a benchmark of Accept with one credential.
type MachineRun struct {
	Name string
	Run  func(*testing.B)
}

// The names of MachineRuns: the goals compare the first two.
const (
	AcceptedSession = "a session token seen before"
	AcceptedJWT     = "an OAuth token (JWT) seen before"
)

// MachineRuns are Accept of people and machines, with each kind of credential. The Backend API is a server on this machine.
func MachineRuns(c *Course) ([]MachineRun, error) {
	clerk, err := clerktest.Start(clerktest.Options{TokenLifetime: time.Hour})
	if err != nil {
		return nil, err
	}
	go func() {
		<-c.ctx.Done()
		clerk.Close()
	}()
	var runs []MachineRun
	for _, m := range []struct {
		name, credential string
		ttl              time.Duration
	}{
		{AcceptedSession, clerk.Token(clerktest.Claims{}), 0},
		{AcceptedJWT, clerk.OAuthJWT(clerktest.MachineClaims{}), 0},
		{"an API key, MachineCacheTTL 1 min", clerk.APIKey(clerktest.MachineClaims{}), time.Minute},
		{"an API key, asked about each time", clerk.APIKey(clerktest.MachineClaims{}), 0},
	} {
		cfg := clerk.Config()
		cfg.MachineCacheTTL = m.ttl
		auth, err := clerkauth.New(cfg)
		if err != nil {
			return nil, err
		}
		h := auth.Accept(clerkauth.Sessions(), clerkauth.OAuthTokens(), clerkauth.APIKeys())(http.HandlerFunc(Handler))
		runs = append(runs, MachineRun{m.name, acceptRun(h, m.credential)})
	}
	return runs, nil
}

func acceptRun(h http.Handler, credential string) func(*testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		r := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "https://example.com/", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+credential)
		w := newSink()
		h.ServeHTTP(w, r)
		for b.Loop() {
			h.ServeHTTP(w, r)
		}
		if w.refused > 0 || w.admitted == 0 {
			b.Fatal("an honest credential was refused")
		}
	}
}
