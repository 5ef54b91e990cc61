package bench

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

// Course is what every guard is measured on: the tokens, the key server, and the guards themselves, set up once.
type Course struct {
	Pool *Pool
	keys KeyServer
	site Site
	ctx  context.Context // guards that are set up here end with it

	handlers map[[2]string]http.Handler // by guard and workload: what one of them remembers is no use to another
	values   map[[2]string]values
	turns    map[[2]string]*turn
}

// values are header values ready to be sent.
type values struct {
	header string
	lines  []string
}

// turn is whose turn it is among the values of one guard's workload. It goes on from one measurement to the next, so that
// a token that a guard may still remember is not sent again as a fresh one.
type turn struct{ blocks atomic.Int64 }

// block is how many values a runner takes at a time.
const block = 64

// NewCourse loads the tokens and starts the key server. Both it and the guards end with ctx.
func NewCourse(ctx context.Context) (*Course, error) {
	pool, err := LoadPool()
	if err != nil {
		return nil, err
	}
	c := &Course{Pool: pool, ctx: ctx, handlers: map[[2]string]http.Handler{}, values: map[[2]string]values{}, turns: map[[2]string]*turn{}}
	c.keys.Serve(map[string]*rsa.PublicKey{KeyID: &pool.Key.PublicKey})
	server := httptest.NewServer(&c.keys)
	context.AfterFunc(ctx, server.Close)
	c.site = Site{Server: server.URL, Key: &pool.Key.PublicKey}
	return c, nil
}

// Handler is the application behind g for one workload. It has seen a valid token and so has its keys.
func (c *Course) Handler(g Guard, w Workload) (http.Handler, error) {
	key := [2]string{g.Name, w.Name}
	if h := c.handlers[key]; h != nil {
		return h, nil
	}
	protect, err := g.Protect(c.ctx, c.site)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	h := protect(http.HandlerFunc(Handler))
	last := c.Pool.Tokens[Fresh-1] // which is the last to be fresh
	if code := Status(h, g, last); code != http.StatusNoContent {
		return nil, fmt.Errorf("%s answers a valid token with %d", g.Name, code)
	}
	c.handlers[key] = h
	return h, nil
}

// Status is what g answers to one request with token.
func Status(h http.Handler, g Guard, token string) int {
	r := request()
	if token != "" {
		name, value := g.header(token)
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// request is a GET as a server hands it to its handler.
func request() *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", http.NoBody)
	r.Host = Party[len("https://"):]
	r.Header = http.Header{
		"Accept":          {"application/json"},
		"Accept-Encoding": {"gzip, br"},
		"Accept-Language": {"en-GB,en;q=0.9"},
		"Sec-Fetch-Dest":  {"empty"},
		"Sec-Fetch-Mode":  {"cors"},
		"Sec-Fetch-Site":  {"same-origin"},
		"User-Agent":      {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0 Safari/537.36"},
	}
	return r
}

// Fits reports whether a guard can be measured under a workload: one that admits everybody has nothing to refuse, and to
// one that remembers every token there is none is fresh.
func Fits(g Guard, w Workload) bool {
	switch w.Name {
	case SameToken:
		return true
	case FreshToken:
		return g.Kind != Open && g.Remembers < Fresh
	}
	return g.Kind != Open
}

// Bench returns the benchmark of one guard under one workload.
func (c *Course) Bench(g Guard, w Workload, parallel bool) (func(*testing.B), error) {
	h, err := c.Handler(g, w)
	if err != nil {
		return nil, err
	}
	v, err := c.line(g, w)
	if err != nil {
		return nil, err
	}
	t := c.turn(g, w)
	if w.Round && g.Remembers > 0 && t.blocks.Load() == 0 {
		one := newRunner(h, v, t)
		for range v.lines {
			one.step()
		}
	}
	if parallel {
		return func(b *testing.B) { benchParallel(b, h, v, t, w.Admitted) }, nil
	}
	return func(b *testing.B) {
		b.ReportAllocs()
		one := newRunner(h, v, t)
		for b.Loop() {
			one.step()
		}
		one.check(b, w.Admitted)
	}, nil
}

func benchParallel(b *testing.B, h http.Handler, v values, t *turn, admitted bool) {
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		one := newRunner(h, v, t)
		for pb.Next() {
			one.step()
		}
		one.check(b, admitted)
	})
}

func (c *Course) turn(g Guard, w Workload) *turn {
	key := [2]string{g.Name, w.Name}
	if c.turns[key] == nil {
		c.turns[key] = &turn{}
	}
	return c.turns[key]
}

// line is what g's requests carry under w.
func (c *Course) line(g Guard, w Workload) (values, error) {
	header, mark := g.header("?")
	key := [2]string{header + mark, w.Name}
	if v, ok := c.values[key]; ok {
		return v, nil
	}
	tokens, err := w.Tokens(c.Pool)
	if err != nil {
		return values{}, err
	}
	v := values{header: header, lines: make([]string, len(tokens))}
	for i, token := range tokens {
		if token == "" {
			v.header = ""
			continue
		}
		_, v.lines[i] = g.header(token)
	}
	c.values[key] = v
	return v, nil
}

// runner sends requests one after the other without making anything new for them.
type runner struct {
	handler http.Handler
	request *http.Request
	sink    *sink
	line    []string // the header's value, which changes in place
	lines   []string
	turn    *turn
	next    int
	left    int // of the block that it took
}

func newRunner(h http.Handler, v values, t *turn) *runner {
	r := &runner{handler: h, request: request(), sink: newSink(), line: []string{""}, lines: v.lines, turn: t}
	if v.header != "" {
		r.request.Header[v.header] = r.line
	}
	return r
}

func (r *runner) step() {
	if r.left == 0 {
		r.next, r.left = int(r.turn.blocks.Add(1)-1)*block%len(r.lines), block
	}
	r.left--
	r.line[0] = r.lines[r.next]
	if r.next++; r.next == len(r.lines) {
		r.next = 0
	}
	clear(r.sink.header)
	r.handler.ServeHTTP(r.sink, r.request)
}

func (r *runner) check(b *testing.B, admitted bool) {
	if admitted && r.sink.refused > 0 || !admitted && r.sink.admitted > 0 {
		b.Errorf("admitted %d, refused %d; want admitted: %t", r.sink.admitted, r.sink.refused, admitted)
	}
}
