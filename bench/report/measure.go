package main

import (
	"errors"
	"fmt"
	"log"
	"testing"

	"github.com/clerkauth/clerkauth/bench"
)

// speed is what was measured of every guard under every workload.
type speed map[key]*figure

type key struct{ guard, load string }

// figure is the fastest of all passes: what else the machine does only slows them down. It also is the pass that the
// garbage collector disturbed least, of every guard alike.
type figure struct {
	serial, parallel float64 // nanoseconds per request; 0: not measured
	allocs, bytes    int64
}

func (f *figure) takeSerial(r testing.BenchmarkResult) {
	if t := perRequest(r); f.serial == 0 || t < f.serial {
		f.serial, f.allocs, f.bytes = t, r.AllocsPerOp(), r.AllocedBytesPerOp()
	}
}

func (f *figure) takeParallel(r testing.BenchmarkResult) {
	if t := perRequest(r); f.parallel == 0 || t < f.parallel {
		f.parallel = t
	}
}

// measure takes passes in turn, so that what slows the machine for a while slows every guard.
func measure(c *bench.Course, p *bench.Proxies, guards []bench.Guard, loads []bench.Workload, passes int) (speed, error) {
	s := speed{}
	for n := range passes {
		log.Printf("pass %d of %d", n+1, passes)
		if err := s.pass(c, p, guards, loads); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s speed) pass(c *bench.Course, p *bench.Proxies, guards []bench.Guard, loads []bench.Workload) error {
	for _, w := range loads {
		for _, g := range guards {
			if bench.Fits(g, w) {
				if err := measureOne(c, g, w, s.of(g.Name, w.Name)); err != nil {
					return fmt.Errorf("%s, %s: %w", g.Name, w.Name, err)
				}
			}
		}
	}
	if err := s.passProxies(p); err != nil {
		return err
	}
	if err := s.passMachines(c); err != nil {
		return err
	}
	garbage, err := bench.Garbage(c)
	if err != nil {
		return err
	}
	return once(garbage, s.of(ownName, bareGarbage).takeSerial)
}

func (s speed) passProxies(p *bench.Proxies) error {
	for _, name := range []string{bench.BareProxy, bench.OwnProxy} {
		serial, err := p.Bench(name, false)
		if err != nil {
			return err
		}
		if err := once(serial, s.of(name, proxiedLoad).takeSerial); err != nil {
			return err
		}
	}
	return nil
}

func (s speed) passMachines(c *bench.Course) error {
	machines, err := bench.MachineRuns(c)
	if err != nil {
		return err
	}
	for _, m := range machines {
		if err := once(m.Run, s.of(ownName, m.Name).takeSerial); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return nil
}

func (s speed) of(guard, load string) *figure {
	k := key{guard, load}
	if s[k] == nil {
		s[k] = &figure{}
	}
	return s[k]
}

func measureOne(c *bench.Course, g bench.Guard, w bench.Workload, f *figure) error {
	serial, err := c.Bench(g, w, false)
	if err != nil {
		return err
	}
	parallel, err := c.Bench(g, w, true)
	if err != nil {
		return err
	}
	if err := once(serial, f.takeSerial); err != nil {
		return err
	}
	return once(parallel, f.takeParallel)
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
