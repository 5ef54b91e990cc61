package tokencache_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/tokencache"
)

// sessions are browsers of signed-in people: each sends a request every 4 s, and its token, which is valid for 60 s plus 5
// s of leeway, is renewed after 45 to 55 s.
type sessions struct {
	cache *tokencache.Cache[*[1024]byte]
	rng   *rand.Rand
	now   time.Time
	made  int // tokens so far
	held  []session

	lookups, hits int
}

type session struct {
	token            string
	renewed, renewAt time.Time
}

func newSessions(n int) *sessions {
	s := &sessions{cache: tokencache.New[*[1024]byte](1 << 16), rng: rand.New(rand.NewPCG(1, 2)), now: start} //nolint:gosec // not for secrets
	s.resize(n)
	return s
}

func (s *sessions) resize(n int) {
	s.held = s.held[:min(n, len(s.held))]
	for len(s.held) < n {
		s.held = append(s.held, session{renewAt: s.now.Add(-s.upTo(55 * time.Second))})
	}
}

func (s *sessions) upTo(d time.Duration) time.Duration { return time.Duration(s.rng.Int64N(int64(d))) }

// run lets time pass.
func (s *sessions) run(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(4 * time.Second) {
		for i := range s.held {
			s.ask(&s.held[i])
		}
	}
}

func (s *sessions) ask(b *session) {
	if !s.now.Before(b.renewAt) {
		s.made++
		b.token = fmt.Sprintf("%0700d.%016x%016x", s.made, s.rng.Uint64(), s.rng.Uint64())
		b.renewed, b.renewAt = s.now, s.now.Add(45*time.Second+s.upTo(10*time.Second))
	}
	s.lookups++
	if _, ok := s.cache.Get(b.token, 1, s.now); ok {
		s.hits++
		return
	}
	s.cache.Put(b.token, 1, s.now, s.now.Add(time.Hour), b.renewed.Add(65*time.Second), new([1024]byte))
}

// ratio is how many of the requests of the next five minutes hit.
func (s *sessions) ratio() float64 {
	s.lookups, s.hits = 0, 0
	s.run(5 * time.Minute)
	return float64(s.hits) / float64(s.lookups)
}

// One request in 12.5 has a new token, which limits the ratio to 92 to 93 percent.
func TestLiveSessionsHit(t *testing.T) {
	for n, want := range map[int]float64{1000: 0.92, 10_000: 0.92, 50_000: 0.80} {
		if testing.Short() && n > 1000 {
			continue
		}
		s := newSessions(n)
		s.run(2 * time.Minute)
		got := s.ratio()
		t.Logf("%d sessions: %.1f %% of the requests hit", n, 100*got)
		if got < want {
			t.Errorf("%d sessions: %.3f of the requests hit, want at least %.2f", n, got, want)
		}
	}
}

// The memory depends on the number of sessions, and shrinks with it.
func TestMemoryFollowsTheSessions(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	grown := func(before uint64) int64 { return int64(heap()) - int64(before) } //nolint:gosec // a heap is far smaller than 1<<63
	const perToken = 896 + 1024 + 160
	var before uint64
	var s *sessions
	for tries := 0; ; tries++ { // which tokens share a set is by chance
		before = heap()
		s = newSessions(1000)
		s.run(3 * time.Minute)
		s.held = nil // their texts are not the cache's
		got := grown(before)
		if got <= 3*1000*perToken {
			break
		}
		if tries == 2 {
			t.Fatalf("1000 sessions take %d bytes, want at most those of 3000 tokens", got)
		}
	}
	s.resize(20_000)
	s.run(2 * time.Minute)
	s.resize(1000)
	s.run(20 * time.Minute)
	s.held = nil
	if got, bound := grown(before), int64(3*1000*perToken+8<<16); got > bound {
		t.Errorf("20,000 sessions left %d bytes behind, want at most %d: those of 3000 tokens and the places", got, bound)
	}
	runtime.KeepAlive(s)
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
