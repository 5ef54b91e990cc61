package jwks

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// fetch is a fetch in progress. Its goroutine closes done within fetchTimeout.
type fetch struct {
	began time.Time
	fresh bool // caches in between were told not to answer
	done  chan struct{}
}

// start joins the fetch in progress or begins one, unless one has just failed. It returns nil when there is nothing to wait
// for.
func (k *Keys) start() *fetch {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fetch == nil {
		s, now := k.current.Load(), k.now()
		since := k.retryAt.Sub(now)
		if s != nil && now.Before(s.refreshAt) && !k.tooOld(s, now) || since > 0 && since <= lastRetry {
			return nil
		}
		k.begin(now, false)
	}
	return k.fetch
}

// begin starts a fetch, the only one. k.mu is held.
func (k *Keys) begin(now time.Time, fresh bool) {
	f := &fetch{began: now, fresh: fresh, done: make(chan struct{})}
	k.fetch = f
	s := k.current.Load()
	go func() {
		started := time.Now()
		ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
		defer cancel()
		etag := ""
		if s != nil {
			etag = s.etag
		}
		doc, err := k.ask(ctx, etag, fresh)
		ended := f.began.Add(time.Since(started)) // not read from the clock: it is the application's, which may set it between requests
		off := offset(doc.date, f.began, ended)
		if !doc.date.IsZero() {
			k.ahead.Store(int64(off))
		}
		if err = k.finish(f, s, doc, err); err != nil {
			k.warn(err)
		}
		if off.Abs() > toleratedOffset {
			k.warn(&ClockError{off})
		}
	}()
}

// ask calls the source. A panic in it, for example in an http.RoundTripper of the application, is an error of this fetch:
// on this goroutine it would end the process. The text of the panic may contain anything, and is left out.
func (k *Keys) ask(ctx context.Context, etag string, fresh bool) (doc Document, err error) {
	defer func() {
		if p := recover(); p != nil {
			doc, err = Document{}, fmt.Errorf("keys: panic with a %T while fetching", p)
		}
	}()
	return k.source(ctx, etag, fresh)
}

// wait returns when f has ended or ctx is done.
func (f *fetch) wait(ctx context.Context) {
	select {
	case <-f.done:
	case <-ctx.Done():
	}
}

// finish stores the result of a fetch. Only a set with a usable key replaces the one before, and completely: a removed key
// is gone at once. It returns why nothing was stored.
func (k *Keys) finish(f *fetch, old *Snapshot, doc Document, err error) error {
	var set *Set
	if err == nil {
		set, err = doc.set(old)
	}
	defer close(f.done) // after k.mu is released: everything is done when waiting ends
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fetch, k.lastError = nil, err
	if err != nil {
		k.fail(old, doc.retryAfter)
		return err
	}
	k.failures = 0
	next := &Snapshot{Set: set, Generation: 1, fetchedAt: f.began, etag: doc.etag}
	if old != nil {
		next.Generation = old.Generation
		if doc.notModified {
			next.etag = old.etag
		}
		if !set.equal(old.Set) {
			next.Generation++
		}
	}
	tenth := refreshAfter / 10
	next.refreshAt = f.began.Add(refreshAfter - tenth + rand.N(2*tenth)) //nolint:gosec // spreads load, protects nothing
	k.current.Store(next)
	return nil
}

// fail backs off: 1 s, doubling to 1 min, or the server's Retry-After within these limits. k.mu is held.
func (k *Keys) fail(old *Snapshot, wanted time.Duration) {
	wait := min(firstRetry<<min(k.failures, 6), lastRetry)
	wait = max(wait, wanted)
	k.failures++
	k.retryAt = k.now().Add(wait)
	if old != nil {
		next := *old
		next.failed, next.refreshAt = true, k.retryAt
		k.current.Store(&next)
	}
}
