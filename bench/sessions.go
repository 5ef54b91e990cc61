package bench

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/tokencache"
)

// defaultCache is the default of Config.TokenCacheSize.
const defaultCache = 1 << 16

// Live is what a number of signed-in browsers make of the cache of verified tokens. Each sends a request every 4 s; its
// token lives for 60 s and 5 s of leeway and is renewed after 45 to 55 s.
type Live struct {
	Sessions int
	// HitRatio is that of five minutes. A new token is not in the cache, which limits it to about 0.926.
	HitRatio float64
	// Heap is what the cache holds then, in bytes, and Later what it holds after 20 more minutes with 1000 of the sessions.
	Heap, Later int64
}

// filler is what the cache holds for a token beside its text.
type filler []byte

// SimulateSessions runs n sessions for half an hour of an injected clock. Each token takes perToken bytes of the cache.
func SimulateSessions(n, perToken int) Live {
	before := heap()
	s := &sessions{
		cache: tokencache.New[filler](defaultCache), rng: rand.New(rand.NewPCG(1, 2)), now: issued, //nolint:gosec // not for secrets
		each: max(perToken-tokenLength-cacheOverhead, 0),
	}
	s.resize(n)
	s.run(2 * time.Minute)
	s.sent, s.hits = 0, 0
	s.run(5 * time.Minute)
	l := Live{Sessions: n, HitRatio: float64(s.hits) / float64(s.sent), Heap: s.heap(before)}
	s.resize(1000)
	s.run(20 * time.Minute)
	l.Later = s.heap(before)
	runtime.KeepAlive(s)
	return l
}

const (
	tokenLength   = 1010 // of the pool's
	cacheOverhead = 256  // of an entry, its place and the filler's header, rounded up
)

// beginning is what the simulation's tokens have in common.
var beginning = strings.Repeat("0", tokenLength-32)

type sessions struct {
	cache *tokencache.Cache[filler]
	rng   *rand.Rand
	now   time.Time
	each  int // bytes of a filler
	made  int // tokens so far
	held  []session

	sent, hits int
}

type session struct {
	token            int
	renewed, renewAt time.Time
}

func (s *sessions) resize(n int) {
	s.held = s.held[:min(n, len(s.held))]
	for len(s.held) < n {
		s.held = append(s.held, session{renewAt: s.now.Add(-s.upTo(55 * time.Second))})
	}
}

// heap is what the cache holds: sessions have no texts of their own.
func (s *sessions) heap(before int64) int64 { return heap() - before - int64(cap(s.held))*56 }

func (s *sessions) upTo(d time.Duration) time.Duration { return time.Duration(s.rng.Int64N(int64(d))) }

// run lets time pass.
func (s *sessions) run(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(4 * time.Second) {
		for i := range s.held {
			s.request(&s.held[i])
		}
	}
}

func (s *sessions) request(b *session) {
	if !s.now.Before(b.renewAt) {
		s.made++
		b.token, b.renewed, b.renewAt = s.made, s.now, s.now.Add(45*time.Second+s.upTo(10*time.Second))
	}
	token := beginning + fmt.Sprintf("%032x", b.token)
	s.sent++
	if _, ok := s.cache.Get(token, 1, s.now); ok {
		s.hits++
		return
	}
	s.cache.Put(token, 1, s.now, s.now.Add(time.Hour), b.renewed.Add(65*time.Second), make(filler, s.each))
}
