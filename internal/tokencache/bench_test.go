package tokencache_test

import (
	"testing"

	"github.com/clerkauth/clerkauth/internal/tokencache"
)

// filled is a cache with room for all of the tokens it returns.
func filled(n int) (*tokencache.Cache[*int], []string) {
	c := tokencache.New[*int](8 * n)
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = numbered(i)
		c.Put(tokens[i], 1, start, later, later, &i)
	}
	return c, tokens
}

func BenchmarkHit(b *testing.B) {
	c, tokens := filled(1)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.Get(tokens[0], 1, start); !ok {
			b.Fatal("got a miss, want a hit")
		}
	}
}

func BenchmarkHitParallel(b *testing.B) {
	c, tokens := filled(1)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, ok := c.Get(tokens[0], 1, start); !ok {
				b.Error("got a miss, want a hit")
				return
			}
		}
	})
}

func BenchmarkRoundRobin(b *testing.B) {
	c, tokens := filled(1024)
	b.ReportAllocs()
	hits, n := 0, 0
	for b.Loop() {
		if _, ok := c.Get(tokens[n%len(tokens)], 1, start); ok {
			hits++
		}
		n++
	}
	b.ReportMetric(float64(hits)/float64(n), "hits/op")
}

func BenchmarkMiss(b *testing.B) {
	c, _ := filled(1)
	unknown := numbered(2)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.Get(unknown, 1, start); ok {
			b.Fatal("got a hit, want a miss")
		}
	}
}

func BenchmarkPut(b *testing.B) {
	c, tokens := filled(1)
	b.ReportAllocs()
	for b.Loop() {
		c.Put(tokens[0], 1, start, later, later, nil)
	}
}
