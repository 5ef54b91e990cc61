package backendapi_test

import (
	"context"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// fixed is a clock that does not advance.
func fixed() time.Time { return time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC) }

// One kind of call cannot use up the slots, nor open the breaker, of the other.
func TestKindsAreApart(t *testing.T) {
	for name, tt := range map[string]struct {
		failing     string // prefix of the paths that fail
		first, then question
	}{
		"nonces fail":    {"/v1/clients/", askNonce, askRefresh},
		"refreshes fail": {"/v1/sessions/", askRefresh, askNonce},
	} {
		for fault, answer := range map[string]answers{"at once": func(*http.Request) (int, string, error) { return 0, "", errNetwork }, "never": hang} {
			synctest.Test(t, func(t *testing.T) {
				defer drain()
				c, _ := newClient(func(r *http.Request) (int, string, error) {
					if strings.HasPrefix(r.URL.Path, tt.failing) {
						return answer(r)
					}
					return 200, worked, nil
				})
				var all sync.WaitGroup
				for i := range 40 {
					all.Go(func() {
						if _, err := tt.first(t, c, i); err == nil {
							t.Errorf("%s %s: the call succeeds, want an error", name, fault)
						}
					})
				}
				synctest.Wait()
				if _, err := tt.then(t, c, 0); err != nil {
					t.Errorf("%s %s: a call of the other kind: %v", name, fault, err)
				}
				all.Wait()
				if _, err := tt.then(t, c, 1); err != nil {
					t.Errorf("%s %s: a later call of the other kind: %v", name, fault, err)
				}
			})
		}
	}
}

// Of each kind 32 calls may be in progress. One more is not made, and does not count as a failure.
func TestPlaces(t *testing.T) {
	bothKinds(t, func(t *testing.T, ask question) {
		release := make(chan struct{})
		c, n := newClient(func(*http.Request) (int, string, error) {
			<-release
			return 200, worked, nil
		})
		var all sync.WaitGroup
		for i := range 32 {
			all.Go(func() {
				if _, err := ask(t, c, i); err != nil {
					t.Errorf("call %d: %v", i, err)
				}
			})
		}
		synctest.Wait()
		for i := range 10 {
			if _, err := ask(t, c, 32+i); !backendapi.Unanswered(err) {
				t.Errorf("question %d: got %v, want it unanswered", 32+i, err)
			}
		}
		n.want(t, "while 32 are under way", 32)
		close(release)
		all.Wait()
		if _, err := ask(t, c, 50); err != nil {
			t.Errorf("after the others have ended: %v", err)
		}
		n.want(t, "after them", 33)
	})
}

// Three failures in a row stop a kind of call for ten seconds. Then one call is allowed.
func TestBreaker(t *testing.T) {
	for name, failure := range map[string]answers{
		"no network": func(*http.Request) (int, string, error) { return 0, "", errNetwork },
		"500":        always(500, ""), "503": always(503, named("x")), "429": always(429, ""), "408": always(408, ""),
		"too long": always(200, strings.Repeat(" ", 256<<10+1)),
	} {
		t.Run(name, func(t *testing.T) {
			bothKinds(t, func(t *testing.T, ask question) {
				c, n := newClient(failure)
				questions := 0
				fails := func(when string, want int) {
					t.Helper()
					questions++
					if _, err := ask(t, c, questions); !backendapi.Unanswered(err) {
						t.Errorf("%s: got %v, want it unanswered", when, err)
					}
					n.want(t, when, want)
				}
				fails("first", 1)
				fails("second", 2)
				fails("third", 3)
				for range 40 { // more than may be in progress
					fails("open", 3)
				}
				time.Sleep(10*time.Second - 1)
				fails("open for almost ten seconds", 3)
				time.Sleep(time.Nanosecond)
				fails("a try", 4)
				fails("after a try that failed", 4)
				time.Sleep(10 * time.Second)
				n.answers(always(200, worked))
				for i := range 5 {
					questions++
					if _, err := ask(t, c, questions); err != nil {
						t.Errorf("after a successful call: %v", err)
					}
					n.want(t, "after a try that worked", 5+i)
				}
				n.answers(failure)
				fails("a failure, long after", 10)
				fails("another", 11)
			})
		})
	}
}

// After a pause one call at a time is allowed.
func TestOneTriesAtATime(t *testing.T) {
	bothKinds(t, func(t *testing.T, ask question) {
		c, n := newClient(always(500, ""))
		for i := range 3 {
			_, _ = ask(t, c, i)
		}
		time.Sleep(10 * time.Second)
		n.answers(hang)
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() { _, _ = ask(t, c, 3+i) })
		}
		all.Wait()
		drain()
		n.want(t, "in all", 4)
	})
}

