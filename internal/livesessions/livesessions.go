// Package livesessions simulates the browsers of signed-in people before the cache of verified tokens. Nothing but tests
// and benchmarks imports it.
package livesessions

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/tokencache"
)

// What every session does.
const (
	every      = 4 * time.Second // a request
	renewFirst = 45 * time.Second
	renewLast  = 55 * time.Second
	life       = 65 * time.Second // of a token, with 5 s of leeway
	cacheSize  = 1 << 16          // the default of Config.TokenCacheSize
)

// Simulation is a number of sessions and the cache, under a clock of its own.
type Simulation struct {
	cache  *tokencache.Cache[[]byte]
	rng    *rand.Rand
	now    time.Time
	begin  string // what all tokens begin with
	claim  int    // what the cache holds for a token beside its text, in bytes
	made   int    // tokens so far
	held   []session
	before int64 // what was reachable before the simulation, in bytes

	sent, hits int
}

type session struct {
	token            int
	renewed, renewAt time.Time
}

const sessionSize = 56 // bytes

// suffix is how many characters tell one token from another.
const suffix = 32

// New returns n sessions with tokens of this size, of which the cache holds claims bytes each beside the text.
func New(n, token, claims int) *Simulation {
	s := &Simulation{before: heap()}
	s.cache, s.rng = tokencache.New[[]byte](cacheSize), rand.New(rand.NewPCG(1, 2)) //nolint:gosec // not for secrets
	s.now, s.begin, s.claim = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), strings.Repeat("0", token-suffix), claims
	s.Resize(n)
	return s
}

// Resize changes how many sessions there are.
func (s *Simulation) Resize(n int) {
	s.held = s.held[:min(n, len(s.held))]
	for len(s.held) < n {
		s.held = append(s.held, session{renewAt: s.now.Add(-s.upTo(renewLast))})
	}
}

func (s *Simulation) upTo(d time.Duration) time.Duration {
	return time.Duration(s.rng.Int64N(int64(d)))
}

// Run lets time pass.
func (s *Simulation) Run(d time.Duration) {
	for end := s.now.Add(d); s.now.Before(end); s.now = s.now.Add(every) {
		for i := range s.held {
			s.request(&s.held[i])
		}
	}
}

func (s *Simulation) request(b *session) {
	if !s.now.Before(b.renewAt) {
		s.made++
		b.token, b.renewed, b.renewAt = s.made, s.now, s.now.Add(renewFirst+s.upTo(renewLast-renewFirst))
	}
	token := s.begin + fmt.Sprintf("%0*x", suffix, b.token)
	s.sent++
	if _, ok := s.cache.Get(token, 1, s.now); ok {
		s.hits++
		return
	}
	s.cache.Put(token, 1, s.now, s.now.Add(time.Hour), b.renewed.Add(life), make([]byte, s.claim))
}

// HitRatio is that of the next five minutes. A new token is not in the cache, which limits it to about 0.926.
func (s *Simulation) HitRatio() float64 {
	s.sent, s.hits = 0, 0
	s.Run(5 * time.Minute)
	return float64(s.hits) / float64(s.sent)
}

// Heap is what the cache holds, in bytes.
func (s *Simulation) Heap() int64 {
	held := heap() - s.before - int64(cap(s.held)*sessionSize)
	runtime.KeepAlive(s)
	return held
}

// heap is what is reachable now, in bytes.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far smaller than 1<<63
}
