package clerkauth_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestFirstRequestsShareAFetch(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Fault(clerktest.Slow(2 * time.Second))
		harness.Together(1000, func(int) { k.Want(k.Token, "", 2*time.Second) })
		k.WantFetches(1)
		k.Want(k.Token, "", 0)
		k.WantFetches(0)
	})
}

// A request that gives up does not affect others: a fetch has its own context.
func TestAFetchOutlivesWhoBeganIt(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Fault(clerktest.Slow(2 * time.Second))
		ctx, cancel := context.WithTimeout(k.Context(), time.Second)
		defer cancel()
		k.WantIn(ctx, k.Token, clerkauth.ReasonKeysUnavailable, time.Second)
		k.Want(k.Token, "", time.Second)
		k.WantFetches(1)
	})
}

func TestWithoutKeysARequestWaitsThreeSeconds(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Fault(clerktest.Hang)
		harness.Together(100, func(int) { k.Want(k.Token, clerkauth.ReasonKeysUnavailable, 3*time.Second) })
		k.Want(k.Token, clerkauth.ReasonKeysUnavailable, 2*time.Second) // one fetch has just failed
		k.WantFetches(1)
		k.Want(k.Token, clerkauth.ReasonKeysUnavailable, 0) // one has just failed
		k.WantFetches(0)
		k.Fault(nil)
		time.Sleep(time.Second)
		k.Want(k.Token, "", 0)
		k.WantFetches(1)
	})
}

func TestKeysAreRefreshedInTheBackground(t *testing.T) {
	when := map[time.Duration]bool{}
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		last := k.WantFetches(1)[0].At
		k.Fault(clerktest.Slow(time.Second))
		for range 20 {
			var fetches []harness.Fetched
			for ; len(fetches) == 0; fetches = k.Fetches() {
				time.Sleep(time.Second)
				k.Want(k.Token, "", 0)
			}
			at := fetches[0].At
			if age := at - last; age < 216*time.Second || age > 265*time.Second {
				k.Errorf("got a refresh after %v, want 4 min ± 10 %%", age)
			}
			when[at-last], last = true, at
			time.Sleep(time.Second)
		}
	})
	if len(when) < 5 {
		t.Errorf("got refreshes after %v, want different times: replicas that start together must not fetch together every time", when)
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
			harness.WithKeys(t, func(k *harness.Keyed) {
				k.Want(k.Token, "", 0)
				k.WantFetches(1)
				time.Sleep(c.idle)
				k.Fault(c.fault)
				if c.revoked {
					kid := k.Clerk.KeyID()
					k.Clerk.RotateKey()
					k.Clerk.RevokeKey(kid)
				}
				ctx := k.Context()
				if c.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.timeout)
					defer cancel()
				}
				k.WantIn(ctx, k.Token, c.want, c.took)
				k.WantFetches(1)
			})
		})
	}
}

// A fetch that hangs delays requests only in its first three seconds: each waits for the rest of
// them. Later requests do not wait.
func TestAHangingFetchDelaysOnce(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		time.Sleep(time.Hour)
		k.Fault(clerktest.Hang)
		harness.Together(4, func(i int) {
			after := time.Duration(i) * 1500 * time.Millisecond
			time.Sleep(after)
			k.Want(k.Token, "", max(0, 3*time.Second-after))
		})
		for range 1000 {
			time.Sleep(100 * time.Millisecond)
			k.Want(k.Token, "", 0)
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
		if testing.Short() && name != "down" && name != "half" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			harness.WithKeys(t, func(k *harness.Keyed) {
				k.Want(k.Token, "", 0)
				time.Sleep(4*time.Minute - 25*time.Second)
				k.Fault(fault)
				for time.Since(k.Begun) < time.Hour {
					k.Want(k.Token, "", 0)
					time.Sleep(30 * time.Second)
				}
				if k.Auth.Generation() != 1 {
					k.Errorf("the keys changed")
				}
				log := k.Logged()
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
