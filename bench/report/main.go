// Report measures everything and writes RESULTS.md, PROFILE.md, chart.svg, and the sentence of the README that follows from
// them. It runs in bench/ and takes a quarter of an hour on a quiet machine with two cores:
//
//	cd bench && GOWORK=off go run ./report
//
// A shorter run, such as -for 1m -faults=false, is for trying things: its times are less certain.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/clerkauth/clerkauth/bench"
)

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // some libraries warn of the faults that they meet
	log.SetOutput(os.Stderr)
	log.SetFlags(log.Ltime)
	d := flag.Duration("for", 8*time.Minute, "how long times are measured; building, simulations and faults are not among that")
	faults := flag.Bool("faults", true, "measure the tables of faults, which takes two minutes")
	serve := flag.String("serve", "", "be the server of this name until the standard input ends: for the report itself")
	flag.Parse()
	if *serve != "" {
		if err := bench.Serve(*serve, os.Stdin, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := report(ctx, *d, *faults); err != nil {
		stop()
		log.Fatal(err) //nolint:gocritic // what was deferred has been done
	}
}

func report(ctx context.Context, d time.Duration, faults bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	course, err := bench.NewCourse(ctx)
	if err != nil {
		return err
	}
	doc := document{
		began:   time.Now(),
		command: strings.Join(append([]string{"GOWORK=off go run ./report"}, os.Args[1:]...), " "),
		machine: thisMachine(),
		guards:  bench.Guards(),
		loads:   bench.Workloads(),
		token:   len(course.Pool.Tokens[0]),
		speed:   speed{},
	}
	if doc.cached, err = bench.CachedSession(course); err != nil {
		return err
	}
	if doc.answers, err = answers(course, doc.guards); err != nil {
		return err
	}
	if err := doc.times(ctx, course, d); err != nil {
		return err
	}
	doc.live = simulate(doc.cached)
	if faults {
		if doc.faults, err = meetFaults(ctx, course.Pool); err != nil {
			return err
		}
	}
	log.Printf("writing, after %v", time.Since(doc.began).Round(time.Second))
	return doc.write()
}

// times measures everything that depends on the machine, in parts of d.
func (d *document) times(ctx context.Context, c *bench.Course, total time.Duration) (err error) {
	if d.rows, err = bench.Rows(c); err != nil {
		return err
	}
	var all, together []*bench.Contestant
	for _, row := range d.rows {
		all = append(all, row.Contestant)
	}
	others, err := c.Contestants()
	if err != nil {
		return err
	}
	all = append(all, others...)
	for _, k := range all {
		if shared(k) {
			together = append(together, k)
		}
	}
	if d.slices, err = d.speed.serial(ctx, all, total*45/100); err != nil {
		return err
	}
	if err := d.speed.together(ctx, together, manyCores(), total*20/100); err != nil {
		return err
	}
	if d.profiles, err = profileRows(all, total*5/100); err != nil {
		return err
	}
	if d.programs, err = startPrograms(ctx, c, total*5/100); err != nil {
		return err
	}
	d.served, err = loadServers(ctx, c, total*25/100)
	return err
}

// answers asks every guard every question.
func answers(c *bench.Course, guards []bench.Guard) ([]answer, error) {
	var all []answer
	for _, q := range bench.Cases() {
		all = append(all, answer{question: q, codes: map[string]int{}})
	}
	for _, g := range guards {
		h, err := c.Handler(g, bench.Workload{Name: "answers"})
		if err != nil {
			return nil, err
		}
		for _, a := range all {
			token, err := a.question.Token(c.Pool)
			if err != nil {
				return nil, err
			}
			a.codes[g.Name] = bench.Status(h, token)
		}
	}
	return all, nil
}

func meetFaults(ctx context.Context, pool *bench.Pool) ([]faultRow, error) {
	var all []faultRow
	for _, x := range bench.Faults() {
		log.Printf("fault: %s", x.Name)
		row := faultRow{fault: x, cells: map[string][]bench.Cell{}}
		guards := bench.FaultGuards()
		cells, errs := make([][]bench.Cell, len(guards)), make([]error, len(guards))
		var wg sync.WaitGroup
		for i, g := range guards {
			wg.Go(func() { cells[i], errs[i] = x.Run(ctx, g, pool) })
			if !x.Waits {
				wg.Wait()
			}
		}
		wg.Wait()
		for i, g := range guards {
			if errs[i] != nil {
				return nil, fmt.Errorf("%s, %s: %w", x.Name, g.Name, errs[i])
			}
			row.cells[g.Name] = cells[i]
		}
		all = append(all, row)
	}
	return all, ctx.Err()
}
