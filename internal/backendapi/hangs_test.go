package backendapi_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
)

// stalling hangs until it is told to answer.
type stalling struct{ answers atomic.Bool }

func (s *stalling) answer(r *http.Request) (int, string, error) {
	if s.answers.Load() {
		time.Sleep(time.Second)
		return 200, worked, nil
	}
	return hang(r)
}

// However long the Backend API hangs, and whatever cookies a session has, the session waits for it
// once, for two seconds. It is still called from time to time, by one request at a time.
func TestAHangDelaysASessionOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer drain()
		c, n := newClient(hang)
		waited := time.Duration(0)
		for i := range 600 {
			q := whole
			q.Suffixed, q.RefreshToken = i%2 == 0, fmt.Sprint("rt_", i%3)
			begun := time.Now()
			if _, err := c.Refresh(t.Context(), q); !backendapi.Unanswered(err) {
				t.Fatalf("request %d: got %v, want an unanswered call", i, err)
			}
			waited += time.Since(begun)
			time.Sleep(time.Second)
		}
		if waited != 2*time.Second {
			t.Errorf("the session has waited for %v, want 2s", waited)
		}
		if calls := n.count(); calls < 10 || calls > 70 {
			t.Errorf("%d calls in ten minutes, want 10 to 70", calls)
		}
	})
}

// Cookies of both names, sent at the same time, wait for the same two seconds.
func TestPairsOfASessionWaitTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer drain()
		c, _ := newClient(hang)
		begun := time.Now()
		for _, suffixed := range []bool{true, false} {
			q := whole
			q.Suffixed = suffixed
			if _, err := c.Refresh(t.Context(), q); !backendapi.Unanswered(err) {
				t.Fatalf("suffixed %t: got the error %v, want one that decides nothing", suffixed, err)
			}
		}
		if took := time.Since(begun); took != 2*time.Second {
			t.Errorf("both took %v, want 2s", took)
		}
	})
}

// When the Backend API answers again, the second request gets the answer; if it has answered any
// other call meanwhile, the first one does.
func TestTheEndOfAHang(t *testing.T) {
	for _, otherDone := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			defer drain()
			var s stalling
			c, n := newClient(s.answer)
			_, _ = c.Refresh(t.Context(), whole)
			time.Sleep(time.Minute)
			s.answers.Store(true)
			if otherDone {
				if _, err := c.Refresh(t.Context(), backendapi.RefreshRequest{Session: "sess_another"}); err != nil {
					t.Error(err)
				}
			}
			begun := time.Now()
			_, err := c.Refresh(t.Context(), whole)
			took := time.Since(begun)
			if otherDone != (err == nil) || otherDone != (took == time.Second) {
				t.Errorf("another call answered %t: the first request got %v after %v, want success exactly with another answer", otherDone, err, took)
			}
			time.Sleep(2 * time.Second)
			if _, err := c.Refresh(t.Context(), whole); err != nil {
				t.Errorf("another call answered %t: the second request got %v", otherDone, err)
			}
			if want := map[bool]int{false: 2, true: 3}[otherDone]; n.count() != want {
				t.Errorf("somebody else %t: asked %d times, want %d", otherDone, n.count(), want)
			}
		})
	}
}

// An error that is returned at once delays nobody, so the next request makes its own call.
func TestAnOutageIsNoHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s stalling
		down := true
		c, _ := newClient(func(r *http.Request) (int, string, error) {
			if down {
				return 503, "", nil
			}
			return s.answer(r)
		})
		_, _ = c.Refresh(context.Background(), whole)
		time.Sleep(11 * time.Second)
		down = false
		s.answers.Store(true)
		if _, err := c.Refresh(t.Context(), whole); err != nil {
			t.Errorf("after the outage: %v", err)
		}
	})
}
