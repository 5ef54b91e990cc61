package tokencache_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/harness"
	"github.com/clerkauth/clerkauth/internal/livesessions"
	"github.com/clerkauth/clerkauth/internal/tokencache"
)

// One request in 12.5 brings a new token, which caps the ratio at 92 to 93 of a hundred.
func TestLiveSessionsHit(t *testing.T) {
	harness.Long(t)
	for n, want := range map[int]float64{1000: 0.92, 10_000: 0.92, 50_000: 0.80} {
		s := livesessions.New(n, 734, 1024)
		s.Run(2 * time.Minute)
		got := s.HitRatio()
		t.Logf("%d sessions: %.1f %% of the requests hit", n, 100*got)
		if got < want {
			t.Errorf("%d sessions: %.3f of the requests hit, want at least %.2f", n, got, want)
		}
	}
}

// The memory depends on the number of sessions, and shrinks with it.
func TestMemoryFollowsTheSessions(t *testing.T) {
	harness.Long(t)
	harness.CountsAllocations(t)
	const perToken = 896 + 1024 + 160
	const bound = 2500*perToken + 8<<16 // the tokens that are live or expired lately, and the places
	s := livesessions.New(1000, 734, 1024)
	s.Run(3 * time.Minute)
	if got := s.Heap(); got > bound {
		t.Errorf("1000 sessions take %d bytes, want at most %d", got, bound)
	}
	s.Resize(20_000)
	s.Run(2 * time.Minute)
	s.Resize(1000)
	s.Run(20 * time.Minute)
	if got := s.Heap(); got > bound {
		t.Errorf("20,000 sessions left %d bytes behind, want at most %d", got, bound)
	}
}

func TestTheFirstArrayIsSmall(t *testing.T) {
	before := heap()
	caches := make([]*tokencache.Cache[int], 100)
	for i := range caches {
		caches[i] = tokencache.New[int](1 << 16)
	}
	if got := int64(heap()) - int64(before); got > 100*4096 { //nolint:gosec // a heap is far smaller than 1<<63
		t.Errorf("100 unused caches take %d bytes, want at most 4096 each", got)
	}
	runtime.KeepAlive(caches)
}

// An expired token that was cleared is verified again; until then it hits like any other.
func TestExpiredTokensAreCleared(t *testing.T) {
	c := tokencache.New[int](4096)
	expires := start.Add(time.Minute)
	c.Put(numbered(0), 1, start, later, expires, 7)
	for n := range 64 { // all around the first array
		c.Put(numbered(n+1), 1, expires, later, later, n)
	}
	if _, ok := c.Get(numbered(0), 1, expires); !ok {
		t.Error("cleared at its last instant")
	}
	for n := range 64 {
		c.Put(numbered(n+100), 1, expires.Add(time.Microsecond), later, later, n)
	}
	if _, ok := c.Get(numbered(0), 1, expires); ok {
		t.Error("not cleared, although every set had its turn")
	}
}
