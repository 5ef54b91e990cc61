package tokencache_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/tokencache"
)

// model is the simplest cache: it discards nothing.
type model map[string]modelEntry

type modelEntry struct {
	generation         uint64
	storedAt, notAfter time.Time
	value              int
}

func (m model) get(token string, generation uint64, now time.Time) (int, bool) {
	e, ok := m[token]
	if !ok || e.generation != generation || now.Before(e.storedAt) || now.After(e.notAfter) {
		return 0, false
	}
	return e.value, true
}

// step is six bytes: what to do, with which token, generation, time and lifetime.
const step = 6

// run sends the same steps to a cache and the model and fails when the cache returns more than the model does. When exact,
// it must not return less either. It returns the number of hits.
func run(t *testing.T, c *tokencache.Cache[int], steps []byte, exact bool) (hits int) {
	t.Helper()
	m := model{}
	for n := 0; len(steps) >= step; n, steps = n+1, steps[step:] {
		// Tokens come in pairs that share their tail and so their set.
		token := string(rune('a'+steps[1]%2)) + numbered(int(steps[1] / 2))[1:]
		generation := uint64(steps[2] % 3)
		now := start.Add(time.Duration(binary.LittleEndian.Uint16(steps[3:])%512) * time.Second)
		if steps[0]%2 == 0 {
			notAfter := now.Add(time.Duration(steps[5]) * time.Second)
			c.Put(token, generation, now, notAfter, later, n)
			m[token] = modelEntry{generation, now, notAfter, n}
			continue
		}
		want, wantOK := m.get(token, generation, now)
		got, ok := c.Get(token, generation, now)
		if ok {
			hits++
		}
		if ok && (!wantOK || got != want) || exact && ok != wantOK {
			t.Fatalf("step %d: Get = %d, %t; the model says %d, %t", n, got, ok, want, wantOK)
		}
	}
	return hits
}

func randomSteps(n int, tokens uint64) []byte {
	rng := rand.New(rand.NewPCG(1, tokens)) //nolint:gosec // not for secrets
	var steps []byte
	for range n {
		steps = binary.LittleEndian.AppendUint64(steps, rng.Uint64())[:len(steps)+step]
		steps[len(steps)-5] = byte(rng.Uint64N(tokens)) //nolint:gosec // tokens is at most 256
	}
	return steps
}

func TestAgreesWithTheModel(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		size   int
		tokens uint64
		exact  bool
	}{
		"as many tokens as fit in a set": {4, 4, true},
		"far fewer tokens than places":   {1 << 16, 8, true},
		"more tokens than places":        {16, 32, false},
		"many more tokens than places":   {7, 64, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hits := run(t, tokencache.New[int](tt.size), randomSteps(50_000, tt.tokens), tt.exact)
			if hits < 10 {
				t.Errorf("got %d hits, want at least 10: the test proves nothing", hits)
			}
		})
	}
}

func FuzzAgreesWithTheModel(f *testing.F) {
	f.Add(uint8(4), randomSteps(20, 4))
	f.Add(uint8(7), randomSteps(50, 64))
	f.Fuzz(func(t *testing.T, size uint8, steps []byte) {
		run(t, tokencache.New[int](int(size)), steps, false)
	})
}
