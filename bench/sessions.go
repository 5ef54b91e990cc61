package bench

import (
	"time"

	"github.com/clerkauth/clerkauth/internal/livesessions"
)

// Live is what a number of signed-in browsers make of the cache of verified tokens, see livesessions.
type Live struct {
	Sessions int
	// HitRatio is that of five minutes. A new token is not in the cache, which limits it to about 0.926.
	HitRatio float64
	// Heap is what the cache holds then, in bytes, and Later what it holds after 20 more minutes with 1000 of the sessions.
	Heap, Later int64
}

// SimulateSessions runs n sessions for half an hour of an injected clock. Each token takes perToken bytes of the cache.
func SimulateSessions(n, perToken int) Live {
	s := livesessions.New(n, tokenLength, max(perToken-tokenLength-cacheOverhead, 0))
	s.Run(2 * time.Minute)
	l := Live{Sessions: n, HitRatio: s.HitRatio(), Heap: s.Heap()}
	s.Resize(1000)
	s.Run(20 * time.Minute)
	l.Later = s.Heap()
	return l
}

const (
	tokenLength   = 1010 // of the pool's
	cacheOverhead = 256  // of an entry, its place and the claims' header, rounded up
)
