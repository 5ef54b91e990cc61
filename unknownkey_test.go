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
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestARotatedKeyIsFoundAtOnce(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		k.WantFetches(1)
		if got := k.Auth.Generation(); got != 1 {
			k.Errorf("generation %d, want 1", got)
		}
		k.Clerk.RotateKey()
		k.Want(k.Mint(), "", 0)
		if f := k.WantFetches(1); f[0].Header.Get("Cache-Control") != "no-cache" {
			k.Errorf("asked for an unknown key with Cache-Control %q, want no-cache", f[0].Header.Get("Cache-Control"))
		}
		k.Want(k.Token, "", 0)
		k.WantFetches(0)
		if got := k.Auth.Generation(); got != 2 {
			k.Errorf("generation %d, want 2", got)
		}
	})
}

// A clock that does not advance, as in tests, does not hide a rotation.
func TestARotatedKeyIsFoundWhenTheClockStandsStill(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Now: harness.AtNoon})
	auth := harness.New(t, clerk)
	for range 2 {
		if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{})); got != "" {
			t.Errorf("got %q, want a session", got)
		}
		clerk.RotateKey()
	}
}

func TestADroppedKeyIsGoneAtOnce(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		first := k.Clerk.KeyID()
		k.Clerk.RotateKey()
		k.Clerk.RevokeKey(first)
		k.Want(k.Token, "", 0) // nothing has triggered a fetch
		second := k.Mint()
		k.Want(second, "", 0) // triggers a fetch
		k.WantFetches(2)
		k.Want(k.Token, clerkauth.ReasonKeyUnknown, 0)
		k.WantFetches(0)
		k.Want(second, "", 0)
		time.Sleep(10 * time.Second)
		k.Want(k.Token, clerkauth.ReasonKeyUnknown, 0)
		k.WantFetches(1)
	})
}

func TestRandomKIDsMakeOneFetch(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		k.WantFetches(1)
		harness.Together(32, func(i int) {
			for j := range 1000 / 32 {
				k.Want(k.Stranger(fmt.Sprintf("ins_%d_%d", i, j)), clerkauth.ReasonKeyUnknown, 0)
			}
		})
		k.WantFetches(1)
		time.Sleep(10*time.Second - 1)
		k.Want(k.Stranger("ins_x"), clerkauth.ReasonKeyUnknown, 0)
		k.WantFetches(0)
		time.Sleep(time.Nanosecond)
		k.Want(k.Stranger("ins_x"), clerkauth.ReasonKeyUnknown, 0)
		k.WantFetches(1)
	})
}

func TestOnlySoManyWaitForAnUnknownKey(t *testing.T) {
	for name, c := range map[string]struct {
		fault   clerktest.Fault
		timeout time.Duration
		waited  string // reason of those that wait
	}{
		"slow":                {clerktest.Slow(2 * time.Second), time.Hour, "clerkauth: jwk-kid-mismatch in 2s"},
		"hanging":             {clerktest.Hang, time.Hour, "clerkauth: jwk-remote-failed-to-load in 3s"},
		"the request is done": {clerktest.Hang, time.Second, "clerkauth: jwk-remote-failed-to-load in 1s"},
	} {
		t.Run(name, func(t *testing.T) {
			harness.WithKeys(t, func(k *harness.Keyed) {
				k.Want(k.Token, "", 0)
				k.WantFetches(1)
				k.Fault(c.fault)
				for range 2 { // requests free their slots after they have waited
					ctx, cancel := context.WithTimeout(k.Context(), c.timeout)
					got := k.Strangers(ctx, 200)
					cancel()
					if got[c.waited] != 64 || got["clerkauth: jwk-remote-failed-to-load in 0s"] != 136 {
						k.Errorf("got %v, want 64 × %s and 136 at once", got, c.waited)
					}
					k.WantFetches(1)
					time.Sleep(10 * time.Second)
				}
			})
		})
	}
}

// A request for an unknown key does not delay others.
func TestKnownKeysNeverWait(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		k.Fault(clerktest.Hang)
		token := k.Stranger("ins_x")
		go k.Want(token, clerkauth.ReasonKeysUnavailable, 3*time.Second)
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			k.Want(k.Token, "", 0)
		}
	})
}

func TestUnknownKeysWhileTheEndpointFails(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		k.WantFetches(1)
		k.Fault(clerktest.Down)
		k.Want(k.Stranger("ins_1"), clerkauth.ReasonKeysUnavailable, 0)
		k.WantFetches(1)
		k.Want(k.Stranger("ins_2"), clerkauth.ReasonKeysUnavailable, 0) // the key's owner is unknown
		k.WantFetches(0)
		k.Want(k.Token, "", 0)
		k.Fault(nil)
		time.Sleep(10 * time.Second)
		k.Want(k.Token, "", 0) // a refresh is due
		k.WantFetches(1)
		k.Want(k.Stranger("ins_3"), clerkauth.ReasonKeyUnknown, 0)
		k.WantFetches(1)
		k.Want(k.Stranger("ins_4"), clerkauth.ReasonKeyUnknown, 0)
		k.WantFetches(0)
	})
}

