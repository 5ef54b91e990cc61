package soak_test

import (
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// tally counts results. The zero tally is empty and ready to use.
type tally struct {
	event string // the last one

	before, after measure

	mu      sync.Mutex // guards the fields below
	kinds   map[string]*kind
	excused map[string]int
	wrong   []string // the first few errors
	refused int      // honest requests
	broken  int      // requests without an answer
	letIn   int      // strangers
}

// kind counts the requests of one kind.
type kind struct {
	sent, served int
	longest      time.Duration
	longestAt    string
}

const firstFew = 20

func (t *tally) of(name string, took time.Duration) *kind {
	if t.kinds == nil {
		t.kinds, t.excused = map[string]*kind{}, map[string]int{}
	}
	k := t.kinds[name]
	if k == nil {
		k = &kind{}
		t.kinds[name] = k
	}
	k.sent++
	if took > k.longest {
		k.longest, k.longestAt = took, t.event
	}
	return k
}

// honest counts a request that must be served as user, or else refused with the excuse.
func (t *tally) honest(name, user string, got reply, took time.Duration, excuse string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.of(name, took)
	switch {
	case t.unanswered(name, got):
	case got.status == http.StatusOK && got.body == user:
		k.served++
	case excuse != "" && got.status != http.StatusOK:
		t.excused[excuse]++
	default:
		t.refused++
		t.note("%s of %s, after %q: %q; on the way:%s", name, user, t.event, got.body[:min(len(got.body), 40)], got.trail)
	}
}

// strange counts a request that must be refused.
func (t *tally) strange(name, what string, got reply, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(name, took)
	if !t.unanswered(name, got) && got.status/100 == 2 {
		t.letIn++
		t.note("%s: %s, after %q: %d %q", name, what, t.event, got.status, got.body)
	}
}

func (t *tally) unanswered(name string, got reply) bool {
	if got.err != nil {
		t.broken++
		t.note("%s, after %q: %v", name, t.event, got.err)
	}
	return got.err != nil
}

// reached is called with each user who reaches the application. The one whose session was planted
// must not.
func (t *tally) reached(user string) {
	if user != planter {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.letIn++
	t.note("%s reached the application after %q", user, t.event)
}

func (t *tally) note(format string, args ...any) {
	if len(t.wrong) < firstFew {
		t.wrong = append(t.wrong, fmt.Sprintf(format, args...))
	}
}

// measure is how much a process uses.
type measure struct {
	heap       int // bytes in use, without what the browsers keep
	goroutines int
}

// measure waits until idle connections are closed, and returns what the process uses.
func (s *soak) measure() measure {
	s.toApp.CloseIdleConnections()
	s.questions.next.(*http.Transport).CloseIdleConnections()
	kept := 0
	for _, b := range s.browsers {
		kept += b.size()
	}
	goroutines := runtime.NumGoroutine()
	for last := -1; goroutines != last; goroutines = runtime.NumGoroutine() {
		last = goroutines
		<-time.After(50 * time.Millisecond) // a connection closes after its other end
	}
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools are emptied by the second
	runtime.ReadMemStats(&m)
	return measure{int(m.HeapAlloc) - kept, goroutines} //nolint:gosec // far smaller than 1<<63
}

// These are the most that may be in use at the end beyond what was in use after the first minute.
const (
	// mostGrown is for what is kept on purpose and bounded: verified tokens, 4096 refreshes with
	// their cookies, and records of strangers.
	mostGrown  = 48 << 20
	mostRoutes = 8
)

// problems returns what went wrong.
func (s *soak) problems() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	if s.refused > 0 {
		all = append(all, fmt.Sprint(s.refused, " honest requests were refused"))
	}
	if s.letIn > 0 {
		all = append(all, fmt.Sprint(s.letIn, " forgeries were accepted"))
	}
	if s.broken > 0 {
		all = append(all, fmt.Sprint(s.broken, " requests had no answer"))
	}
	if grown := s.after.heap - s.before.heap; grown > mostGrown {
		all = append(all, fmt.Sprint("the heap grew by ", grown>>20, " MiB, more than ", mostGrown>>20))
	}
	if more := s.after.goroutines - s.before.goroutines; more > mostRoutes {
		all = append(all, fmt.Sprint("there are ", more, " goroutines more, and not at most ", mostRoutes))
	}
	if most := s.ticks / 4; s.questions.by["keys"] > most {
		all = append(all, fmt.Sprint("keys were fetched ", s.questions.by["keys"], " times, more than ", most))
	}
	return append(all, s.wrong...)
}

// report returns the counts as text.
func (s *soak) report(took time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var text strings.Builder
	fmt.Fprintf(&text, "%s, %d ticks, %d browsers, %d workers\n", took.Round(time.Second), s.ticks, len(s.browsers), workers)
	for _, name := range slices.Sorted(maps.Keys(s.kinds)) {
		k := s.kinds[name]
		fmt.Fprintf(&text, "%-58s %8d sent %8d served, longest wait %v (%s)\n", name, k.sent, k.served, k.longest.Round(time.Millisecond), k.longestAt)
	}
	fmt.Fprintf(&text, "honest requests refused: %d\nforgeries accepted: %d\n", s.refused, s.letIn)
	for _, why := range slices.Sorted(maps.Keys(s.excused)) {
		fmt.Fprintf(&text, "refused for a known reason: %d, %s\n", s.excused[why], why)
	}
	fmt.Fprintf(&text, "heap: %d MiB after the first minute, %d MiB at the end; goroutines: %d and %d\n",
		s.before.heap>>20, s.after.heap>>20, s.before.goroutines, s.after.goroutines)
	for _, what := range slices.Sorted(maps.Keys(s.questions.by)) {
		fmt.Fprintf(&text, "questions to the Backend API: %d %s\n", s.questions.by[what], what)
	}
	fmt.Fprintf(&text, "questions to the Backend API that took over %v: %d\n", tooSlow, s.questions.slow)
	return text.String()
}
