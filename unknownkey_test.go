package clerkauth_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

func TestARotatedKeyIsFoundAtOnce(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.want(k.token, "", 0)
		k.asked(1)
		if got := k.auth.Generation(); got != 1 {
			k.Errorf("generation %d, want 1", got)
		}
		k.clerk.RotateKey()
		k.want(k.mint(), "", 0)
		if f := k.asked(1); f[0].header.Get("Cache-Control") != "no-cache" {
			k.Errorf("asked for an unknown key with Cache-Control %q, want no-cache", f[0].header.Get("Cache-Control"))
		}
		k.want(k.token, "", 0)
		k.asked(0)
		if got := k.auth.Generation(); got != 2 {
			k.Errorf("generation %d, want 2", got)
		}
	})
}

// A clock that stands still, as in tests, hides no rotation.
func TestARotatedKeyIsFoundWhenTheClockStandsStill(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Now: atNoon})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got := judged(t, auth, clerk.Token(clerktest.Claims{})); got != "" {
			t.Errorf("got %q, want a session", got)
		}
		clerk.RotateKey()
	}
}

func TestADroppedKeyIsGoneAtOnce(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.want(k.token, "", 0)
		first := k.clerk.KeyID()
		k.clerk.RotateKey()
		k.clerk.RevokeKey(first)
		k.want(k.token, "", 0) // nobody has told
		second := k.mint()
		k.want(second, "", 0) // asks
		k.asked(2)
		k.want(k.token, clerkauth.ReasonKeyUnknown, 0)
		k.asked(0)
		k.want(second, "", 0)
		time.Sleep(10 * time.Second)
		k.want(k.token, clerkauth.ReasonKeyUnknown, 0)
		k.asked(1)
	})
}

func TestRandomKIDsMakeOneFetch(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.want(k.token, "", 0)
		k.asked(1)
		together(32, func(i int) {
			for j := range 1000 / 32 {
				k.want(k.stranger(fmt.Sprintf("ins_%d_%d", i, j)), clerkauth.ReasonKeyUnknown, 0)
			}
		})
		k.asked(1)
		time.Sleep(10*time.Second - 1)
		k.want(k.stranger("ins_x"), clerkauth.ReasonKeyUnknown, 0)
		k.asked(0)
		time.Sleep(time.Nanosecond)
		k.want(k.stranger("ins_x"), clerkauth.ReasonKeyUnknown, 0)
		k.asked(1)
	})
}

// strangers sends n tokens of unknown keys at once and counts how they are refused and after what time.
func (k *keyed) strangers(ctx context.Context, n int) map[string]int {
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = k.stranger(fmt.Sprint("ins_", i))
	}
	results := make([]string, n)
	together(n, func(i int) {
		begin := time.Now()
		_, err := k.auth.VerifyToken(ctx, tokens[i])
		results[i] = fmt.Sprint(err, " in ", time.Since(begin))
	})
	counts := map[string]int{}
	for _, r := range results {
		counts[r]++
	}
	return counts
}

func TestOnlySoManyWaitForAnUnknownKey(t *testing.T) {
	for name, c := range map[string]struct {
		fault   clerktest.Fault
		timeout time.Duration
		waited  string // of those that wait
	}{
		"slow":                {clerktest.Slow(2 * time.Second), time.Hour, "clerkauth: jwk-kid-mismatch in 2s"},
		"hanging":             {clerktest.Hang, time.Hour, "clerkauth: jwk-remote-failed-to-load in 3s"},
		"the request is done": {clerktest.Hang, time.Second, "clerkauth: jwk-remote-failed-to-load in 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			withKeys(t, func(k *keyed) {
				k.want(k.token, "", 0)
				k.asked(1)
				k.fault(c.fault)
				for range 2 { // who has waited makes room
					ctx, cancel := context.WithTimeout(k.Context(), c.timeout)
					got := k.strangers(ctx, 200)
					cancel()
					if got[c.waited] != 64 || got["clerkauth: jwk-remote-failed-to-load in 0s"] != 136 {
						k.Errorf("got %v, want 64 × %s and 136 at once", got, c.waited)
					}
					k.asked(1)
					time.Sleep(10 * time.Second)
				}
			})
		})
	}
}

// Whoever asks for a key that nobody knows delays nobody else.
func TestKnownKeysNeverWait(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.want(k.token, "", 0)
		k.fault(clerktest.Hang)
		token := k.stranger("ins_x")
		go k.want(token, clerkauth.ReasonKeysUnavailable, 3*time.Second)
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			k.want(k.token, "", 0)
		}
	})
}

func TestUnknownKeysWhileTheEndpointFails(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.want(k.token, "", 0)
		k.asked(1)
		k.fault(clerktest.Down)
		k.want(k.stranger("ins_1"), clerkauth.ReasonKeysUnavailable, 0)
		k.asked(1)
		k.want(k.stranger("ins_2"), clerkauth.ReasonKeysUnavailable, 0) // whose it is cannot be told
		k.asked(0)
		k.want(k.token, "", 0)
		k.fault(nil)
		time.Sleep(10 * time.Second)
		k.want(k.token, "", 0) // a refresh is due
		k.asked(1)
		k.want(k.stranger("ins_3"), clerkauth.ReasonKeyUnknown, 0)
		k.asked(1)
		k.want(k.stranger("ins_4"), clerkauth.ReasonKeyUnknown, 0)
		k.asked(0)
	})
}