// A fetch in progress may have been answered by a cache that does not have the key yet.
func TestAnUnknownKeyIsFetchedPastCaches(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		k.Clerk.RotateKey()
		token := k.Mint()
		k.Fault(func(honest http.Handler) http.Handler {
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
		k.Want(k.Token, "", 0) // begins a refresh
		synctest.Wait()
		harness.Together(10, func(int) { k.Want(token, "", 2*time.Second) })
		k.WantFetches(3)
	})
}

// Requests that waited for the same fetch and still do not have the key start one fetch together,
// in any order.
func TestThoseWhoWaitedAskTogether(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		time.Sleep(270 * time.Second)
		k.WantFetches(1)
		k.Fault(clerktest.Slow(time.Second))
		k.Want(k.Token, "", 0) // begins a refresh
		synctest.Wait()
		k.Fault(nil)
		harness.Together(20, func(i int) {
			time.Sleep(time.Duration(i) * time.Millisecond)
			k.Want(k.Stranger(fmt.Sprint("ins_", i)), clerkauth.ReasonKeyUnknown, time.Second-time.Duration(i)*time.Millisecond)
		})
		k.WantFetches(2)
	})
}

// What cannot be a session token of this instance causes no fetch, and does not wait.
func TestGarbageNeitherFetchesNorWaits(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Fault(clerktest.Hang)
		header := func(name string, value any) string {
			return k.Clerk.Token(clerktest.Claims{Header: map[string]any{name: value}})
		}
		for token, want := range map[string]clerkauth.Reason{
			"": clerkauth.ReasonTokenInvalid, "garbage": clerkauth.ReasonTokenInvalid, "..": clerkauth.ReasonTokenInvalid,
			k.Token + "\n":                          clerkauth.ReasonTokenInvalid,
			"ak_" + k.Token:                         clerkauth.ReasonTokenTypeMismatch,
			header("crit", "exp"):                   clerkauth.ReasonTokenInvalid,
			header("cat", "x"):                      clerkauth.ReasonTokenTypeMismatch,
			header("typ", "at+jwt"):                 clerkauth.ReasonTokenTypeMismatch,
			header("kid", ""):                       clerkauth.ReasonKeyUnknown,
			header("kid", 5):                        clerkauth.ReasonKeyUnknown,
			header("kid", nil):                      clerkauth.ReasonKeyUnknown,
			header("kid", clerktest.Absent):         clerkauth.ReasonKeyUnknown,
			header("kid", strings.Repeat("k", 257)): clerkauth.ReasonKeyUnknown,
			k.Clerk.Token(clerktest.Claims{RawPayload: []byte("null")}): clerkauth.ReasonTokenInvalid,
		} {
			k.Want(token, want, 0)
		}
		k.WantFetches(0)
		k.Want(header("kid", strings.Repeat("k", 256)), clerkauth.ReasonKeysUnavailable, 3*time.Second)
		k.WantFetches(1)
	})
}

// A pause that ends in the future, because the clock was set back, does not count.
func TestPausesOfAClockThatGoesBack(t *testing.T) {
	var back time.Duration
	clock := func(cfg *clerkauth.Config) { cfg.Now = func() time.Time { return time.Now().Add(-back) } }
	harness.WithKeys(t, func(k *harness.Keyed) {
		back = 0
		k.Fault(clerktest.Down)
		k.Want(k.Token, clerkauth.ReasonKeysUnavailable, 0)
		k.Fault(nil)
		k.Want(k.Token, clerkauth.ReasonKeysUnavailable, 0)
		k.WantFetches(1)
		back = time.Hour
		token := k.Clerk.Token(clerktest.Claims{Extra: map[string]any{"iat": 0, "nbf": 0}})
		k.Want(token, "", 0)
		k.WantFetches(1)
		k.Want(k.Stranger("ins_1"), clerkauth.ReasonKeyUnknown, 0)
		k.WantFetches(1)
		back = time.Hour + time.Minute
		k.Want(k.Stranger("ins_2"), clerkauth.ReasonKeyUnknown, 0)
		k.WantFetches(1)
		k.Want(k.Stranger("ins_3"), clerkauth.ReasonKeyUnknown, 0)
		k.WantFetches(0)
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
			harness.WithKeys(t, func(k *harness.Keyed) {
				token := k.Clerk.Token(clerktest.Claims{Extra: map[string]any{"iat": 0, "nbf": 0, "exp": k.Begun.Add(time.Hour).Unix()}})
				k.Want(token, "", 0)
				k.WantFetches(1)
				k.Fault(c.fault)
				back = c.back
				k.Want(token, c.want, 0)
				k.WantFetches(c.fetched)
			}, func(cfg *clerkauth.Config) { cfg.Now = func() time.Time { return time.Now().Add(-back) } })
		})
	}
}