// An answer that refuses a nonce or session shows that the server works.
func TestRefusalsAreNoFailures(t *testing.T) {
	bothKinds(t, func(t *testing.T, ask question) {
		failure, refusal := always(500, ""), always(404, named("resource_not_found"))
		c, n := newClient(nil)
		for i := range 20 {
			n.answers(failure)
			if i%3 == 2 {
				n.answers(refusal)
			}
			_, _ = ask(t, c, i)
		}
		n.want(t, "two failures in a row, at most", 20)
	})
}

// Whether a call has failed does not depend on how long anybody waits for it: clients that disconnect cannot open the
// breaker, and where each request has less time than a call, a server that hangs still opens it.
func TestClientsThatDoNotWait(t *testing.T) {
	slow := func(r *http.Request) (int, string, error) {
		select {
		case <-time.After(2 * time.Second):
			return 200, worked, nil
		case <-r.Context().Done():
			return 0, "", r.Context().Err()
		}
	}
	for name, tt := range map[string]struct {
		answer      answers
		calls, told int
	}{
		"a slow server":       {slow, 4, 0},
		"a server that hangs": {hang, 3, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			n, told := &network{answer: tt.answer}, 0
			c := backendapi.New(&http.Client{Transport: n}, base, secret, time.Now, func(*transport.OutageError) { told++ })
			for range 4 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				begun := time.Now()
				if _, err := c.HandshakePayload(ctx, "nonce_nonce"); !backendapi.Unanswered(err) || time.Since(begun) > time.Second {
					t.Errorf("%s: got %v after %v, want it unanswered, after a second at most", name, err, time.Since(begun))
				}
				cancel()
				drain()
				synctest.Wait()
			}
			n.want(t, name, tt.calls)
			if told != tt.told {
				t.Errorf("%s: %d failures were reported, want %d", name, told, tt.told)
			}
		})
	}
}

// A transport of the application may end the goroutine of a call, as t.Fatal of a test does. Nobody waits for it, and its slot
// is free again.
func TestATransportThatEndsItsGoroutine(t *testing.T) {
	c, n := newClient(func(*http.Request) (int, string, error) {
		runtime.Goexit()
		return 0, "", nil
	})
	for kind, ask := range map[string]question{"nonce": askNonce, "refresh": askRefresh} {
		for i := range 50 {
			if _, err := ask(t, c, i); !backendapi.Unanswered(err) {
				t.Errorf("%s: got %v, want it unanswered", kind, err)
			}
		}
	}
	n.want(t, "nothing is recorded, and no slot is taken", 100)
}

// A server that hangs costs five seconds, three times. The pause begins after the third.
func TestNoncesAreWaitedForFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newClient(hang)
		for i, want := range []time.Duration{5 * time.Second, 5 * time.Second, 5 * time.Second, 0, 0} {
			begun := time.Now()
			if _, err := askNonce(t, c, i); !backendapi.Unanswered(err) || time.Since(begun) != want {
				t.Errorf("question %d: got %v after %v, want it unanswered after %v", i, err, time.Since(begun), want)
			}
		}
		time.Sleep(10*time.Second - time.Nanosecond)
		_, _ = askNonce(t, c, 0)
		n.want(t, "almost ten seconds later", 3)
		time.Sleep(time.Nanosecond)
		_, _ = askNonce(t, c, 0)
		n.want(t, "ten seconds later", 4)
	})
}

// Anybody can make up nonces: a hundred may be exchanged at once, and twenty a second over time.
// Refreshes are not counted.
func TestAllowanceOfNonces(t *testing.T) {
	now := fixed()
	c, n := newClientAt(func() time.Time { return now }, always(404, named("resource_not_found")))
	sent := 0
	for _, tt := range []struct {
		name string
		pass time.Duration
		want int // calls made for 150 nonces
	}{
		{"at once", 0, 100},
		{"a moment later", 49 * time.Millisecond, 0},
		{"one more", time.Millisecond, 1},
		{"a second later", time.Second, 20},
		{"the clock goes back", -time.Hour, 0},
		{"a second after that", time.Second, 20},
		{"a day later", 24 * time.Hour, 100},
	} {
		now = now.Add(tt.pass)
		for range 150 {
			if _, err := askNonce(t, c, 0); err == nil {
				t.Fatalf("%s: got no error, want one", tt.name)
			}
		}
		sent += tt.want
		n.want(t, tt.name, sent)
	}
	for i := range 50 {
		_, _ = askRefresh(t, c, i)
	}
	n.want(t, "refreshes", sent+50)
}

// A clock that was set back does not keep the breaker open.
func TestBreakerWhenTheClockGoesBack(t *testing.T) {
	now := fixed()
	c, n := newClientAt(func() time.Time { return now }, always(500, ""))
	for range 5 {
		_, _ = askNonce(t, c, 0)
		now = now.Add(time.Second) // a failure has the time of its end, which is a moment later
	}
	n.want(t, "open", 3)
	now = now.Add(-time.Hour)
	for range 5 {
		_, _ = askNonce(t, c, 0)
	}
	n.want(t, "after the clock went back, one try", 4)
}
