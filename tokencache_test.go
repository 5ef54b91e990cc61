package clerkauth_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// twin is the same application twice, with and without a token cache, over the same keys.
type twin struct{ cached, plain *clerkauth.Authenticator }

func newTwin(t *testing.T, cfg clerkauth.Config, size int, keys *clerkauth.Authenticator) twin {
	t.Helper()
	var tw twin
	for _, a := range []struct {
		auth **clerkauth.Authenticator
		size int
	}{{&tw.cached, size}, {&tw.plain, -1}} {
		cfg.TokenCacheSize = a.size
		auth, err := clerkauth.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		*a.auth = auth
		if keys == nil {
			keys = auth
		}
		auth.ShareKeys(keys)
	}
	return tw
}

// changingInstance is a Clerk instance whose keys and clock change, with tokens of all ages.
type changingInstance struct {
	rng    *rand.Rand
	clerk  *clerktest.Instance
	now    time.Time
	kids   []string
	tokens []string
}

// mint adds tokens of the current key, honest and not.
func (w *changingInstance) mint() {
	for i := range 6 {
		at := w.now.Add(time.Duration(i-3) * 30 * time.Second)
		w.tokens = append(w.tokens,
			w.clerk.Token(clerktest.Claims{IssuedAt: at}),
			w.clerk.Token(clerktest.Claims{IssuedAt: at, ExpiresAt: at.Add(time.Hour)}),
			w.clerk.Token(clerktest.Claims{IssuedAt: at, AuthorizedParty: "https://other.example.com"}),
		)
	}
	w.tokens = append(w.tokens, w.clerk.Forge(clerktest.Claims{IssuedAt: w.now}), w.clerk.Token(clerktest.Claims{Issuer: "https://clerk.evil.example"}))
	w.tokens = w.tokens[max(0, len(w.tokens)-120):]
}

// variant returns a changed token, as an attacker might send it.
func (w *changingInstance) variant() string {
	token := w.tokens[w.rng.IntN(len(w.tokens))]
	header, rest, _ := strings.Cut(token, ".")
	switch w.rng.IntN(8) {
	case 0: // another token's payload under a known signature
		other := strings.Split(w.tokens[w.rng.IntN(len(w.tokens))], ".")
		return header + "." + other[1] + "." + token[strings.LastIndexByte(token, '.')+1:]
	case 1: // another token's signature
		other := w.tokens[w.rng.IntN(len(w.tokens))]
		return token[:strings.LastIndexByte(token, '.')] + other[strings.LastIndexByte(other, '.'):]
	case 2:
		return header + ".x" + rest
	default:
		return token
	}
}

// step makes a small change.
func (w *changingInstance) step() {
	switch n := w.rng.IntN(1000); {
	case n < 4:
		w.clerk.RotateKey()
		w.kids = append(w.kids, w.clerk.KeyID())
		w.mint()
	case n < 7 && len(w.kids) > 1:
		w.clerk.RevokeKey(w.kids[0])
		w.kids = w.kids[1:]
	case n < 30:
		w.now = w.now.Add(time.Duration(w.rng.IntN(90)) * time.Second)
	case n < 40:
		w.now = w.now.Add(-time.Duration(w.rng.IntN(40)) * time.Second)
	case n < 44:
		w.now = w.now.Add(time.Duration(w.rng.IntN(30)) * time.Minute)
		w.mint()
	}
}

