package tokencache_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/harness"
	"github.com/clerkauth/clerkauth/internal/tokencache"
)

var (
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	later = start.Add(time.Hour)
)

// numbered is a string of a session token's size. Its beginning is the same for every n, as a header's is.
func numbered(n int) string {
	return strings.Repeat("h", 450) + fmt.Sprintf(".%0342d", n)
}

func TestCacheThatHoldsNothing(t *testing.T) {
	t.Parallel()
	caches := map[string]*tokencache.Cache[int]{
		"nil":      nil,
		"zero":     {},
		"size 0":   tokencache.New[int](0),
		"negative": tokencache.New[int](-1),
	}
	for name, c := range caches {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.Put("token", 1, start, later, later, 7)
			if got, ok := c.Get("token", 1, start); ok || got != 0 {
				t.Errorf("Get = %d, %t; want 0, false", got, ok)
			}
		})
	}
}

func TestHitNeedsTokenGenerationAndTime(t *testing.T) {
	t.Parallel()
	token := numbered(1)
	tests := map[string]struct {
		token      string
		generation uint64
		now        time.Time
		want       bool
	}{
		"the same token at once":              {token, 3, start, true},
		"an equal token in other memory":      {strings.Clone(token), 3, start, true},
		"at the last instant":                 {token, 3, later, true},
		"past the last instant":               {token, 3, later.Add(time.Microsecond), false},
		"a clock that went back":              {token, 3, start.Add(-time.Microsecond), false},
		"a later generation":                  {token, 4, start, false},
		"an earlier generation":               {token, 2, start, false},
		"forged head, same signature":         {"H" + token[1:], 3, start, false},
		"forged middle, same signature":       {token[:400] + "X" + token[401:], 3, start, false},
		"forged last byte before the tail":    {token[:len(token)-33] + "X" + token[len(token)-32:], 3, start, false},
		"shorter by a byte, same signature":   {token[1:], 3, start, false},
		"longer by a byte, same signature":    {"h" + token, 3, start, false},
		"only the tail":                       {token[len(token)-32:], 3, start, false},
		"another signature, same head":        {token[:len(token)-1] + "X", 3, start, false},
		"empty":                               {"", 3, start, false},
		"trailing byte after the signature":   {token + "=", 3, start, false},
		"the signature cut by its last bytes": {token[:len(token)-2], 3, start, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// One set, so that the hash alone cannot tell two tokens apart.
			c := tokencache.New[int](4)
			c.Put(token, 3, start, later, later, 7)
			want := 0
			if tt.want {
				want = 7
			}
			if got, ok := c.Get(tt.token, tt.generation, tt.now); ok != tt.want || got != want {
				t.Errorf("Get = %d, %t; want %d, %t", got, ok, want, tt.want)
			}
		})
	}
}

func TestPutReplacesTheSameToken(t *testing.T) {
	t.Parallel()
	c := tokencache.New[int](4)
	for n := range 3 {
		c.Put(numbered(n), 1, start, later, later, n)
	}
	for g := range uint64(10) {
		c.Put(numbered(0), g, start, later, later, 100+int(g))
	}
	if got, ok := c.Get(numbered(0), 9, start); !ok || got != 109 {
		t.Errorf("the replaced token: Get = %d, %t; want 109, true", got, ok)
	}
	for n := 1; n < 3; n++ {
		if got, ok := c.Get(numbered(n), 1, start); !ok || got != n {
			t.Errorf("its neighbour %d: Get = %d, %t; want %d, true", n, got, ok, n)
		}
	}
}

