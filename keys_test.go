package clerkauth_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// fetched is a request for keys.
type fetched struct {
	at     time.Duration // since the beginning
	header http.Header
}

// keyed is an application whose keys are fetched, in a bubble of its own time: the network takes none, but for
// faults, and the bubble does not end before every goroutine has.
type keyed struct {
	*testing.T

	clerk *clerktest.Instance
	auth  *clerkauth.Authenticator
	token string // honest, of the first key, for a week
	begun time.Time
	log   *strings.Builder

	mu      sync.Mutex
	fetches []fetched
}

func withKeys(t *testing.T, test func(k *keyed), changes ...func(*clerkauth.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k := &keyed{T: t, clerk: clerktest.New(t, clerktest.Options{}), begun: time.Now(), log: &strings.Builder{}}
		cfg := k.clerk.Config()
		network := cfg.HTTPClient.Transport
		cfg.HTTPClient = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			k.mu.Lock()
			k.fetches = append(k.fetches, fetched{time.Since(k.begun), r.Header.Clone()})
			k.mu.Unlock()
			return network.RoundTrip(r)
		})}
		cfg.Logger = slog.New(slog.NewTextHandler(k.log, nil))
		for _, change := range changes {
			change(&cfg)
		}
		auth, err := clerkauth.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		k.auth, k.token = auth, k.mint()
		test(k)
	})
}

// mint makes an honest token of the current key, good for a week.
func (k *keyed) mint() string {
	return k.clerk.Token(clerktest.Claims{IssuedAt: k.begun, ExpiresAt: k.begun.Add(7 * 24 * time.Hour)})
}

