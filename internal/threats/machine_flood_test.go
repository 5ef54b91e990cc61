package threats_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// These tests show what machine credentials may cost the Backend API, and how floods affect honest
// clients.

// keyed returns an application that accepts API keys, by a clock of its own.
func keyed(t *testing.T, changes ...func(*clerkauth.Config)) (*harness.App, http.Handler) {
	t.Helper()
	a := harness.NewAppOf(t, clerktest.New(t, clerktest.Options{}), changes...)
	return a, a.Accept(clerkauth.APIKeys(), clerkauth.OAuthTokens())(machineGreet)
}

var machineGreet = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	m, _ := clerkauth.MachineFromContext(r.Context())
	_, _ = w.Write([]byte(m.ID))
})

// outcome returns the status of an answer, and its reason if it refuses.
func outcome(h http.Handler, credential string) string {
	w := harness.Serve(h, harness.Request("GET", "/", harness.WithBearer(credential)))
	return strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Header().Get("X-Clerk-Auth-Reason")))
}

const (
	letIn   = "200"
	invalid = "401 token-invalid"
	open    = "503 credential-unverifiable"
)

func calls(a *harness.App) int { return harness.Requests(a.Clerk, clerktest.BackendVerifyAPIKey) }

// Concurrent requests with the same credential share one call of the Backend API. Its answer is
// only for requests that were there when it was sent; later ones wait for the next call.
func TestOneQuestionPerCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := keyed(t)
		underWay, most := 0, 0
		a.Clerk.Fault(clerktest.BackendVerifyAPIKey, func(next http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				underWay++
				most = max(most, underWay)
				time.Sleep(time.Second)
				underWay--
				next.ServeHTTP(w, r)
			})
		})
		key := a.Clerk.APIKey(clerktest.MachineClaims{})
		for credential, tc := range map[string]struct {
			want      string
			questions int
		}{key: {letIn, 2}, key + "x": {invalid, 1}} {
			before := calls(a)
			var all sync.WaitGroup
			for range 200 {
				all.Go(func() {
					if got := outcome(h, credential); got != tc.want {
						t.Errorf("got %s, want %s", got, tc.want)
					}
				})
			}
			all.Wait()
			if n := calls(a) - before; n != tc.questions || most != 1 {
				t.Errorf("%s: %d questions, %d at a time; want %d, one at a time", tc.want, n, most, tc.questions)
			}
		}
	})
}

// A revocation is effective for every later request, even while a call is waiting that was answered
// before it.
func TestRevokedWhileAQuestionIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := keyed(t)
		a.Clerk.Fault(clerktest.BackendVerifyAPIKey, lateAnswers)
		key := a.Clerk.APIKey(clerktest.MachineClaims{})
		var all sync.WaitGroup
		all.Go(func() {
			if got := outcome(h, key); got != letIn {
				t.Errorf("before the revocation: got %s, want %s", got, letIn)
			}
		})
		time.Sleep(time.Millisecond)
		a.Clerk.Revoke(key)
		for range 20 {
			all.Go(func() {
				if got := outcome(h, key); got != invalid {
					t.Errorf("after the revocation: got %s, want %s", got, invalid)
				}
			})
		}
		all.Wait()
		if n := calls(a); n != 2 {
			t.Errorf("%d questions, want 2", n)
		}
	})
}

// lateAnswers delays the Backend API's answers by a second.
func lateAnswers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		time.Sleep(time.Second)
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// Made-up credentials cause a bounded number of calls, and do not affect those whose credential was
// good lately.
func TestFloodOfMadeUpCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := keyed(t)
		key := a.Clerk.APIKey(clerktest.MachineClaims{})
		if got := outcome(h, key); got != letIn {
			t.Fatalf("got %v, want %v", got, letIn)
		}
		before, refused := calls(a), map[string]int{}
		for i := range 1000 {
			refused[outcome(h, fmt.Sprintf("ak_made_up_%d", i))]++
		}
		if n := calls(a) - before; n != 100 || refused[invalid] != n || refused[open] != 1000-n {
			t.Errorf("%d questions for 1000 made-up credentials, answers %v; want 100", n, refused)
		}
		if got := outcome(h, key); got != letIn {
			t.Errorf("a key that was good just now: got %s, want %s", got, letIn)
		}
		if got := outcome(h, a.Clerk.APIKey(clerktest.MachineClaims{})); got != open {
			t.Errorf("a key that nothing is known of: got %s, want that it cannot be told", got)
		}
		time.Sleep(time.Second)
		if got := outcome(h, a.Clerk.APIKey(clerktest.MachineClaims{})); got != letIn {
			t.Errorf("a second later: got %s, want %s", got, letIn)
		}
		time.Sleep(time.Hour)
		for i := range 200 {
			outcome(h, fmt.Sprintf("ak_made_up_later_%d", i))
		}
		if got := outcome(h, key); got != open {
			t.Errorf("a key that was good an hour ago: got %s, want that it is one of many", got)
		}
	})
}

// Calls that hang take no places of those about credentials that were good lately.
func TestFloodThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := keyed(t)
		key := a.Clerk.APIKey(clerktest.MachineClaims{})
		if got := outcome(h, key); got != letIn {
			t.Fatalf("got %v, want %v", got, letIn)
		}
		a.Clerk.Fault(clerktest.BackendVerifyAPIKey, clerktest.Slow(4*time.Second))
		var flood sync.WaitGroup
		for i := range 90 {
			flood.Go(func() { outcome(h, fmt.Sprintf("ak_hangs_%d", i)) })
		}
		synctest.Wait()
		if n := calls(a); n != 33 {
			t.Errorf("%d questions are or were under way, want 1 and 32", n)
		}
		a.Clerk.Fault(clerktest.BackendVerifyAPIKey, nil)
		if got := outcome(h, key); got != letIn {
			t.Errorf("a key that was good just now: got %s, want %s", got, letIn)
		}
		flood.Wait()
	})
}

