package backendapi_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
)

var whole = backendapi.RefreshRequest{Session: "sess_a", RefreshToken: "rt_1", RequestOrigin: "https://example.com", ExpiredToken: "a.b.c"}

// Equal requests share a call, at the same time and for ten seconds after a success.
func TestRefreshesAreShared(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*backendapi.RefreshRequest)
		shared bool
	}{
		"the same":                  {func(*backendapi.RefreshRequest) {}, true},
		"another expired token":     {func(q *backendapi.RefreshRequest) { q.ExpiredToken = "d.e.f" }, true},
		"other headers":             {func(q *backendapi.RefreshRequest) { q.RequestHeaders = map[string][]string{"a": {"b"}} }, true},
		"another refresh token":     {func(q *backendapi.RefreshRequest) { q.RefreshToken = "rt_2" }, false},
		"another session":           {func(q *backendapi.RefreshRequest) { q.Session = "sess_b" }, false},
		"another origin":            {func(q *backendapi.RefreshRequest) { q.RequestOrigin = "https://other.example.com" }, false},
		"the cookies with a suffix": {func(q *backendapi.RefreshRequest) { q.Suffixed = true }, false},
		"the same letters, cut elsewhere": {func(q *backendapi.RefreshRequest) {
			q.Session, q.RefreshToken, q.RequestOrigin = "sess_a:rt_1", "https", "//example.com"
		}, false},
	} {
		q := whole
		tt.change(&q)
		want := 2
		if tt.shared {
			want = 1
		}
		for when, wait := range map[string]time.Duration{"at the same time": 0, "after it": 2 * time.Second, "ten seconds after": 10*time.Second - 1} {
			synctest.Test(t, func(t *testing.T) {
				c, n := newClient(func(*http.Request) (int, string, error) {
					time.Sleep(time.Second)
					return 200, worked, nil
				})
				var all sync.WaitGroup
				for _, asks := range []struct {
					after time.Duration
					q     backendapi.RefreshRequest
				}{{0, whole}, {wait, q}} {
					all.Go(func() {
						time.Sleep(asks.after)
						if list, err := c.Refresh(t.Context(), asks.q); err != nil || !slices.Equal(list, []string{"__session=x"}) {
							t.Errorf("%s %s: got %q and %v, want __session=x", name, when, list, err)
						}
					})
				}
				all.Wait()
				n.want(t, name+" "+when, want)
			})
		}
	}
}

func TestRefreshesAreSharedForTenSeconds(t *testing.T) {
	now := fixed()
	c, n := newClientAt(func() time.Time { return now }, always(200, worked))
	for _, tt := range []struct {
		name   string
		pass   time.Duration
		wanted int
	}{
		{"first", 0, 1},
		{"almost ten seconds later", 10*time.Second - 1, 1},
		{"ten seconds later", 1, 2},
		{"the clock goes back a little", -9 * time.Second, 2},
		{"the clock goes back", -time.Hour, 3},
		{"the clock is right again", time.Hour + 9*time.Second, 4},
	} {
		now = now.Add(tt.pass)
		if _, err := c.Refresh(t.Context(), whole); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		n.want(t, tt.name, tt.wanted)
	}
}

// A session may fail five times in a minute, however its refreshes differ. Other sessions are not
// affected. A refusal stays a refusal, and only a call that was not made is undecided.
func TestFailuresOfASession(t *testing.T) {
	now := fixed()
	c, n := newClientAt(func() time.Time { return now }, always(404, named("resource_not_found")))
	for _, tt := range []struct {
		name   string
		pass   time.Duration
		wanted int // total number of calls
	}{
		{"first five", 0, 5},
		{"almost a minute later", time.Minute - 1, 5},
		{"a minute later", 1, 10},
	} {
		now = now.Add(tt.pass)
		for i := range 20 {
			q := whole
			q.RefreshToken, q.RequestOrigin = fmt.Sprint("rt_", i), fmt.Sprintf("https://s%d.example.com", i)
			_, err := c.Refresh(t.Context(), q)
			if _, open := err, backendapi.Unanswered(err); err == nil || open != (i >= 5) {
				t.Errorf("%s, call %d: got %v, want an error, unanswered: %t", tt.name, i, err, i >= 5)
			}
		}
		n.want(t, tt.name, tt.wanted)
	}
	for i := range 5 {
		if _, err := askRefresh(t, c, 1+i); err == nil || backendapi.Unanswered(err) {
			t.Errorf("another session: got %v, want a refusal", err)
		}
	}
	n.want(t, "other sessions", 15)
}