// A refresh that was under way may have been answered by a cache, which does not have the key yet.
func TestAnUnknownKeyIsAskedForPastCaches(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.want(k.token, "", 0)
		k.clerk.RotateKey()
		token := k.mint()
		k.fault(func(honest http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(time.Second)
				if r.Header.Get("Cache-Control") == "no-cache" {
					honest.ServeHTTP(w, r)
					return
				}
				w.WriteHeader(http.StatusNotModified)
			})
		})
		time.Sleep(270 * time.Second)
		k.want(k.token, "", 0) // begins a refresh
		synctest.Wait()
		together(10, func(int) { k.want(token, "", 2*time.Second) })
		k.asked(3)
	})
}

// Requests that waited for the same refresh and still do not know the key ask together, whichever came first.
func TestThoseWhoWaitedAskTogether(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.want(k.token, "", 0)
		time.Sleep(270 * time.Second)
		k.asked(1)
		k.fault(clerktest.Slow(time.Second))
		k.want(k.token, "", 0) // begins a refresh
		synctest.Wait()
		k.fault(nil)
		together(20, func(i int) {
			time.Sleep(time.Duration(i) * time.Millisecond)
			k.want(k.stranger(fmt.Sprint("ins_", i)), clerkauth.ReasonKeyUnknown, time.Second-time.Duration(i)*time.Millisecond)
		})
		k.asked(2)
	})
}

// What cannot be a session token of this instance costs nothing, and waits for nothing.
func TestGarbageNeitherFetchesNorWaits(t *testing.T) {
	withKeys(t, func(k *keyed) {
		k.fault(clerktest.Hang)
		header := func(name string, value any) string {
			return k.clerk.Token(clerktest.Claims{Header: map[string]any{name: value}})
		}
		for token, want := range map[string]clerkauth.Reason{
			"": clerkauth.ReasonTokenInvalid, "garbage": clerkauth.ReasonTokenInvalid, "..": clerkauth.ReasonTokenInvalid,
			k.token + "\n":                          clerkauth.ReasonTokenInvalid,
			"ak_" + k.token:                         clerkauth.ReasonTokenTypeMismatch,
			header("crit", "exp"):                   clerkauth.ReasonTokenInvalid,
			header("cat", "x"):                      clerkauth.ReasonTokenTypeMismatch,
			header("typ", "at+jwt"):                 clerkauth.ReasonTokenTypeMismatch,
			header("kid", ""):                       clerkauth.ReasonKeyUnknown,
			header("kid", 5):                        clerkauth.ReasonKeyUnknown,
			header("kid", nil):                      clerkauth.ReasonKeyUnknown,
			header("kid", clerktest.Absent):         clerkauth.ReasonKeyUnknown,
			header("kid", strings.Repeat("k", 257)): clerkauth.ReasonKeyUnknown,
			k.clerk.Token(clerktest.Claims{RawPayload: []byte("null")}): clerkauth.ReasonTokenInvalid,
		} {
			k.want(token, want, 0)
		}
		k.asked(0)
		k.want(header("kid", strings.Repeat("k", 256)), clerkauth.ReasonKeysUnavailable, 3*time.Second)
		k.asked(1)
	})
}

// A time to wait for that lies in a future which the clock has left is none.
func TestPausesOfAClockThatGoesBack(t *testing.T) {
	var back time.Duration
	clock := func(cfg *clerkauth.Config) { cfg.Now = func() time.Time { return time.Now().Add(-back) } }
	withKeys(t, func(k *keyed) {
		back = 0
		k.fault(clerktest.Down)
		k.want(k.token, clerkauth.ReasonKeysUnavailable, 0)
		k.fault(nil)
		k.want(k.token, clerkauth.ReasonKeysUnavailable, 0)
		k.asked(1)
		back = time.Hour
		token := k.clerk.Token(clerktest.Claims{Extra: map[string]any{"iat": 0, "nbf": 0}})
		k.want(token, "", 0)
		k.asked(1)
		k.want(k.stranger("ins_1"), clerkauth.ReasonKeyUnknown, 0)
		k.asked(1)
		back = time.Hour + time.Minute
		k.want(k.stranger("ins_2"), clerkauth.ReasonKeyUnknown, 0)
		k.asked(1)
		k.want(k.stranger("ins_3"), clerkauth.ReasonKeyUnknown, 0)
		k.asked(0)
	}, clock)
}

func TestKeysOfAClockThatGoesBack(t *testing.T) {
	for name, c := range map[string]struct {
		back    time.Duration
		fault   clerktest.Fault
		want    clerkauth.Reason
		fetched int
	}{
		"a second":                  {time.Second, clerktest.Down, "", 0},
		"five minutes":              {5 * time.Minute, clerktest.Down, "", 0},
		"more":                      {5*time.Minute + 1, nil, "", 1},
		"more, and nobody is there": {5*time.Minute + 1, clerktest.Down, clerkauth.ReasonKeysUnavailable, 1},
		"a year":                    {365 * 24 * time.Hour, nil, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var back time.Duration
			withKeys(t, func(k *keyed) {
				token := k.clerk.Token(clerktest.Claims{Extra: map[string]any{"iat": 0, "nbf": 0, "exp": k.begun.Add(time.Hour).Unix()}})
				k.want(token, "", 0)
				k.asked(1)
				k.fault(c.fault)
				back = c.back
				k.want(token, c.want, 0)
				k.asked(c.fetched)
			}, func(cfg *clerkauth.Config) { cfg.Now = func() time.Time { return time.Now().Add(-back) } })
		})
	}
}
