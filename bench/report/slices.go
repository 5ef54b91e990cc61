package main

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"
	"runtime"
	"slices"
	"time"

	"github.com/clerkauth/clerkauth/bench"
)

// sliceLength is about how long one contestant is measured before it is the next one's turn: so short that most slices pass
// without another process on their core.
const sliceLength = 400 * time.Microsecond

// fewest is how many slices of each there are, however short the time is.
const fewest = 25

// speed is what was measured of every contestant.
type speed map[key]*figure

type key struct{ name, load string }

// figure is the median and the quartiles of the slices, in nanoseconds per request.
type figure struct {
	serial        spread
	parallel      map[int]spread // by cores
	allocs, bytes float64
}

func (s speed) of(name, load string) *figure {
	k := key{name, load}
	if s[k] == nil {
		s[k] = &figure{parallel: map[int]spread{}}
	}
	return s[k]
}

// spread is three quartiles.
type spread struct{ low, median, high float64 }

func spreadOf(samples []float64) spread {
	slices.Sort(samples)
	at := func(part float64) float64 { return samples[int(part*float64(len(samples)-1)+0.5)] }
	return spread{at(0.25), at(0.5), at(0.75)}
}

// wide is how far the quartiles are apart, as a part of the median.
func (s spread) wide() float64 { return (s.high - s.low) / s.median }

// taker takes the slices of one contestant.
type taker struct {
	*bench.Contestant

	runners []*bench.Runner // as many as there are cores
	n       int             // requests of each in a slice
	samples []float64
}

// newTaker finds out how many requests a slice has room for. One of several runs may have been disturbed; the fastest was not.
func newTaker(c *bench.Contestant, cores int) *taker {
	t := &taker{Contestant: c, n: 1}
	for range cores {
		t.runners = append(t.runners, c.Runner())
	}
	for min(t.run(t.n), t.run(t.n), t.run(t.n), t.run(t.n)) < sliceLength/2 {
		t.n *= 2
	}
	return t
}

func (t *taker) run(n int) time.Duration {
	if len(t.runners) == 1 {
		return t.runners[0].Run(n)
	}
	return bench.RunTogether(t.runners, n)
}

// slice takes one, after a few requests that bring back what the slices of others have pushed out of the processor's caches.
func (t *taker) slice() {
	t.run(t.n/8 + 1)
	took := t.run(t.n)
	t.samples = append(t.samples, float64(took)/float64(t.n*len(t.runners)))
}

// takeTurns measures contestants on so many cores, a slice of each at a time and each time in another order, so that what
// slows the machine for a while slows all of them.
func takeTurns(ctx context.Context, all []*bench.Contestant, cores int, d time.Duration) ([]*taker, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
	takers := make([]*taker, len(all))
	for i, c := range all {
		takers[i] = newTaker(c, cores)
	}
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // not for secrets
	began, said := time.Now(), time.Now()
	for turns := 0; turns < fewest || time.Since(began) < d; turns++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			log.Printf("on %d of the cores: %d slices of each, %v of %v", cores, turns, time.Since(began).Round(time.Second), d.Round(time.Second))
		}
		for _, i := range rng.Perm(len(takers)) {
			takers[i].slice()
		}
	}
	for _, t := range takers {
		for _, r := range t.runners {
			if err := r.Check(); err != nil {
				return nil, err
			}
		}
	}
	return takers, nil
}

// serial measures on one core, and then what each allocates.
func (s speed) serial(ctx context.Context, all []*bench.Contestant, d time.Duration) (turns int, err error) {
	takers, err := takeTurns(ctx, all, 1, d)
	if err != nil {
		return 0, err
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, t := range takers {
		f := s.of(t.Name, t.Load)
		turns, f.serial = len(t.samples), spreadOf(t.samples)
		f.allocs, f.bytes = t.runners[0].Memory(min(max(t.n, 100), 5000))
	}
	return turns, nil
}

// together measures on each number of cores.
func (s speed) together(ctx context.Context, all []*bench.Contestant, cores []int, d time.Duration) error {
	for _, n := range cores {
		takers, err := takeTurns(ctx, all, n, d/time.Duration(len(cores)))
		if err != nil {
			return fmt.Errorf("%d cores: %w", n, err)
		}
		for _, t := range takers {
			s.of(t.Name, t.Load).parallel[n] = spreadOf(t.samples)
		}
	}
	return nil
}

// manyCores are the numbers of cores that are measured beside one.
func manyCores() []int {
	switch n := runtime.NumCPU(); {
	case n > 2:
		return []int{2, n}
	case n == 2:
		return []int{2}
	}
	return nil
}

// shared reports whether a contestant is measured on more cores than one: all before the two common kinds of token.
func shared(c *bench.Contestant) bool {
	return c.Load == bench.RowLoad || c.Load == bench.SameToken || c.Load == bench.FreshToken
}
