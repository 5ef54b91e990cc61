package bench_test

import (
	"context"
	"flag"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/bench"
)

func newCourse(tb testing.TB) *bench.Course {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	tb.Cleanup(cancel)
	c, err := bench.NewCourse(ctx)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// Benchmark is workload/guard/serial or parallel: -bench '/same_token/clerkauth'.
func Benchmark(b *testing.B) {
	c := newCourse(b)
	for _, w := range bench.Workloads() {
		b.Run(w.Name, func(b *testing.B) {
			for _, g := range bench.Guards() {
				if !bench.Fits(g, w) {
					continue
				}
				for _, name := range []string{"serial", "parallel"} {
					run, err := c.Bench(g, w, name == "parallel")
					if err != nil {
						b.Fatal(err)
					}
					b.Run(strings.ReplaceAll(g.Name, "/", "_")+"/"+name, run)
				}
			}
		})
	}
}

// BenchmarkFrontendAPIProxy is what the proxy of the Frontend API costs beside a bare httputil.ReverseProxy.
func BenchmarkFrontendAPIProxy(b *testing.B) {
	p, err := bench.NewProxies(b.Context(), newCourse(b))
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{bench.BareProxy, bench.OwnProxy} {
		for _, way := range []string{"serial", "parallel"} {
			run, err := p.Bench(name, way == "parallel")
			if err != nil {
				b.Fatal(err)
			}
			b.Run(name+"/"+way, run)
		}
	}
}

// Two proxies that answer differently cannot be compared.
func TestProxiesAnswerAlike(t *testing.T) {
	p, err := bench.NewProxies(t.Context(), newCourse(t))
	if err != nil {
		t.Fatal(err)
	}
	status, body := p.Answer(bench.BareProxy)
	if s, got := p.Answer(bench.OwnProxy); s != http.StatusOK || s != status || got != body || body == "" {
		t.Errorf("%d %q and %d %q", status, body, s, got)
	}
}

// BenchmarkAccept is of the credentials of machines, beside a session token.
func BenchmarkAccept(b *testing.B) {
	runs, err := bench.MachineRuns(newCourse(b))
	if err != nil {
		b.Fatal(err)
	}
	for _, run := range runs {
		b.Run(run.Name, run.Run)
	}
}

// A measurement of a guard that lets the wrong tokens in would compare nothing.
func TestGuardsAdmitAndRefuseWhatTheWorkloadsSay(t *testing.T) {
	c := newCourse(t)
	for _, g := range bench.Guards() {
		for _, w := range bench.Workloads() {
			if !bench.Fits(g, w) {
				continue
			}
			h, err := c.Handler(g, w)
			if err != nil {
				t.Errorf("%s: %v", g.Name, err)
				continue
			}
			tokens, err := w.Tokens(c.Pool)
			if err != nil {
				t.Fatal(err)
			}
			code := bench.Status(h, g, tokens[0])
			if got := code == http.StatusNoContent; got != w.Admitted {
				t.Errorf("%s, %s: status %d, want admitted: %t", g.Name, w.Name, code, w.Admitted)
			}
		}
	}
}

// What is reported as a token never seen must not come out of a cache, whatever was measured before.
func TestFreshTokensAreNeverRemembered(t *testing.T) {
	if err := flag.Set("test.benchtime", "5000x"); err != nil {
		t.Fatal(err)
	}
	var hits atomic.Int64
	g := bench.Observed(func(_ context.Context, e clerkauth.Event) {
		if e.CacheHit {
			hits.Add(1)
		}
	})
	c := newCourse(t)
	for range 2 {
		for _, w := range bench.Workloads() {
			for _, parallel := range []bool{false, true} {
				run, err := c.Bench(g, w, parallel)
				if err != nil {
					t.Fatal(err)
				}
				hits.Store(0)
				if testing.Benchmark(run).N == 0 {
					t.Errorf("%s: not answered as it must be", w.Name)
				}
				if n := hits.Load(); w.Name == bench.FreshToken && n > 0 || w.Name == bench.SameToken && n == 0 {
					t.Errorf("%s: %d tokens were remembered", w.Name, n)
				}
			}
		}
	}
}

func TestOwnAnswersAreThoseWanted(t *testing.T) {
	c := newCourse(t)
	for _, g := range bench.Guards() {
		if g.Kind != bench.Own {
			continue
		}
		h, err := c.Handler(g, bench.Workload{Name: "answers"})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range bench.Cases() {
			token, err := q.Token(c.Pool)
			if err != nil {
				t.Fatal(err)
			}
			code := bench.Status(h, g, token)
			if got := code == http.StatusNoContent; got != q.Admit {
				t.Errorf("%s, %s: status %d, want admitted: %t", g.Name, q.Name, code, q.Admit)
			}
		}
	}
}
