// Package jwks keeps the keys with which signatures are verified: it parses a JWKS document or a PEM key into a set, and
// decides when to fetch the document again and what happens until then.
//
// Using a known key costs one load and one map lookup, and waits only where no request has caused a refresh for long.
// Requests cause fetches, one at a time; there is no standing goroutine and nothing to close.
package jwks

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// When keys are fetched.
const (
	refreshAfter = 4 * time.Minute // plus or minus a tenth: the next request refreshes in the background
	fetchTimeout = 5 * time.Second
	longestWait  = 3 * time.Second // of a request for keys
	firstRetry   = time.Second
	lastRetry    = time.Minute
)

// FreshFor is the age up to which keys are used without trying a refresh first.
const FreshFor = 5 * time.Minute

// Why Find returns no keys.
var (
	ErrUnknownKID  = errors.New("no key has this kid")
	ErrUnavailable = errors.New("the keys could not be loaded")
)

// Snapshot is a set of keys, and how long it is used without a fetch. It never changes.
type Snapshot struct {
	*Set

	Generation uint64    // changes only when key material does; never 0
	fetchedAt  time.Time // when the fetch that returned or confirmed it began
	refreshAt  time.Time // from then on, it should be refreshed
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
	fetch       *fetch     // the one in progress; nil: none
	failures    int        // in a row
	retryAt     time.Time  // no fetch before, except for an unknown kid
	lastUnknown time.Time  // when the last fetch for an unknown kid began
	waiting     int        // requests that wait because of an unknown kid
	lastError   error
}

// New returns keys that are fetched from source. While source fails, they are used up to maxAge. warn is called on its own
// goroutine with the error of every failed fetch, and with a *ClockError when a fetch shows that the clock is wrong.
func New(source Source, maxAge time.Duration, now func() time.Time, warn func(error)) *Keys {
	return &Keys{source: source, now: now, maxAge: maxAge, warn: warn}
}

// Fixed returns keys that never change. What was verified with them is valid for maxAge.
func Fixed(set *Set, maxAge time.Duration) *Keys {
	k := &Keys{maxAge: maxAge}
	k.current.Store(&Snapshot{Set: set, Generation: 1})
	return k
}

// Current are the newest keys, however old; nil: none were loaded.
func (k *Keys) Current() *Snapshot { return k.current.Load() }

// Ready returns the keys if they can be used now, and starts a refresh if it is time for one. It never waits. nil: keys
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

// End is the last instant at which a verification with s may be used.
func (k *Keys) End(s *Snapshot, now time.Time) time.Time {
	if k.source == nil {
		return now.Add(k.maxAge)
	}
	return s.fetchedAt.Add(k.maxAge)
}

// tooOld reports whether s may not be used at all. If the clock was set back far, s is too old, because its age is unknown.
// A small step back is normal: requests read the clock before others have fetched.
func (k *Keys) tooOld(s *Snapshot, now time.Time) bool {
	age := now.Sub(s.fetchedAt)
	return age > k.maxAge || age < -FreshFor
}

// Find returns keys that include kid. It waits only for a key that is unknown, or for a set that nobody has tried to
// refresh, at most 3 s. The error is ErrUnknownKID, or wraps ErrUnavailable and the last fetch's error.
func (k *Keys) Find(ctx context.Context, kid string, now time.Time) (*Snapshot, error) {
	s := k.Ready(now)
	if s != nil && s.Has(kid) {
		return s, nil
	}
	if k.source == nil || !WellFormedKID(kid) {
		return nil, ErrUnknownKID // no document can contain it
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
			return nil, ErrUnknownKID // the fetch began after this request
		}
	}
	return k.findUnknown(ctx, kid)
}

// unavailable is ErrUnavailable with the last error.
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

// Load loads the keys unless they can be used now, and waits for them until ctx ends. The error is the last fetch's, or the
// context's.
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

// Wait returns when no fetch is in progress. It is for tests.
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

// refreshed waits for a fetch and returns the newest keys, or old ones that may still be used.
func (k *Keys) refreshed(ctx context.Context, now time.Time) *Snapshot {
	s, f := k.current.Load(), k.start()
	if f != nil {
		longest := longestWait
		if s != nil && !k.tooOld(s, now) {
			longest -= now.Sub(f.began) // one wait for all: a fetch that hangs does not delay later requests
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
