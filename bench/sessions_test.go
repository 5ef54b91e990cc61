package bench_test

import (
	"testing"

	"github.com/clerkauth/clerkauth/bench"
)

// The limits of larger numbers are tested beside the cache itself.
func TestLiveSessions(t *testing.T) {
	pool, err := bench.LoadPool()
	if err != nil {
		t.Fatal(err)
	}
	if got := len(pool.Tokens[0]); got != 1010 {
		t.Errorf("a token has %d bytes; the simulation's have 1010", got)
	}
	const perToken = 2000
	l := bench.SimulateSessions(1000, perToken)
	if most := int64(4000 * perToken); l.HitRatio < 0.92 || l.Heap > most || l.Later > most {
		t.Errorf("a hit ratio of %.3f, %d bytes and %d later; want at least 0.92, and at most %d", l.HitRatio, l.Heap, l.Later, most)
	}
}