// TestCacheNeverDecides runs the same requests with and without a token cache through rotations,
// revocations, a clock that jumps, forged variants, several policies and evictions. They must never
// disagree.
func TestCacheNeverDecides(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	w := &changingInstance{rng: rand.New(rand.NewPCG(seed, 1)), now: harness.Noon} //nolint:gosec // not for secrets
	w.clerk = clerktest.New(t, clerktest.Options{Now: func() time.Time { return w.now }})
	w.kids = []string{w.clerk.KeyID()}
	w.mint()
	cfg := w.clerk.Config()
	twins := []twin{newTwin(t, cfg, 64, nil)}
	keys := twins[0].cached
	hits := make([]int, 4)
	for i, policy := range []struct {
		size   int
		change func(*clerkauth.Config)
	}{
		{4096, func(c *clerkauth.Config) { c.ClockSkew = time.Minute }},
		{4, func(c *clerkauth.Config) { c.AuthorizedParties = []string{"https://other.example.com"} }},
		{1, func(c *clerkauth.Config) { c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true }},
	} {
		cfg := cfg
		cfg.Observe = func(_ context.Context, e clerkauth.Event) { // the first decision is not observed, and most others are not
			if e.CacheHit {
				hits[i+1]++
			}
		}
		policy.change(&cfg)
		twins = append(twins, newTwin(t, cfg, policy.size, keys))
	}

	steps := 20_000
	if testing.Short() {
		steps = 400
	}
	accepted := 0
	for i := range steps {
		w.step()
		token := w.variant()
		r := httptest.NewRequest(http.MethodGet, "https://example.com/", nil)
		r.Header.Set("Cookie", "__session="+token+"; __client_uat=1")
		_, _ = keys.VerifyToken(t.Context(), token) // makes a fetch that is due
		keys.WaitForKeys()
		j := w.rng.IntN(len(twins))
		tw := twins[j]
		got, want := outcome(tw.cached.VerifyToken(t.Context(), token)), outcome(tw.plain.VerifyToken(t.Context(), token))
		if got != want {
			t.Fatalf("step %d, policy %d: bearer token %s with the cache, %s without", i, j, got, want)
		}
		c, p := tw.cached.AuthenticateRequest(r), tw.plain.AuthenticateRequest(r)
		if got, want := outcome(c.Session, c.Err), outcome(p.Session, p.Err); got != want {
			t.Fatalf("step %d, policy %d: cookie %s with the cache, %s without", i, j, got, want)
		}
		if want == "user_2clerktest" {
			accepted++
		}
	}
	if accepted < steps/20 || min(hits[1], hits[2], hits[3]) < steps/100 {
		t.Errorf("of %d tokens %d were accepted, and the caches found %v: too few for the test to show anything", steps, accepted, hits[1:])
	}
	t.Logf("%d of %d accepted, %v found in a cache", accepted, steps, hits[1:])
}

func outcome(s *clerkauth.Session, err error) string {
	if err != nil {
		return err.Error()
	}
	return s.UserID
}

// TestAllocations fixes how much the four common requests allocate.
func TestAllocations(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Now: harness.AtNoon})
	auth := harness.New(t, clerk)
	uncached := clerk.Config()
	uncached.TokenCacheSize = -1
	never, err := clerkauth.New(uncached)
	if err != nil {
		t.Fatal(err)
	}
	token := clerk.Token(clerktest.Claims{})
	handler := auth.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	bearer := httptest.NewRequest(http.MethodGet, "https://example.com/", nil)
	bearer.Header.Set("Authorization", "Bearer "+token)
	cookies := httptest.NewRequest(http.MethodGet, "https://example.com/", nil)
	for _, c := range clerk.Cookies(token) {
		cookies.AddCookie(c)
	}
	party := harness.SetPartyCookie(auth.AuthenticateRequest(cookies))
	cookies.AddCookie(party)
	nothing := httptest.NewRequest(http.MethodGet, "https://example.com/", nil)
	w := httptest.NewRecorder()
	tests := []struct {
		name string
		want float64
		run  func()
	}{
		{"bearer token seen before", 1, func() { handler.ServeHTTP(w, bearer) }},
		{"cookies seen before", 1, func() { handler.ServeHTTP(w, cookies) }},
		{"no token", 2, func() { auth.AuthenticateRequest(nothing) }},
		{"token never seen", 22, func() { _, _ = never.VerifyToken(t.Context(), token) }},
		{"garbage", 1, func() { _, _ = auth.VerifyToken(t.Context(), "garbage") }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			harness.CountsAllocations(t)
			if got := testing.AllocsPerRun(100, tt.run); got != tt.want {
				t.Errorf("%v allocations, want %v", got, tt.want)
			}
		})
	}
}
