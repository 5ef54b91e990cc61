package threats_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// opaqueKind is a kind of credential that the Backend API verifies.
type opaqueKind struct {
	prefix   string
	endpoint clerktest.Endpoint
	mint     func(clerktest.MachineClaims) string
}

// everyKind returns an application that accepts every kind, by a clock of its own.
func everyKind(t *testing.T) (h http.Handler, clerk *clerktest.Instance, kinds []opaqueKind) {
	t.Helper()
	a := harness.NewAppOf(t, clerktest.New(t, clerktest.Options{}))
	return a.Accept(clerkauth.APIKeys(), clerkauth.OAuthTokens(), clerkauth.M2MTokens())(machineGreet), a.Clerk, []opaqueKind{
		{"ak_", clerktest.BackendVerifyAPIKey, a.Clerk.APIKey}, {"oat_", clerktest.BackendVerifyOAuth, a.Clerk.OAuth}, {"mt_", clerktest.BackendVerifyM2M, a.Clerk.M2M},
	}
}

// A failure or flood of one kind stops no other: a failing server, made-up credentials, calls that
// hang.
func TestKindsStopNoOther(t *testing.T) {
	for name, attack := range map[string]func(h http.Handler, clerk *clerktest.Instance, k opaqueKind, all *sync.WaitGroup){
		"an endpoint that fails": func(h http.Handler, clerk *clerktest.Instance, k opaqueKind, _ *sync.WaitGroup) {
			clerk.Fault(k.endpoint, clerktest.Down)
			for i := range 20 {
				outcome(h, fmt.Sprint(k.prefix, "made", i))
			}
		},
		"made-up credentials": func(h http.Handler, _ *clerktest.Instance, k opaqueKind, _ *sync.WaitGroup) {
			for i := range 300 {
				outcome(h, fmt.Sprint(k.prefix, "made", i))
			}
		},
		"questions that hang": func(h http.Handler, clerk *clerktest.Instance, k opaqueKind, all *sync.WaitGroup) {
			clerk.Fault(k.endpoint, clerktest.Slow(4*time.Second))
			for i := range 90 {
				all.Go(func() { outcome(h, fmt.Sprint(k.prefix, "made", i)) })
			}
			synctest.Wait()
		},
	} {
		for attacked := range 3 {
			synctest.Test(t, func(t *testing.T) {
				h, clerk, kinds := everyKind(t)
				var all sync.WaitGroup
				attack(h, clerk, kinds[attacked], &all)
				for i, k := range kinds {
					want := letIn
					if i == attacked {
						want = open
					}
					if got := outcome(h, k.mint(clerktest.MachineClaims{})); got != want {
						t.Errorf("%s of %s: a credential of %s got %s, want %s", name, kinds[attacked].prefix, k.prefix, got, want)
					}
				}
				all.Wait()
			})
		}
	}
}

// Failing calls about strangers' credentials stop none about a credential of the same kind that was
// good lately.
func TestFailuresOfStrangersStopNoKnownCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, clerk, kinds := everyKind(t)
		for _, k := range kinds {
			good := k.mint(clerktest.MachineClaims{})
			if got := outcome(h, good); got != letIn {
				t.Fatalf("got %v, want %v", got, letIn)
			}
			clerk.Fault(k.endpoint, clerktest.Status(http.StatusTooManyRequests, nil))
			for i := range 20 {
				outcome(h, fmt.Sprint(k.prefix, "made", i))
			}
			clerk.Fault(k.endpoint, nil)
			if got := outcome(h, good); got != letIn {
				t.Errorf("%s: got %s, want let in", k.prefix, got)
			}
			if got := outcome(h, k.mint(clerktest.MachineClaims{})); got != open {
				t.Errorf("%s, unknown: got %s, want that it cannot be told", k.prefix, got)
			}
		}
	})
}

// Honest credentials use up no allowance: after a restart all of them are unknown at once.
func TestHonestCredentialsUseUpNoAllowance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := keyed(t)
		for i := range 300 {
			if got := outcome(h, a.Clerk.APIKey(clerktest.MachineClaims{})); got != letIn {
				t.Fatalf("%d: got %s, want %s", i, got, letIn)
			}
		}
		revoked := make([]string, 120)
		for i := range revoked {
			revoked[i] = a.Clerk.APIKey(clerktest.MachineClaims{})
			a.Clerk.Revoke(revoked[i])
			outcome(h, revoked[i])
		}
		if n := calls(a); n != 300+100 {
			t.Errorf("%d questions, want that invalid credentials use up the allowance", n)
		}
	})
}

// Many credentials that were good lately may be verified at the same time.
func TestManyKnownCredentialsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := keyed(t)
		keys := make([]string, 200)
		for i := range keys {
			keys[i] = a.Clerk.APIKey(clerktest.MachineClaims{})
			outcome(h, keys[i])
		}
		a.Clerk.Fault(clerktest.BackendVerifyAPIKey, clerktest.Slow(time.Second))
		var all sync.WaitGroup
		for _, key := range keys {
			all.Go(func() {
				if got := outcome(h, key); got != letIn {
					t.Errorf("got %s, want %s", got, letIn)
				}
			})
		}
		all.Wait()
	})
}

// A failed call is the answer for all who wait for it: nobody waits for a second failure.
func TestAQuestionThatFailsFailsForAllWhoWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := keyed(t)
		a.Clerk.Fault(clerktest.BackendVerifyAPIKey, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				time.Sleep(time.Second)
				w.WriteHeader(http.StatusBadGateway)
			})
		})
		key, began := a.Clerk.APIKey(clerktest.MachineClaims{}), time.Now()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if got := outcome(h, key); got != open || time.Since(began) != time.Second {
					t.Errorf("%s after %s, want %s %s", got, time.Since(began), open, time.Second)
				}
			})
		}
		all.Wait()
		if n := calls(a); n != 1 {
			t.Errorf("%d questions, want 1", n)
		}
	})
}
