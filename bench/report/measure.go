package main

import (
	"errors"
	"fmt"
	"log"
	"slices"
	"testing"

	"github.com/clerkauth/clerkauth/bench"
)

// speed is what was measured of every guard under every workload.
type speed map[key]figure

type key struct{ guard, load string }

// figure is the fastest of all passes: what else the machine does only ever adds to the time.
type figure struct {
	serial, parallel float64 // nanoseconds per request
	allocs, bytes    int64
}

// measure takes passes in turn, so that what slows the machine for a while slows every guard.
func measure(c *bench.Course, guards []bench.Guard, loads []bench.Workload, passes int) (speed, error) {
	all := map[key]*samples{}
	for n := range passes {
		log.Printf("pass %d of %d", n+1, passes)
		if err := pass(c, guards, loads, all); err != nil {
			return nil, err
		}
	}
	s := speed{}
	for k, v := range all {
		s[k] = figure{fastest(v.serial), fastest(v.parallel), v.allocs, v.bytes}
	}
	return s, nil
}

// samples are the figures of every pass.
type samples struct {
	serial, parallel []float64
	allocs, bytes    int64
}

func (s *samples) add(one testing.BenchmarkResult) {
	s.serial = append(s.serial, perRequest(one))
	s.allocs, s.bytes = one.AllocsPerOp(), one.AllocedBytesPerOp()
}

func pass(c *bench.Course, guards []bench.Guard, loads []bench.Workload, all map[key]*samples) error {
	for _, w := range loads {
		for _, g := range guards {
			if bench.Fits(g, w) {
				if err := measureOne(c, g, w, of(all, key{g.Name, w.Name})); err != nil {
					return err
				}
			}
		}
	}
	garbage, err := bench.Garbage(c)
	if err != nil {
		return err
	}
	return once(garbage, of(all, key{ownName, bareGarbage}).add)
}

func of(all map[key]*samples, k key) *samples {
	if all[k] == nil {
		all[k] = &samples{}
	}
	return all[k]
}

func measureOne(c *bench.Course, g bench.Guard, w bench.Workload, s *samples) error {
	serial, err := c.Bench(g, w, false)
	if err != nil {
		return err
	}
	parallel, err := c.Bench(g, w, true)
	if err != nil {
		return err
	}
	if err := once(serial, s.add); err != nil {
		return fmt.Errorf("%s, %s: %w", g.Name, w.Name, err)
	}
	return once(parallel, func(many testing.BenchmarkResult) { s.parallel = append(s.parallel, perRequest(many)) })
}

var errAnswer = errors.New("an answer is not the one that the workload wants")

func once(run func(*testing.B), take func(testing.BenchmarkResult)) error {
	r := testing.Benchmark(run)
	if r.N == 0 {
		return errAnswer
	}
	take(r)
	return nil
}

func perRequest(r testing.BenchmarkResult) float64 { return float64(r.T) / float64(r.N) }

func fastest(d []float64) float64 {
	if len(d) == 0 {
		return 0 // not measured
	}
	return slices.Min(d)
}
