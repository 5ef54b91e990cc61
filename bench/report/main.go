// Report measures every guard in interleaved passes and writes RESULTS.md and chart.svg beside this directory.
//
//	cd bench && GOWORK=off go run ./report
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/bench"
)

func main() {
	log.SetFlags(0)
	testing.Init()
	passes := flag.Int("passes", 12, "how often everything is measured; the fastest counts")
	each := flag.Duration("each", 100*time.Millisecond, "for how long one guard is measured under one workload")
	faults := flag.Bool("faults", true, "measure the fault table, which takes some minutes")
	flag.Parse()
	if err := flag.Set("test.benchtime", each.String()); err != nil {
		log.Fatal(err)
	}
	if err := report(*passes, *faults); err != nil {
		log.Fatal(err)
	}
}

func report(passes int, faults bool) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	course, err := bench.NewCourse(ctx)
	if err != nil {
		return err
	}
	d := document{
		began:   time.Now(),
		command: strings.Join(append([]string{"GOWORK=off go run ./report"}, os.Args[1:]...), " "),
		passes:  passes,
		machine: thisMachine(),
		guards:  bench.Guards(),
		loads:   bench.Workloads(),
		token:   len(course.Pool.Tokens[0]),
	}
	proxies, err := bench.NewProxies(ctx, course)
	if err != nil {
		return err
	}
	if d.speed, err = measure(course, proxies, d.guards, d.loads, passes); err != nil {
		return err
	}
	if d.cached, err = bench.CachedSession(course); err != nil {
		return err
	}
	if d.answers, err = answers(course, d.guards); err != nil {
		return err
	}
	if faults {
		if d.faults, err = meetFaults(ctx, course.Pool); err != nil {
			return err
		}
	}
	if err := write("RESULTS.md", d.markdown()); err != nil {
		return err
	}
	return write("chart.svg", d.chart())
}

// answers asks every guard every question.
func answers(c *bench.Course, guards []bench.Guard) ([]answer, error) {
	var all []answer
	for _, q := range bench.Cases() {
		token, err := q.Token(c.Pool)
		if err != nil {
			return nil, err
		}
		a := answer{question: q, codes: map[string]int{}}
		for _, g := range guards {
			h, err := c.Handler(g, bench.Workload{Name: "answers"})
			if err != nil {
				return nil, err
			}
			a.codes[g.Name] = bench.Status(h, g, token)
		}
		all = append(all, a)
	}
	return all, nil
}

func meetFaults(ctx context.Context, pool *bench.Pool) ([]faultRow, error) {
	var all []faultRow
	for _, x := range bench.Faults() {
		row := faultRow{fault: x, cells: map[string][]bench.Cell{}}
		for _, g := range bench.FaultGuards() {
			log.Printf("fault: %s: %s", x.Name, g.Name)
			cells, err := x.Run(ctx, g, pool)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", x.Name, err)
			}
			row.cells[g.Name] = cells
		}
		all = append(all, row)
	}
	return all, nil
}

func write(name, text string) error {
	return os.WriteFile(name, []byte(text), 0o644) //nolint:gosec // made to be read by everybody
}