// Successes have no limit: a session is refreshed as often as it is requested.
func TestSuccessesAreNotCounted(t *testing.T) {
	c, n := newClientAt(fixed, always(200, worked))
	for i := range 20 {
		q := whole
		q.RefreshToken = fmt.Sprint("rt_", i)
		if _, err := c.Refresh(t.Context(), q); err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
	n.want(t, "in all", 20)
}

// A call without an answer stops its session's calls for ten seconds, and no other's.
func TestUnansweredPausesASession(t *testing.T) {
	now := fixed()
	c, n := newClientAt(func() time.Time { return now }, always(500, ""))
	for _, tt := range []struct {
		name   string
		pass   time.Duration
		wanted int
	}{{"first", 0, 1}, {"at once", 0, 1}, {"almost ten seconds later", 10*time.Second - 1, 1}, {"ten seconds later", 1, 2}} {
		now = now.Add(tt.pass)
		q := whole
		q.RefreshToken = "rt_" + tt.name
		if _, err := c.Refresh(t.Context(), q); !backendapi.Unanswered(err) {
			t.Errorf("%s: got %v, want it unanswered", tt.name, err)
		}
		n.want(t, tt.name, tt.wanted)
	}
	n.answers(always(200, worked))
	if _, err := askRefresh(t, c, 1); err != nil {
		t.Errorf("a call for another session: %v", err)
	}
}

// A refusal is not shared: the next request makes another call.
func TestRefusalsAreNotShared(t *testing.T) {
	c, n := newClientAt(fixed, always(404, named("resource_not_found")))
	_, _ = c.Refresh(t.Context(), whole)
	n.answers(always(200, worked))
	if _, err := c.Refresh(t.Context(), whole); err != nil {
		t.Error(err)
	}
	n.want(t, "in all", 2)
}

// A Backend API that hangs delays one request of a session, by two seconds, and is not called again
// for a while.
func TestHangDelaysOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newClient(hang)
		start := time.Now()
		for i := range 10 {
			_, err := c.Refresh(t.Context(), whole)
			if !backendapi.Unanswered(err) {
				t.Errorf("request %d: got %v, want an unanswered call", i, err)
			}
			if took := time.Since(start); took != 2*time.Second {
				t.Errorf("after request %d %s were spent, want 2s", i, took)
			}
		}
		time.Sleep(4 * time.Second) // the call has ended without an answer
		start = time.Now()
		another := whole
		another.RefreshToken = "rt_2"
		if _, err := c.Refresh(t.Context(), another); !backendapi.Unanswered(err) || time.Since(start) != 0 {
			t.Errorf("a later request: got %v after %s, want an unanswered call at once", err, time.Since(start))
		}
		n.want(t, "in all", 1)
	})
}

// A later request waits for the rest of the two seconds.
func TestLaterRequestsWaitForTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer drain()
		c, _ := newClient(hang)
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() {
				after := time.Duration(i) * 600 * time.Millisecond
				time.Sleep(after)
				begun := time.Now()
				if _, err := c.Refresh(t.Context(), whole); !backendapi.Unanswered(err) {
					t.Errorf("after %v: got %v, want an unanswered call", after, err)
				}
				if took, want := time.Since(begun), max(0, 2*time.Second-after); took != want {
					t.Errorf("after %v: waited for %v, want %v", after, took, want)
				}
			})
		}
		all.Wait()
	})
}

// A slow answer is available to the next request.
func TestSlowRefreshIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newClient(func(*http.Request) (int, string, error) {
			time.Sleep(3 * time.Second)
			return 200, worked, nil
		})
		if _, err := c.Refresh(t.Context(), whole); err == nil {
			t.Error("the first request got an answer, want that it stops waiting")
		}
		time.Sleep(2 * time.Second)
		if cookies, err := c.Refresh(t.Context(), whole); err != nil || len(cookies) != 1 {
			t.Errorf("the second request got %q and %v, want one cookie", cookies, err)
		}
		n.want(t, "in all", 1)
	})
}

// A transport that ignores its context delays no request after the five seconds.
func TestARefreshThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newClient(func(*http.Request) (int, string, error) {
			time.Sleep(time.Hour)
			return 200, worked, nil
		})
		defer time.Sleep(2 * time.Hour)
		for _, tt := range []struct {
			name   string
			pass   time.Duration
			wanted int
		}{{"first", 0, 1}, {"almost five seconds after it began", 3*time.Second - time.Nanosecond, 1}, {"five seconds after it began", time.Nanosecond, 2}} {
			time.Sleep(tt.pass)
			if _, err := c.Refresh(t.Context(), whole); !backendapi.Unanswered(err) {
				t.Errorf("%s: got %v, want it unanswered", tt.name, err)
			}
			synctest.Wait()
			n.want(t, tt.name, tt.wanted)
		}
	})
}

// A request that stops waiting does not affect others.
func TestARefreshOutlivesWhoBeganIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newClient(func(r *http.Request) (int, string, error) {
			select {
			case <-time.After(time.Second):
				return 200, worked, nil
			case <-r.Context().Done():
				return 0, "", r.Context().Err()
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.Refresh(ctx, whole); !backendapi.Unanswered(err) {
			t.Errorf("the request that stopped waiting: got %v, want an unanswered call", err)
		}
		if _, err := c.Refresh(t.Context(), whole); err != nil {
			t.Errorf("the request that waited: %v", err)
		}
		n.want(t, "in all", 1)
	})
}

// Refreshes in progress count towards the failures of a session: they may fail.
func TestRefreshesUnderWayCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, n := newClient(func(*http.Request) (int, string, error) {
			time.Sleep(time.Second)
			return 404, "", nil
		})
		var strangers sync.WaitGroup
		for i := range 30 {
			strangers.Go(func() {
				_, _ = c.Refresh(t.Context(), backendapi.RefreshRequest{Session: "sess_a", RefreshToken: fmt.Sprint(i)})
			})
		}
		strangers.Wait()
		n.want(t, "in all", 5)
	})
}

// The memory for refreshes is bounded, whether they succeed or fail.
func TestMemoryOfRefreshesIsBounded(t *testing.T) {
	for name, answer := range map[string]answers{"they work": always(200, worked), "they fail": always(404, named("resource_not_found"))} {
		now := fixed()
		c, _ := newClientAt(func() time.Time { return now }, answer)
		for i := range 5000 {
			_, err := c.Refresh(t.Context(), backendapi.RefreshRequest{Session: fmt.Sprintf("sess_%d", i)})
			if backendapi.Unanswered(err) {
				t.Fatalf("%s: got the error %v, want one that decides, or none", name, err)
			}
			if n := c.Remembered(); n > 4096+1 {
				t.Fatalf("%s: %d are remembered, want 4097 at most", name, n)
			}
			now = now.Add(time.Millisecond)
		}
	}
}
