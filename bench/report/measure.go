package main

import (
	"fmt"
	"log"
	"slices"
	"testing"

	"github.com/clerkauth/clerkauth/bench"
)

// speed is what was measured of every guard under every workload.
type speed map[key]figure

type key struct{ guard, load string }

// figure is the median of all passes.
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
		s[k] = figure{median(v.serial), median(v.parallel), v.allocs, v.bytes}
	}
	return s, nil
}

// samples are the figures of every pass.
type samples struct {
	serial, parallel []float64
	allocs, bytes    int64
}

func pass(c *bench.Course, guards []bench.Guard, loads []bench.Workload, all map[key]*samples) error {
	for _, w := range loads {
		for _, g := range guards {
			if !bench.Fits(g, w) {
				continue
			}
			one, err := once(c, g, w, false)
			if err != nil {
				return err
			}
			many, err := once(c, g, w, true)
			if err != nil {
				return err
			}
			k := key{g.Name, w.Name}
			if all[k] == nil {
				all[k] = &samples{}
			}
			all[k].serial = append(all[k].serial, perRequest(one))
			all[k].parallel = append(all[k].parallel, perRequest(many))
			all[k].allocs, all[k].bytes = one.AllocsPerOp(), one.AllocedBytesPerOp()
		}
	}
	return nil
}

func once(c *bench.Course, g bench.Guard, w bench.Workload, parallel bool) (testing.BenchmarkResult, error) {
	run, err := c.Bench(g, w, parallel)
	if err != nil {
		return testing.BenchmarkResult{}, err
	}
	r := testing.Benchmark(run)
	if r.N == 0 {
		return r, fmt.Errorf("%s under %q does not answer as it must", g.Name, w.Name)
	}
	return r, nil
}

func perRequest(r testing.BenchmarkResult) float64 { return float64(r.T) / float64(r.N) }

func median(d []float64) float64 {
	slices.Sort(d)
	return d[len(d)/2]
}
