package bench

import (
	"context"
	"crypto/rsa"
	"fmt"
	"net/http"
	"net/http/httptest"
)

// Course is what every guard is measured on: the tokens and the key server.
type Course struct {
	Pool *Pool
	keys KeyServer
	site Site
	ctx  context.Context // guards that are set up here end with it

	lines map[string][]string // by workload; guards share them
}

// NewCourse loads the tokens and starts the key server. Both it and the guards end with ctx.
func NewCourse(ctx context.Context) (*Course, error) {
	pool, err := LoadPool()
	if err != nil {
		return nil, err
	}
	c := &Course{Pool: pool, ctx: ctx, lines: map[string][]string{}}
	c.keys.Serve(map[string]*rsa.PublicKey{KeyID: &pool.Key.PublicKey})
	server := httptest.NewServer(&c.keys)
	context.AfterFunc(ctx, server.Close)
	c.site = Site{Server: server.URL, Key: &pool.Key.PublicKey}
	return c, nil
}

// Handler is the application behind g for one workload: what a guard remembers of one is no use to another. It has seen a
// valid token and so has its keys.
func (c *Course) Handler(g Guard, w Workload) (http.Handler, error) {
	site := c.site
	site.Remembered = w.remembered
	protect, err := g.Protect(c.ctx, site)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.Name, err)
	}
	h := protect(http.HandlerFunc(Handler))
	last := c.Pool.Tokens[Fresh-1] // which is the last to be fresh
	if code := Status(h, last); code != http.StatusNoContent {
		return nil, fmt.Errorf("%s answers a valid token with %d", g.Name, code)
	}
	return h, nil
}

// Status is what h answers to a script's request with a bearer token, or without one.
func Status(h http.Handler, token string) int {
	r := script()
	if token != "" {
		r.Header.Set("Authorization", bearerScheme+token)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// Fits reports whether a guard can be measured under a workload: one that admits everybody has nothing to verify.
func Fits(g Guard, w Workload) bool { return w.Name == SameToken || g.Kind != Open }

// Contestant is a guard under a workload.
func (c *Course) Contestant(g Guard, w Workload) (*Contestant, error) {
	h, err := c.Handler(g, w)
	if err != nil {
		return nil, err
	}
	lines, err := c.bearers(w)
	if err != nil {
		return nil, err
	}
	want := http.StatusNoContent
	if !w.Admitted {
		token := ""
		if lines != nil {
			token = lines[0][len(bearerScheme):]
		}
		want = Status(h, token) // libraries differ in how they refuse
	}
	k := contestant(g.Name, w.Name, h, want, script).sending("Authorization", lines)
	if w.Seen && g.Kind == Own {
		k.Runner().Run(len(lines))
	}
	return k, nil
}

// bearers are the values of the Authorization header under w; nil: there is none.
func (c *Course) bearers(w Workload) ([]string, error) {
	if lines, ok := c.lines[w.Name]; ok {
		return lines, nil
	}
	tokens, err := w.Tokens(c.Pool)
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, token := range tokens {
		lines = append(lines, bearerScheme+token)
	}
	c.lines[w.Name] = lines
	return lines, nil
}

// Contestants are all guards under all workloads, and the credentials of machines and the proxies beside them. Rows are
// not among them.
func (c *Course) Contestants() ([]*Contestant, error) {
	var all []*Contestant
	for _, w := range Workloads() {
		for _, g := range Guards() {
			if !Fits(g, w) {
				continue
			}
			k, err := c.Contestant(g, w)
			if err != nil {
				return nil, err
			}
			all = append(all, k)
		}
	}
	machines, err := Machines(c)
	if err != nil {
		return nil, err
	}
	proxies, err := NewProxies(c.ctx, c)
	if err != nil {
		return nil, err
	}
	return append(append(all, machines...), proxies.Contestants()...), nil
}
