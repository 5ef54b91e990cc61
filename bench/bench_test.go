package bench_test

import (
	"context"
	"net/http"
	"runtime"
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

func rows(tb testing.TB, c *bench.Course) []bench.Row {
	tb.Helper()
	all, err := bench.Rows(c)
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// Benchmark is load/name/serial or parallel: -bench '/same_token/clerkauth$'.
func Benchmark(b *testing.B) {
	c := newCourse(b)
	all, err := c.Contestants()
	if err != nil {
		b.Fatal(err)
	}
	for _, row := range rows(b, c) {
		all = append(all, row.Contestant)
	}
	for _, k := range all {
		name := k.Load + "/" + strings.ReplaceAll(k.Name, "/", "_")
		b.Run(name+"/serial", func(b *testing.B) {
			b.ReportAllocs()
			r := k.Runner()
			for b.Loop() {
				r.Step()
			}
			check(b, r)
		})
		b.Run(name+"/parallel", func(b *testing.B) {
			b.RunParallel(func(pb *testing.PB) {
				r := k.Runner()
				for pb.Next() {
					r.Step()
				}
				check(b, r)
			})
		})
	}
}

func check(tb testing.TB, r *bench.Runner) {
	tb.Helper()
	if err := r.Check(); err != nil {
		tb.Error(err)
	}
}

// Two proxies that answer differently cannot be compared.
func TestProxiesAnswerAlike(t *testing.T) {
	p, err := bench.NewProxies(t.Context(), newCourse(t))
	if err != nil {
		t.Fatal(err)
	}
	status, body := p.Answer(bench.BareProxy)
	if s, got := p.Answer(bench.OwnProxy); s != http.StatusOK || s != status || got != body || !strings.Contains(body, "last_active_token") {
		t.Errorf("got %d %q and %d %q, want 200 twice, with the same body, and last_active_token in it", status, body, s, got)
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
			token := append(tokens, "")[0]
			code := bench.Status(h, token)
			if got := code == http.StatusNoContent; got != w.Admitted {
				t.Errorf("%s, %s: status %d, want admitted: %t", g.Name, w.Name, code, w.Admitted)
			}
		}
	}
}

// What is reported as a token never seen must not come out of a cache, whatever was measured before.
func TestFreshTokensAreNeverRemembered(t *testing.T) {
	var hits atomic.Int64
	g := bench.Observed(func(_ context.Context, e clerkauth.Event) {
		if e.CacheHit {
			hits.Add(1)
		}
	})
	c := newCourse(t)
	for _, w := range bench.Workloads() {
		if w.Name != bench.SameToken && w.Name != bench.FreshToken {
			continue
		}
		k, err := c.Contestant(g, w)
		if err != nil {
			t.Fatal(err)
		}
		hits.Store(0)
		for range 3 {
			runners := []*bench.Runner{k.Runner(), k.Runner()}
			runners[0].Run(2500)
			bench.RunTogether(runners, 2500)
			check(t, runners[0])
			check(t, runners[1])
		}
		if n := hits.Load(); w.Name == bench.FreshToken && n > 0 || w.Name == bench.SameToken && n == 0 {
			t.Errorf("%s: got %d hits, want none with fresh tokens, and some with the same token", w.Name, n)
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
			code := bench.Status(h, token)
			if got := code == http.StatusNoContent; got != q.Admit {
				t.Errorf("%s, %s: status %d, want admitted: %t", g.Name, q.Name, code, q.Admit)
			}
		}
	}
}

// Times depend on the machine and are only reported; what is allocated does not.
func TestAllocationsOfRows(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector allocates too")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, row := range rows(t, newCourse(t)) {
		r := row.Runner()
		allocs, bytes := r.Memory(2000)
		check(t, r)
		t.Logf("%s: %.1f allocations, %.0f bytes", row.Name, allocs, bytes)
		if allocs > row.Allocs+0.5 || bytes > row.Bytes+8 {
			t.Errorf("%s: %.1f allocations of %.0f bytes, want at most %.0f of %.0f", row.Name, allocs, bytes, row.Allocs, row.Bytes)
		}
	}
}
