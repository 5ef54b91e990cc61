package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/bench"
)

// served are answered requests in a second.
type served struct {
	rows    []bench.Served
	rates   map[string]spread // by request and server
	missing string            // why there are none
}

// loadServers lets the load tool visit one server after the other, a second each.
func loadServers(ctx context.Context, c *bench.Course, d time.Duration) (*served, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &served{rows: bench.ServedRequests()}
	servers, err := bench.StartServers(ctx, c, program, "-serve")
	if errors.Is(err, bench.ErrNoLoadTool) {
		log.Print(err)
		return &served{missing: err.Error()}, nil
	}
	if err != nil {
		return nil, err
	}
	defer servers.Close()
	return s, s.visit(ctx, servers, d)
}

func (s *served) visit(ctx context.Context, servers *bench.Servers, d time.Duration) error {
	samples := make([][]float64, len(s.rows))
	for began, n := time.Now(), 1; n == 1 || time.Since(began) < d; n++ {
		log.Printf("served requests: visit %d of each, %v of %v", n, time.Since(began).Round(time.Second), d.Round(time.Second))
		for i, row := range s.rows {
			rate, err := servers.Load(ctx, row, time.Second)
			if err != nil {
				return err
			}
			samples[i] = append(samples[i], rate)
		}
	}
	s.rates = map[string]spread{}
	for i, row := range s.rows {
		s.rates[row.Request+row.Server] = spreadOf(samples[i])
	}
	return nil
}

func (s *served) rate(request, server string) float64 { return s.rates[request+server].median }

// part is a row's share of what is served without middleware.
func (s *served) part(request, server string) float64 {
	return s.rate(request, server) / s.rate(request, bench.OpenServer)
}

func (s *served) table(b *strings.Builder) {
	fmt.Fprintf(b, "## Served requests\n\n")
	if s.missing != "" {
		fmt.Fprintf(b, "Not measured: %s.\n\n", s.missing)
		return
	}
	fmt.Fprintf(b, "Requests per second that a net/http server with GOMAXPROCS=1 answers to wrk, 16 connections, each on a core of its own\n"+
		"where there are two. One second each in turn; the median, and in parentheses the quartiles. The last column compares with\n"+
		"the same request to a server without middleware: most of the time is net/http's own.\n\n")
	head(b, "request", "server", "requests per second", "of no middleware")
	for _, row := range s.rows {
		r := s.rates[row.Request+row.Server]
		line(b, row.Request, row.Server, fmt.Sprintf("%.0f (%.0f to %.0f)", r.median, r.low, r.high), fmt.Sprintf("%.2f", s.part(row.Request, row.Server)))
	}
	fmt.Fprintln(b)
}

func (s *served) goals() []goal {
	if s.missing != "" {
		return nil
	}
	part := func(request string, least float64) goal {
		n := s.part(request, bench.OwnServer)
		return goal{"served requests per second, " + request, fmt.Sprintf("at least %.2f of no middleware", least), fmt.Sprintf("%.2f", n), n >= least}
	}
	n := s.rate(bench.BearerRow, bench.OwnServer) / s.rate(bench.BearerRow, clerkSDK)
	return []goal{
		part(bench.BearerRow, 0.90), part(bench.CookiesRow, 0.90), part(bench.PageRow, 0.85),
		{"served requests per second, against " + clerkSDK, "at least 8 times", fmt.Sprintf("%.1f×", n), n >= 8},
	}
}