// stranger is a token with a kid that nobody published.
func (k *keyed) stranger(kid string) string {
	_, rest, _ := strings.Cut(k.token, ".")
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"alg":"RS256","kid":%q}`, kid)) + "." + rest
}

func (k *keyed) fault(f clerktest.Fault) { k.clerk.Fault(clerktest.BackendJWKS, f) }

// want judges a token and holds the reason, and the time it took, to what is wanted.
func (k *keyed) want(token string, want clerkauth.Reason, took time.Duration) {
	k.Helper()
	k.wantIn(k.Context(), token, want, took)
}

func (k *keyed) wantIn(ctx context.Context, token string, want clerkauth.Reason, took time.Duration) {
	k.Helper()
	begin := time.Now()
	_, err := k.auth.VerifyToken(ctx, token)
	waited := time.Since(begin)
	var got clerkauth.Reason
	if err != nil {
		got = err.(*clerkauth.Error).Reason //nolint:errorlint // VerifyToken promises it
	}
	if got != want || waited != took {
		k.Errorf("after %v: got %q in %v, want %q in %v", begin.Sub(k.begun), got, waited, want, took)
	}
}

// asked waits for the fetches under way and holds the number of those since the last call to what is wanted.
func (k *keyed) asked(want int) []fetched {
	k.Helper()
	synctest.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	got := k.fetches
	k.fetches = nil
	if len(got) != want {
		k.Errorf("after %v: %d fetches, want %d", time.Since(k.begun), len(got), want)
	}
	return got
}

// logged is the log, once the fetches under way are done.
func (k *keyed) logged() string {
	synctest.Wait()
	return k.log.String()
}

// together calls f n times at once and returns when all have.
func together(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

func TestFirstRequestsShareAFetch(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.fault(clerktest.Slow(2 * time.Second))
		together(1000, func(int) { k.want(k.token, "", 2*time.Second) })
		k.asked(1)
		k.want(k.token, "", 0)
		k.asked(0)
	})
}

// Somebody who gives up takes nobody along: a fetch has a context of its own.
func TestAFetchOutlivesWhoBeganIt(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.fault(clerktest.Slow(2 * time.Second))
		ctx, cancel := context.WithTimeout(k.Context(), time.Second)
		defer cancel()
		k.wantIn(ctx, k.token, clerkauth.ReasonKeysUnavailable, time.Second)
		k.want(k.token, "", time.Second)
		k.asked(1)
	})
}

func TestWithoutKeysARequestWaitsThreeSeconds(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.fault(clerktest.Hang)
		together(100, func(int) { k.want(k.token, clerkauth.ReasonKeysUnavailable, 3*time.Second) })
		k.want(k.token, clerkauth.ReasonKeysUnavailable, 2*time.Second) // what is left of the fetch
		k.asked(1)
		k.want(k.token, clerkauth.ReasonKeysUnavailable, 0) // one has just failed
		k.asked(0)
		k.fault(nil)
		time.Sleep(time.Second)
		k.want(k.token, "", 0)
		k.asked(1)
	})
}

func TestKeysAreRefreshedInTheBackground(t *testing.T) {
	when := map[time.Duration]bool{}
	withKeys(t, func(k *keyed) {
		k.want(k.token, "", 0)
		last := k.asked(1)[0].at
		k.fault(clerktest.Slow(time.Second))
		for range 20 {
			for len(k.fetches) == 0 {
				time.Sleep(time.Second)
				k.want(k.token, "", 0)
				synctest.Wait()
			}
			at := k.asked(1)[0].at
			if age := at - last; age < 216*time.Second || age > 265*time.Second {
				k.Errorf("refreshed after %v, want 4 min, give or take a tenth", age)
			}
			when[at-last], last = true, at
			time.Sleep(time.Second)
		}
	})
	if len(when) < 5 {
		t.Errorf("refreshed after %v, want them apart: replicas that begin together would ask together for ever", when)
	}
}

func TestKeysLeftAloneAreRefreshedBeforeUse(t *testing.T) {
	for name, c := range map[string]struct {
		idle    time.Duration
		fault   clerktest.Fault
		timeout time.Duration // of the request
		revoked bool
		took    time.Duration
		want    clerkauth.Reason
	}{
		"just before":         {idle: 5*time.Minute - 1, fault: clerktest.Slow(time.Second)},
		"then":                {idle: 5 * time.Minute, fault: clerktest.Slow(time.Second), took: time.Second},
		"a day later":         {idle: 24 * time.Hour, fault: clerktest.Slow(time.Second), took: time.Second},
		"a day and more":      {idle: 25 * time.Hour, fault: clerktest.Slow(time.Second), took: time.Second},
		"revoked meanwhile":   {idle: 5 * time.Minute, revoked: true, want: clerkauth.ReasonKeyUnknown},
		"the endpoint hangs":  {idle: 5 * time.Minute, fault: clerktest.Hang, took: 3 * time.Second},
		"the request is done": {idle: 5 * time.Minute, fault: clerktest.Hang, timeout: time.Second, took: time.Second},
		"the endpoint fails":  {idle: 5 * time.Minute, fault: clerktest.Down},
	} {
		t.Run(name, func(t *testing.T) {
			withKeys(t, func(k *keyed) {
				k.want(k.token, "", 0)
				k.asked(1)
				time.Sleep(c.idle)
				k.fault(c.fault)
				if c.revoked {
					kid := k.clerk.KeyID()
					k.clerk.RotateKey()
					k.clerk.RevokeKey(kid)
				}
				ctx := k.Context()
				if c.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.timeout)
					defer cancel()
				}
				k.wantIn(ctx, k.token, c.want, c.took)
				k.asked(1)
			})
		})
	}
}

// A fetch that hangs delays those who come within its first three seconds, by what is left of them, and nobody later.
func TestAHangingFetchDelaysOnce(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.want(k.token, "", 0)
		time.Sleep(time.Hour)
		k.fault(clerktest.Hang)
		together(4, func(i int) {
			after := time.Duration(i) * 1500 * time.Millisecond
			time.Sleep(after)
			k.want(k.token, "", max(0, 3*time.Second-after))
		})
		for range 1000 {
			time.Sleep(100 * time.Millisecond)
			k.want(k.token, "", 0)
		}
	})
}

func TestKeysOutliveTheirEndpoint(t *testing.T) {
	for name, fault := range map[string]clerktest.Fault{
		"down": clerktest.Down, "hangs": clerktest.Hang, "garbage": clerktest.Garbage, "empty set": clerktest.EmptySet, "huge": clerktest.HugeBody,
		"500": clerktest.Status(500, nil), "401": clerktest.Status(401, nil), "404": clerktest.Status(404, nil), "204": clerktest.Status(204, nil),
		"{}": answer(`{}`), "null": answer(`null`), "keys null": answer(`{"keys":null}`), "keys text": answer(`{"keys":"x"}`), "nothing": answer(``),
		"keys twice": answer(`{"keys":[],"keys":[]}`), "KEYS": answer(`{"KEYS":[]}`), "half": answer(`{"keys":[{"kty":"RSA","kid":`),
		"slower than 5 s": clerktest.Slow(5001 * time.Millisecond),
	} {
		t.Run(name, func(t *testing.T) {
			withKeys(t, func(k *keyed) {
				k.want(k.token, "", 0)
				time.Sleep(4*time.Minute - 25*time.Second)
				k.fault(fault)
				for time.Since(k.begun) < time.Hour {
					k.want(k.token, "", 0)
					time.Sleep(30 * time.Second)
				}
				if k.auth.Generation() != 1 {
					k.Errorf("the keys changed")
				}
				log := k.logged()
				if warned, leftOut := strings.Count(log, "level=WARN"), strings.Count(log, "left_out="); warned != 6 || leftOut != 5 {
					k.Errorf("%d warnings, %d of them with a number of those left out; want one at once and one every 10 minutes:\n%s", warned, leftOut, log)
				}
			})
		})
	}
}

// answer is a fault that answers 200 with a body.
func answer(body string) clerktest.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) })
	}
}
