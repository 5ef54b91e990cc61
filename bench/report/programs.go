package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/bench"
)

// programs is how large a program with clerkauth is and how long it takes to start.
type programs struct {
	names  []string
	starts []spread // nanoseconds
	sizes  []size
}

type size struct {
	flags         string
	guarded, bare int64
}

func (s size) more() int64 { return s.guarded - s.bare }

func startPrograms(ctx context.Context, c *bench.Course, d time.Duration) (*programs, error) {
	dir, err := os.MkdirTemp("", "clerkauth-bench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	p := &programs{}
	var built bench.Programs
	for _, flags := range []string{"", bench.Stripped} {
		log.Printf("building programs, -ldflags=%q", flags)
		if built, err = bench.BuildPrograms(ctx, dir, flags); err != nil {
			return nil, err
		}
		s := size{flags: flags}
		if s.guarded, s.bare, err = built.Sizes(); err != nil {
			return nil, err
		}
		p.sizes = append(p.sizes, s)
	}
	starts, err := built.Starts(c)
	if err != nil {
		return nil, err
	}
	return p, p.start(ctx, starts, d)
}

func (p *programs) start(ctx context.Context, starts []bench.Start, d time.Duration) error {
	log.Printf("starting programs for %v", d.Round(time.Second))
	samples := make([][]float64, len(starts))
	for began, n := time.Now(), 0; n < fewest || time.Since(began) < d; n++ {
		for i, s := range starts {
			took, err := s.FirstAnswer(ctx)
			if err != nil {
				return err
			}
			samples[i] = append(samples[i], float64(took))
		}
	}
	for i, s := range starts {
		p.names, p.starts = append(p.names, s.Name), append(p.starts, spreadOf(samples[i]))
	}
	return nil
}

func (p *programs) table(b *strings.Builder) {
	fmt.Fprintf(b, "## Start\n\nFrom the start of a process to its first answer with status 200, in turn: the median, and in parentheses the quartiles.\n\n")
	head(b, "", "time")
	for i, name := range p.names {
		s := p.starts[i]
		line(b, name, fmt.Sprintf("%s (%s to %s)", nanoseconds(s.median), nanoseconds(s.low), nanoseconds(s.high)))
	}
	fmt.Fprintf(b, "\n## Size\n\nThe same program with clerkauth before its handler and without.\n\n")
	head(b, "built with", "with", "without", "more")
	for _, s := range p.sizes {
		line(b, fmt.Sprintf("`-ldflags=%q`", s.flags), megabytes(s.guarded), megabytes(s.bare), megabytes(s.more()))
	}
	fmt.Fprintln(b)
}

func (p *programs) goals() []goal {
	var goals []goal
	for i, name := range p.names {
		if name == bench.StartedWithKey {
			took := time.Duration(p.starts[i].median)
			goals = append(goals, goal{"start of a process to its first 200, " + name, "at most 6 ms", bench.Duration(took), took <= 6*time.Millisecond})
		}
	}
	for _, s := range p.sizes {
		if s.flags == bench.Stripped {
			goals = append(goals, goal{
				fmt.Sprintf("bytes that clerkauth adds to a program built with `-ldflags=%q`", s.flags), "at most " + megabytes(bench.LargestProgram),
				megabytes(s.more()), s.more() <= bench.LargestProgram,
			})
		}
	}
	return goals
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
