// Package jwks keeps the keys that signatures are verified with: it reads a JWKS document or a PEM key into a set, and
// decides when to fetch the document again and what to do meanwhile.
//
// A key that is known costs one load and one map read, and never waits. Keys are fetched because of a request, one
// fetch at a time; there is no standing goroutine and nothing to close.
package jwks

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// When keys are fetched.
const (
	refreshAfter = 4 * time.Minute // give or take a tenth: the next request refreshes in the background
	fetchTimeout = 5 * time.Second
	longestWait  = 3 * time.Second // of a request for keys
	firstRetry   = time.Second
	lastRetry    = time.Minute
)

// FreshFor is how old keys may be before a refresh is tried before use.
const FreshFor = 5 * time.Minute

// Why Find returns no keys.
var (
	ErrUnknownKID  = errors.New("no key has this kid")
	ErrUnavailable = errors.New("the keys could not be loaded")
)

// Snapshot is a set of keys and until when it is used without a fetch. It never changes.
type Snapshot struct {
	*Set

	Generation uint64    // changes only when key material does; never 0
	fetchedAt  time.Time // when the fetch that brought or confirmed it began
	refreshAt  time.Time // from then on, fetching is due
	failed     bool      // a fetch has failed since
	etag       string
}

// Keys are one instance's keys. They are safe for concurrent use and must not be copied.
type Keys struct {
	source Source // nil: the keys are fixed
	now    func() time.Time
	maxAge time.Duration
	warn   func(error)

	current atomic.Pointer[Snapshot]
	ahead   atomic.Int64 // see Ahead

	mu          sync.Mutex // guards everything below
	fetch       *fetch     // the one under way; nil: none
	failures    int        // in a row
	retryAt     time.Time  // no fetch before, unless for an unknown kid
	lastUnknown time.Time  // when the last fetch for an unknown kid began
	waiting     int        // requests that wait because of an unknown kid
	lastError   error
}

// New returns keys that source brings. They outlive a source that fails by maxAge. warn is told of every fetch that
// failed, and by a *ClockError of one that shows that the clock is wrong, on a goroutine of its own.
func New(source Source, maxAge time.Duration, now func() time.Time, warn func(error)) *Keys {
	return &Keys{source: source, now: now, maxAge: maxAge, warn: warn}
}

// Fixed returns keys that never change. What was verified with them counts for maxAge.
func Fixed(set *Set, maxAge time.Duration) *Keys {
	k := &Keys{maxAge: maxAge}
	k.current.Store(&Snapshot{Set: set, Generation: 1})
	return k
}

// fetch is a fetch under way. Its goroutine ends it within fetchTimeout by closing done.
type fetch struct {
	began time.Time
	fresh bool // caches on the way were told not to answer
	done  chan struct{}
}

// Current are the newest keys, however old; nil: none were loaded.
func (k *Keys) Current() *Snapshot { return k.current.Load() }

// Ready returns the keys if they can be used as they are, and starts a refresh that is due. It never waits. nil: they
// must be fetched first.
func (k *Keys) Ready(now time.Time) *Snapshot {
	s := k.current.Load()
	switch {
	case s == nil || k.source == nil:
		return s
	case k.tooOld(s, now):
		return nil
	case now.Before(s.refreshAt):
		return s
	case !s.failed && now.Sub(s.fetchedAt) >= FreshFor:
		return nil
	}
	k.start()
	return s
}

// End is the last instant of what was verified with s.
func (k *Keys) End(s *Snapshot, now time.Time) time.Time {
	if k.source == nil {
		return now.Add(k.maxAge)
	}
	return s.fetchedAt.Add(k.maxAge)
}

// tooOld reports whether s may not be used at all. A clock that went back far makes it old too, because its age
// can no longer be told. A little is nothing: a request reads the clock before others have fetched.
func (k *Keys) tooOld(s *Snapshot, now time.Time) bool {
	age := now.Sub(s.fetchedAt)
	return age > k.maxAge || age < -FreshFor
}