func TestFullSetGivesUpTheUnusableThenTheNearestToItsEnd(t *testing.T) {
	t.Parallel()
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	type put struct {
		generation uint64
		storedAt   time.Time
		notAfter   time.Time
	}
	usable := func(s int) put { return put{1, at(s), later} }
	tests := map[string]struct {
		set  [4]put
		gone int
	}{
		"all usable, oldest first":  {[4]put{usable(0), usable(1), usable(2), usable(3)}, 0},
		"all usable, oldest last":   {[4]put{usable(3), usable(2), usable(1), usable(0)}, 3},
		"one of another generation": {[4]put{usable(0), usable(1), {2, at(9), later}, usable(3)}, 2},
		"one past its end":          {[4]put{usable(0), {1, at(2), at(5)}, usable(2), usable(3)}, 1},
		"one from the future":       {[4]put{usable(0), usable(1), usable(2), {1, at(99), later}}, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := tokencache.New[int](4)
			for n, p := range tt.set {
				c.Put(numbered(n), p.generation, p.storedAt, p.notAfter, p.notAfter, n)
			}
			c.Put(numbered(4), 1, at(10), later, later, 4)
			if _, ok := c.Get(numbered(4), 1, at(10)); !ok {
				t.Error("the new token is a miss")
			}
			for n, p := range tt.set {
				_, ok := c.Get(numbered(n), p.generation, p.storedAt)
				if want := n != tt.gone; ok != want {
					t.Errorf("token %d: hit %t, want %t", n, ok, want)
				}
			}
		})
	}
}

func TestAtMostSizeEntries(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 2, 3, 4, 5, 7, 8, 100, 1000, 4096} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			t.Parallel()
			c := tokencache.New[int](size)
			for n := range 10 * size {
				c.Put(numbered(n), 1, start, later, later, n)
			}
			held := 0
			for n := range 10 * size {
				if got, ok := c.Get(numbered(n), 1, start); ok {
					held++
					if got != n {
						t.Fatalf("Get of token %d = %d, want %d", n, got, n)
					}
				}
			}
			// Ten times as many tokens as places leave hardly a set unfilled.
			if held > size || held < size/2 {
				t.Errorf("%d of %d tokens are held, want at most %d and at least half of that", held, 10*size, size)
			}
		})
	}
}

// heap is what is reachable now.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestMillionTokensStayWithinTheBound(t *testing.T) {
	const size = 4096
	type claims struct{ number int }
	const tokens = 1_000_000
	harness.Long(t)
	before := heap()
	c := tokencache.New[*claims](size)
	for n := range tokens {
		c.Put(numbered(n), 1, start, later, later, &claims{n})
	}
	grown := int64(heap()) - int64(before) //nolint:gosec // a heap is far smaller than 1<<63
	// The token's bytes, rounded up by the allocator, and 120 bytes for the entry, its value and its place.
	const bound = size * (896 + 120)
	if grown > bound {
		t.Errorf("the heap grew by %d bytes, want at most %d", grown, bound)
	}
	t.Logf("%d bytes per token of %d bytes", grown/size, len(numbered(0)))
	if _, ok := c.Get(numbered(tokens-1), 1, start); !ok {
		t.Error("the last token is a miss")
	}
}

func TestAllocations(t *testing.T) {
	c := tokencache.New[*int](4096)
	value := new(int)
	known, unknown := numbered(1), numbered(2)
	c.Put(known, 1, start, later, later, value)
	tests := []struct {
		name string
		want float64
		run  func()
	}{
		{"hit", 0, func() { c.Get(known, 1, start) }},
		{"miss", 0, func() { c.Get(unknown, 1, start) }},
		{"put: the entry", 1, func() { c.Put(known, 1, start, later, later, value) }},
	}
	for _, tt := range tests {
		if got := testing.AllocsPerRun(100, tt.run); got != tt.want {
			t.Errorf("%s: %v allocations, want %v", tt.name, got, tt.want)
		}
	}
}

type stored struct {
	token      string
	generation uint64
}

// Every hit must be the value of a Put for that token and generation, whatever other goroutines write.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	c := tokencache.New[stored](64)
	tokens := make([]string, 200)
	for n := range tokens {
		tokens[n] = numbered(n)
	}
	var wg sync.WaitGroup
	var hits [8]int
	for worker := range hits {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(worker), 1)) //nolint:gosec // not for secrets
			for range 20_000 {
				token, generation := tokens[rng.IntN(len(tokens))], rng.Uint64N(3)
				want := stored{token, generation}
				got, ok := c.Get(token, generation, start)
				if !ok {
					c.Put(token, generation, start, later, later, want)
					continue
				}
				hits[worker]++
				if got != want {
					t.Errorf("Get = %v, want %v", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
	for worker, n := range hits {
		if n == 0 {
			t.Errorf("worker %d never had a hit: the test proves nothing", worker)
		}
	}
}
