package harness

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// Transport is a network in memory.
type Transport func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f Transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Fetched is a request for keys.
type Fetched struct {
	At     time.Duration // since Keyed.Begun
	Header http.Header
}

// Keyed is an application whose keys are fetched, in a bubble with its own time. The network takes no time, except for
// faults, and the bubble ends when every goroutine has ended.
type Keyed struct {
	*testing.T

	Clerk *clerktest.Instance
	Auth  *clerkauth.Authenticator
	Token string // honest, of the first key, for a week
	Begun time.Time

	log Log

	mu      sync.Mutex // guards fetches
	fetches []Fetched
}

// WithKeys runs a test of a Keyed, with changes to its configuration.
func WithKeys(t *testing.T, test func(k *Keyed), changes ...func(*clerkauth.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k := &Keyed{T: t, Clerk: clerktest.New(t, clerktest.Options{}), Begun: time.Now()}
		network := k.Clerk.Config().HTTPClient.Transport
		watch := func(c *clerkauth.Config) {
			c.HTTPClient = &http.Client{Transport: Transport(func(r *http.Request) (*http.Response, error) {
				k.mu.Lock()
				k.fetches = append(k.fetches, Fetched{time.Since(k.Begun), r.Header.Clone()})
				k.mu.Unlock()
				return network.RoundTrip(r)
			})}
			c.Logger = slog.New(slog.NewTextHandler(&k.log, nil))
		}
		k.Auth, k.Token = New(t, k.Clerk, slices.Insert(slices.Clone(changes), 0, watch)...), k.Mint()
		test(k)
	})
}

// Mint makes an honest token of the current key, valid for a week.
func (k *Keyed) Mint() string {
	return k.Clerk.Token(clerktest.Claims{IssuedAt: k.Begun, ExpiresAt: k.Begun.Add(7 * 24 * time.Hour)})
}

// Stranger returns a token with an unknown kid.
func (k *Keyed) Stranger(kid string) string {
	_, rest, _ := strings.Cut(k.Token, ".")
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"RS256","kid":%q}`, kid)) + "." + rest
}

// Strangers sends n tokens with unknown keys at once and counts their reasons, and after what time.
func (k *Keyed) Strangers(ctx context.Context, n int) map[string]int {
	results := make([]string, n)
	Together(n, func(i int) {
		begin := time.Now()
		_, err := k.Auth.VerifyToken(ctx, k.Stranger(fmt.Sprint("ins_", i)))
		results[i] = fmt.Sprint(err, " in ", time.Since(begin))
	})
	counts := map[string]int{}
	for _, r := range results {
		counts[r]++
	}
	return counts
}

// Fault sets what the endpoint of the keys does from now on; nil: it works.
func (k *Keyed) Fault(f clerktest.Fault) { k.Clerk.Fault(clerktest.BackendJWKS, f) }

// Want verifies a token and compares the reason, and the time it took, with what is wanted.
func (k *Keyed) Want(token string, want clerkauth.Reason, took time.Duration) {
	k.Helper()
	k.WantIn(k.Context(), token, want, took)
}

// WantIn is Want with a request's own context.
func (k *Keyed) WantIn(ctx context.Context, token string, want clerkauth.Reason, took time.Duration) {
	k.Helper()
	begin := time.Now()
	_, err := k.Auth.VerifyToken(ctx, token)
	waited := time.Since(begin)
	var got clerkauth.Reason
	if refusal, ok := errors.AsType[*clerkauth.Error](err); ok {
		got = refusal.Reason
	} else if err != nil {
		k.Errorf("error is %T %v, want a *clerkauth.Error", err, err)
	}
	if got != want || waited != took {
		k.Errorf("after %v: got %q in %v, want %q in %v", begin.Sub(k.Begun), got, waited, want, took)
	}
}

// Fetches waits for the fetches in progress and returns those since the last call.
func (k *Keyed) Fetches() []Fetched {
	synctest.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	got := k.fetches
	k.fetches = nil
	return got
}

// WantFetches compares the number of Fetches with what is wanted, and returns them.
func (k *Keyed) WantFetches(want int) []Fetched {
	k.Helper()
	got := k.Fetches()
	if len(got) != want {
		k.Errorf("after %v: %d fetches, want %d", time.Since(k.Begun), len(got), want)
	}
	return got
}

// Logged returns the log, once the fetches in progress are done.
func (k *Keyed) Logged() string {
	synctest.Wait()
	return k.log.String()
}

// Together calls f n times at once and returns when all have.
func Together(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}