// Find returns keys that have kid. It waits only for a key that is not here yet or for a set that nobody has tried to
// refresh, at most 3 s. The error is ErrUnknownKID, or wraps ErrUnavailable and the last fetch's error.
func (k *Keys) Find(ctx context.Context, kid string, now time.Time) (*Snapshot, error) {
	s := k.Ready(now)
	if s != nil && s.Has(kid) {
		return s, nil
	}
	if k.source == nil || !WellFormedKID(kid) {
		return nil, ErrUnknownKID // no document can bring it
	}
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	if s == nil {
		s = k.refreshed(ctx, now)
		switch {
		case s == nil:
			return nil, k.unavailable()
		case s.Has(kid):
			return s, nil
		case !s.fetchedAt.Before(now):
			return nil, ErrUnknownKID // the fetch began after this request arrived
		}
	}
	return k.findUnknown(ctx, kid)
}

// unavailable is ErrUnavailable with what went wrong last.
func (k *Keys) unavailable() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.unavailableLocked()
}

func (k *Keys) unavailableLocked() error {
	if k.lastError == nil {
		return ErrUnavailable
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, k.lastError)
}

// Load loads the keys unless they can be used as they are, and waits for them within ctx. The error is the last
// fetch's, or the context's.
func (k *Keys) Load(ctx context.Context) error {
	if k.source == nil {
		return nil
	}
	if k.Ready(k.now()) != nil {
		return nil
	}
	if f := k.start(); f != nil {
		f.wait(ctx)
	}
	if s := k.current.Load(); s != nil && !k.tooOld(s, k.now()) {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lastError != nil {
		return k.lastError
	}
	return context.Cause(ctx)
}

// Wait returns when no fetch is under way. It is for tests.
func (k *Keys) Wait() {
	for {
		k.mu.Lock()
		f := k.fetch
		k.mu.Unlock()
		if f == nil {
			return
		}
		<-f.done
	}
}

// refreshed waits for a fetch and returns the newest keys, or old ones that still may be used.
func (k *Keys) refreshed(ctx context.Context, now time.Time) *Snapshot {
	s, f := k.current.Load(), k.start()
	if f != nil {
		longest := longestWait
		if s != nil && !k.tooOld(s, now) {
			longest -= now.Sub(f.began) // one wait for all: a fetch that hangs delays nobody who comes later
		}
		bounded, cancel := context.WithTimeout(ctx, longest)
		defer cancel()
		f.wait(bounded)
	}
	s = k.current.Load()
	if s == nil || k.tooOld(s, k.now()) {
		return nil
	}
	return s
}

// start joins the fetch under way or begins one, unless one has just failed. It returns nil when there is
// nothing to wait for.
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

// begin starts the one fetch. k.mu is held.
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
		ended := f.began.Add(time.Since(started)) // the clock is the application's, which may set it between requests
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

// ask asks the source. A panic in it, which may be an http.RoundTripper of the application's own, is an error of this
// fetch: on this goroutine it would end the process. Its text may hold anything, and is left out.
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

// finish takes what a fetch brought. Only a set with a usable key replaces the one before, and then wholly: a
// key that was dropped is gone at once. It returns why nothing was taken.
func (k *Keys) finish(f *fetch, old *Snapshot, doc Document, err error) error {
	var set *Set
	if err == nil {
		set, err = doc.set(old)
	}
	defer close(f.done) // when k.mu is free: who waits finds everything done
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

// fail backs off: 1 s, doubling to 1 min, or what the server asked for within that. k.mu is held.
func (k *Keys) fail(old *Snapshot, asked time.Duration) {
	wait := min(firstRetry<<min(k.failures, 6), lastRetry)
	wait = max(wait, asked)
	k.failures++
	k.retryAt = k.now().Add(wait)
	if old != nil {
		next := *old
		next.failed, next.refreshAt = true, k.retryAt
		k.current.Store(&next)
	}
}