// A refused credential is not sent to the Backend API again for a minute, then it is.
func TestRefusedCredentialsAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := keyed(t)
		revoked := a.Clerk.APIKey(clerktest.MachineClaims{})
		a.Clerk.Revoke(revoked)
		for _, credential := range []string{"ak_made_up", revoked} {
			before := calls(a)
			for range 100 {
				if got := outcome(h, credential); got != invalid {
					t.Fatalf("got %v, want %v", got, invalid)
				}
			}
			if n := calls(a) - before; n != 1 {
				t.Errorf("%d questions, want 1", n)
			}
			time.Sleep(time.Minute)
			outcome(h, credential)
			if n := calls(a) - before; n != 2 {
				t.Errorf("%d questions after a minute, want 2", n)
			}
		}
	})
}

// MachineCacheTTL is how long a revoked credential is still accepted; without it, not after the
// next request.
func TestHowLongARevokedCredentialLives(t *testing.T) {
	for _, ttl := range []time.Duration{0, time.Second, 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			a, h := keyed(t, func(c *clerkauth.Config) { c.MachineCacheTTL = ttl })
			key, short := a.Clerk.APIKey(clerktest.MachineClaims{}), a.Clerk.APIKey(clerktest.MachineClaims{ExpiresAt: time.Now().Add(500 * time.Millisecond)})
			for range 10 {
				if got := outcome(h, key); got != letIn {
					t.Fatalf("got %v, want %v", got, letIn)
				}
			}
			if n := calls(a); ttl == 0 && n != 10 || ttl > 0 && n != 1 {
				t.Errorf("%s: %d calls for ten requests, want 10 without a TTL and 1 with one", ttl, n)
			}
			if got := outcome(h, short); got != letIn {
				t.Fatalf("got %v, want %v", got, letIn)
			}
			a.Clerk.Revoke(key)
			if ttl > 0 {
				time.Sleep(ttl - time.Nanosecond)
				if got := outcome(h, key); got != letIn {
					t.Errorf("%s: at the end of it %s, want %s", ttl, got, letIn)
				}
				time.Sleep(time.Nanosecond)
			}
			if got := outcome(h, key); got != invalid {
				t.Errorf("%s: after it %s, want %s", ttl, got, invalid)
			}
			if ttl > 0 {
				if got := outcome(h, short); got != invalid {
					t.Errorf("%s: beyond its own end %s, want %s", ttl, got, invalid)
				}
			}
		})
	}
}

// A remembered answer ends when the credential expires, whatever MachineCacheTTL is.
func TestRememberedAnswersEndWithTheCredential(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := keyed(t, func(c *clerkauth.Config) { c.MachineCacheTTL = 5 * time.Minute })
		key := a.Clerk.APIKey(clerktest.MachineClaims{ExpiresAt: time.Now().Add(time.Second)})
		first := outcome(h, key)
		time.Sleep(time.Second - time.Nanosecond)
		last := outcome(h, key)
		time.Sleep(time.Nanosecond)
		a.Clerk.Fault(clerktest.BackendVerifyAPIKey, clerktest.Down) // the answer is not requested
		if over := outcome(h, key); first != letIn || last != letIn || over != invalid || calls(a) != 1 {
			t.Errorf("got %s, %s and %s after %d calls, want %s, %s and %s after 1", first, last, over, calls(a), letIn, letIn, invalid)
		}
	})
}

// With a clock that goes back no age is known: the Backend API is called again.
func TestRememberedAnswersAndAClockThatGoesBack(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.MachineCacheTTL = time.Minute })
	h, key := a.Accept(clerkauth.APIKeys())(machineGreet), a.Clerk.APIKey(clerktest.MachineClaims{})
	outcome(h, key)
	a.Clerk.Revoke(key)
	a.Now = a.Now.Add(-time.Hour)
	if got := outcome(h, key); got != invalid {
		t.Errorf("got %s, want %s", got, invalid)
	}
}

// A client that disconnects is not waited for. The call goes on: the next request with that
// credential has the answer.
func TestWhoHangsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, h := keyed(t, func(c *clerkauth.Config) { c.MachineCacheTTL = time.Minute })
		a.Clerk.Fault(clerktest.BackendVerifyAPIKey, clerktest.Slow(2*time.Second))
		key := a.Clerk.APIKey(clerktest.MachineClaims{})
		ctx, hangUp := context.WithTimeout(t.Context(), time.Second)
		defer hangUp()
		began := time.Now()
		if _, err := a.VerifyMachine(ctx, key, clerkauth.APIKeys()); harness.ReasonOf(t, err) != clerkauth.ReasonCredentialUnverifiable || time.Since(began) != time.Second {
			t.Errorf("got %v after %s, want %s after 1s", err, time.Since(began), clerkauth.ReasonCredentialUnverifiable)
		}
		if got := outcome(h, key); got != letIn || time.Since(began) != 2*time.Second || calls(a) != 1 {
			t.Errorf("the next request: got %s after %s and %d calls, want %s after 2s and 1", got, time.Since(began), calls(a), letIn)
		}
	})
}
