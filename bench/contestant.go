package bench

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Contestant is a handler under one kind of request: what one cell of a table is about. Its Runners may work at once.
type Contestant struct {
	Name, Load string

	handler http.Handler
	request func() *http.Request
	want    int // the status that every answer must have
	// lines are the values of one header, sent in turn. Without them every request is the same.
	header string
	lines  []string
	// blocks counts what the Runners took of lines. It goes on from one measurement to the next, so that a token that may
	// still be remembered is not sent again as one that was never seen.
	blocks *atomic.Int64
}

// block is how many lines a Runner takes at a time.
const block = 64

func contestant(name, load string, h http.Handler, want int, request func() *http.Request) *Contestant {
	return &Contestant{Name: name, Load: load, handler: h, want: want, request: request, blocks: new(atomic.Int64)}
}

// sending lets the requests carry one value of a header after the other.
func (c *Contestant) sending(header string, lines []string) *Contestant {
	c.header, c.lines = header, lines
	return c
}

// Runner sends a Contestant's requests one after the other, without making anything new for them.
type Runner struct {
	*Contestant

	sent *http.Request
	sink *sink
	line []string // the header's value, which changes in place
	next int
	left int // of the block that it took
}

// Runner returns a new one, for one goroutine.
func (c *Contestant) Runner() *Runner {
	r := &Runner{Contestant: c, sent: c.request(), sink: &sink{header: http.Header{}}, line: []string{""}}
	if c.lines != nil {
		r.sent.Header[c.header] = r.line
	}
	return r
}

// Step sends one request.
func (r *Runner) Step() {
	if len(r.lines) > 1 {
		r.take()
	} else if r.lines != nil {
		r.line[0] = r.lines[0]
	}
	clear(r.sink.header)
	r.sink.status = 0
	r.handler.ServeHTTP(r.sink, r.sent)
	if r.sink.status != r.want {
		r.sink.wrong++
	}
}

func (r *Runner) take() {
	if r.left == 0 {
		r.next, r.left = int(r.blocks.Add(1)-1)*block%len(r.lines), block
	}
	r.left--
	r.line[0] = r.lines[r.next]
	if r.next++; r.next == len(r.lines) {
		r.next = 0
	}
}

// Check reports answers that did not have the status that they must have.
func (r *Runner) Check() error {
	if r.sink.wrong > 0 {
		return fmt.Errorf("%s, %s: %d answers do not have status %d", r.Name, r.Load, r.sink.wrong, r.want)
	}
	return nil
}

// Run sends n requests and says how long that took.
func (r *Runner) Run(n int) time.Duration {
	began := time.Now()
	for range n {
		r.Step()
	}
	return time.Since(began)
}

// RunTogether lets each Runner send n requests, all at once, and says how long that took.
func RunTogether(runners []*Runner, n int) time.Duration {
	var wg sync.WaitGroup
	began := time.Now()
	for _, r := range runners {
		wg.Go(func() { r.Run(n) })
	}
	wg.Wait()
	return time.Since(began)
}

// Memory is how many allocations, and how many bytes, one request takes on average. What other goroutines allocate
// meanwhile counts too.
func (r *Runner) Memory(n int) (allocs, bytes float64) {
	r.Run(10) // what is made once
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r.Run(n)
	runtime.ReadMemStats(&after)
	each := func(total uint64) float64 { return float64(total) / float64(n) }
	return each(after.Mallocs - before.Mallocs), each(after.TotalAlloc - before.TotalAlloc)
}

// sink is a ResponseWriter without a client.
type sink struct {
	header http.Header
	status int // of the answer that is being written; 0: none yet
	wrong  int // answers of another status
}

func (s *sink) Header() http.Header { return s.header }

func (s *sink) WriteHeader(code int) {
	if s.status == 0 {
		s.status = code
	}
}

func (s *sink) Write(b []byte) (int, error) {
	s.WriteHeader(http.StatusOK)
	return len(b), nil
}

// WriteString is there because net/http's own ResponseWriter has it.
func (s *sink) WriteString(b string) (int, error) {
	s.WriteHeader(http.StatusOK)
	return len(b), nil
}
