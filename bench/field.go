package bench

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// longestWait is after how long a client gives up.
const longestWait = 10 * time.Second

// field is one guard with a key server of its own, for one fault.
type field struct {
	guard   Guard
	keys    KeyServer
	pool    *Pool
	other   *rsa.PrivateKey // the key of a rotation
	kid     string
	site    Site
	clock   clock
	ctx     context.Context // what the guard starts ends with it
	handler http.Handler
}

// clock is the real one, moved.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

var fields atomic.Int64

// newField makes a field whose kid is its own: clerk-sdk-go keeps one key per kid for the whole process.
func newField(ctx context.Context, g Guard, pool *Pool, other *rsa.PrivateKey, lifetime time.Duration) *field {
	f := &field{guard: g, pool: pool, other: other, ctx: ctx, kid: fmt.Sprintf("ins_fault%d", fields.Add(1))}
	f.keys.Serve(map[string]*rsa.PublicKey{f.kid: &pool.Key.PublicKey})
	server := httptest.NewServer(&f.keys)
	context.AfterFunc(ctx, func() {
		server.CloseClientConnections()
		server.Close()
	})
	f.site = Site{Server: server.URL, Key: &pool.Key.PublicKey, Lifetime: lifetime, Now: f.clock.now}
	return f
}

// start sets the guard up and says how long that took.
func (f *field) start() (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithCancel(f.ctx)
	late := time.AfterFunc(longestWait, cancel)
	protect, err := f.guard.Protect(ctx, f.site)
	late.Stop()
	if err != nil {
		return time.Since(began), err
	}
	f.handler = protect(http.HandlerFunc(Handler))
	return time.Since(began), nil
}

// warm starts the guard and lets it see a valid token.
func (f *field) warm() error {
	if _, err := f.start(); err != nil {
		return err
	}
	if t := f.send(1, 1, f.valid(f.kid)); t.refused > 0 {
		return fmt.Errorf("%s refuses a valid token: %w", f.guard.Name, errRefused)
	}
	f.keys.Fetches()
	return nil
}

// age makes the keys that the guard knows older than their lifetime.
func (f *field) age(part float64) {
	if f.guard.Clock > 0 {
		f.clock.advance(time.Duration(part * float64(f.guard.Clock)))
		time.Sleep(20 * time.Millisecond) // for a refresh in the background
		return
	}
	time.Sleep(time.Duration(part * float64(f.site.Lifetime)))
}

// valid returns a token of kid, signed with the pool's key, or with the other one when kid is not the field's.
func (f *field) valid(kid string) func() string {
	key := f.pool.Key
	if kid != f.kid {
		key = f.other
	}
	token, err := Sign(key, kid, Claims(0))
	if err != nil {
		panic(err) // the key signed twenty thousand tokens before
	}
	return func() string { return token }
}

// junk returns a new token with a new kid at every call. Its signature is of another token.
func (f *field) junk() string {
	_, rest, _ := strings.Cut(f.pool.Tokens[0], ".")
	header := fmt.Sprintf(`{"alg":"RS256","kid":"ins_%s","typ":"JWT"}`, rand.Text())
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + rest
}

// tally is how a number of requests fared.
type tally struct {
	refused int
	waits   []time.Duration // in order
}

func (t tally) longest() time.Duration { return t.waits[len(t.waits)-1] }

func (t tally) p99() time.Duration { return t.waits[len(t.waits)*99/100] }

// send sends n requests, at most so many at a time.
func (f *field) send(n, atATime int, token func() string) tally {
	t := tally{waits: make([]time.Duration, n)}
	var refused, next atomic.Int64
	var wg sync.WaitGroup
	for range min(n, atATime) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				began := time.Now()
				if !f.ask(token()) {
					refused.Add(1)
				}
				t.waits[i] = time.Since(began)
			}
		})
	}
	wg.Wait()
	slices.Sort(t.waits)
	t.refused = int(refused.Load())
	return t
}

// ask sends one request of a client that gives up after a while, and says whether the application was reached.
func (f *field) ask(token string) bool {
	ctx, cancel := context.WithTimeout(f.ctx, longestWait)
	defer cancel()
	r := script().WithContext(ctx)
	r.Header.Set("Authorization", bearerScheme+token)
	w := &sink{header: http.Header{}}
	f.handler.ServeHTTP(w, r)
	return w.status == http.StatusNoContent
}

// until sends requests until a token is admitted or not, as wanted.
func (f *field) until(admitted bool, token func() string) (after time.Duration, sent int, ok bool) {
	const pause, enough = 50 * time.Millisecond, 15 * time.Second
	began := time.Now()
	for time.Since(began) < enough {
		sent++
		if f.ask(token()) == admitted {
			return time.Since(began), sent, true
		}
		time.Sleep(pause)
	}
	return time.Since(began), sent, false
}

// add is both tallies in one.
func (t tally) add(u tally) tally {
	t.refused += u.refused
	t.waits = append(t.waits, u.waits...)
	slices.Sort(t.waits)
	return t
}
