package clerkauth

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// When keys are fetched.
const (
	refreshAfter = 4 * time.Minute // give or take a tenth: the next request refreshes in the background
	freshFor     = 5 * time.Minute // then a refresh is tried before use
	fetchTimeout = 5 * time.Second
	longestWait  = 3 * time.Second // of a request for keys
	firstRetry   = time.Second
	lastRetry    = time.Minute
	maxDocument  = 256 << 10 // bytes
)

// snapshot is a set of keys and when it may be used without a thought. It never changes.
type snapshot struct {
	*keySet
	generation uint64    // changes only when key material does
	asked      time.Time // when the fetch that brought or confirmed it began
	refreshAt  time.Time // from then on, fetching is due
	failed     bool      // a fetch has failed since
	etag       string
}

// keys is one instance's keys. They belong to an Authenticator, never to the process.
type keys struct {
	source func(ctx context.Context, etag string, fresh bool) (document, error) // nil: the keys are fixed
	now    func() time.Time
	maxAge time.Duration
	warn   func(error)

	current atomic.Pointer[snapshot]

	mu          sync.Mutex // guards everything below
	flight      *flight    // the one fetch under way; nil: none
	failures    int        // in a row
	retryAt     time.Time  // no fetch before, unless for an unknown kid
	lastUnknown time.Time  // when the last fetch for an unknown kid began
	waiting     int        // requests that wait because of an unknown kid
	lastError   error
}

// flight is a fetch under way. Its goroutine ends it within fetchTimeout by closing done.
type flight struct {
	began time.Time
	fresh bool // caches on the way were told not to answer
	done  chan struct{}
}

// ready returns the keys if they can be used as they are, and nudges a refresh that is due. It never waits.
func (k *keys) ready(now time.Time) *snapshot {
	s := k.current.Load()
	switch {
	case s == nil || k.source == nil:
		return s
	case k.tooOld(s, now):
		return nil
	case now.Before(s.refreshAt):
		return s
	case !s.failed && now.Sub(s.asked) >= freshFor:
		return nil
	}
	k.start()
	return s
}

// end is the last instant of what was verified with s.
func (k *keys) end(s *snapshot, now time.Time) time.Time {
	if k.source == nil {
		return now.Add(k.maxAge)
	}
	return s.asked.Add(k.maxAge)
}

// tooOld reports whether s may not be used at all. A clock that went back far makes it old too, because its age
// can no longer be told. A little is nothing: a request reads the clock before others have fetched.
func (k *keys) tooOld(s *snapshot, now time.Time) bool {
	age := now.Sub(s.asked)
	return age > k.maxAge || age < -freshFor
}

// forKID returns keys that have kid, waiting only for a key that nobody knows yet or a set that nobody has
// looked after.
func (k *keys) forKID(ctx context.Context, kid string, now time.Time) (*snapshot, Reason) {
	s := k.ready(now)
	if s != nil && s.has(kid) {
		return s, ""
	}
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	if s == nil {
		s = k.refreshed(ctx, now)
		switch {
		case s == nil:
			return nil, ReasonKeysUnavailable
		case s.has(kid):
			return s, ""
		case !s.asked.Before(now):
			return nil, ReasonKeyUnknown // the set was asked for after this request came
		}
	}
	return k.forUnknown(ctx, kid)
}

// refreshed waits for a fetch and returns the newest keys, or old ones that still may be used.
func (k *keys) refreshed(ctx context.Context, now time.Time) *snapshot {
	s, f := k.current.Load(), k.start()
	if f != nil {
		patience := longestWait
		if s != nil && !k.tooOld(s, now) {
			patience -= now.Sub(f.began) // one wait for all: a fetch that hangs delays nobody who comes later
		}
		bounded, cancel := context.WithTimeout(ctx, patience)
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
func (k *keys) start() *flight {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.flight == nil {
		s, now := k.current.Load(), k.now()
		since := k.retryAt.Sub(now)
		if s != nil && now.Before(s.refreshAt) && !k.tooOld(s, now) || since > 0 && since <= lastRetry {
			return nil
		}
		k.begin(now, false)
	}
	return k.flight
}

// begin starts the one fetch. k.mu is held.
func (k *keys) begin(now time.Time, fresh bool) {
	f := &flight{began: now, fresh: fresh, done: make(chan struct{})}
	k.flight = f
	s := k.current.Load()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
		defer cancel()
		etag := ""
		if s != nil {
			etag = s.etag
		}
		doc, err := k.source(ctx, etag, fresh)
		if err = k.land(f, s, doc, err); err != nil {
			k.warn(err)
		}
	}()
}

// wait returns when f has landed or ctx is done.
func (f *flight) wait(ctx context.Context) {
	select {
	case <-f.done:
	case <-ctx.Done():
	}
}

// land takes what a fetch brought. Only a set with a usable key replaces the one before, and then wholly: a
// key that was dropped is gone at once. It returns the error of the first failure in a row.
func (k *keys) land(f *flight, old *snapshot, doc document, err error) error {
	var set *keySet
	if err == nil {
		set, err = doc.keySet(old)
	}
	defer close(f.done) // when k.mu is free: who waits finds everything done
	k.mu.Lock()
	defer k.mu.Unlock()
	k.flight, k.lastError = nil, err
	if err != nil {
		k.fail(old, doc.retryAfter)
		if k.failures > 1 {
			return nil
		}
		return err
	}
	k.failures = 0
	next := &snapshot{keySet: set, generation: 1, asked: f.began, etag: doc.etag}
	if old != nil {
		next.generation = old.generation
		if doc.notModified {
			next.etag = old.etag
		}
		if !set.sameKeys(old.keySet) {
			next.generation++
		}
	}
	tenth := refreshAfter / 10
	next.refreshAt = f.began.Add(refreshAfter - tenth + rand.N(2*tenth)) //nolint:gosec // spreads load, protects nothing
	k.current.Store(next)
	return nil
}

// fail backs off: 1 s, doubling to 1 min, or what the server asked for within that. k.mu is held.
func (k *keys) fail(old *snapshot, asked time.Duration) {
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

// endpoint fetches a JWKS document over HTTP. secret is sent as a bearer token; empty: none.
func endpoint(client *http.Client, url, secret string) func(context.Context, string, bool) (document, error) {
	return func(ctx context.Context, etag string, fresh bool) (document, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
		if err != nil {
			return document{}, fmt.Errorf("keys: %w", err)
		}
		r.Header.Set("Accept", "application/json")
		if secret != "" {
			r.Header.Set("Authorization", "Bearer "+secret)
		}
		if etag != "" {
			r.Header.Set("If-None-Match", etag)
		}
		if fresh {
			r.Header.Set("Cache-Control", "no-cache")
		}
		resp, err := client.Do(r)
		if err != nil {
			return document{}, fmt.Errorf("keys: %w", err)
		}
		defer resp.Body.Close()
		return readDocument(resp)
	}
}

// forHeader returns the keys for a token. A kid that cannot be one is refused without a fetch.
func (k *keys) forHeader(ctx context.Context, h *header, now time.Time) (*snapshot, Reason) {
	if k.source != nil && (h.kid.value == "" || len(h.kid.value) > maxKID) {
		return nil, ReasonKeyUnknown
	}
	return k.forKID(ctx, h.kid.value, now)
}

// load loads the keys unless they can be used as they are, and waits for them within ctx.
func (k *keys) load(ctx context.Context) error {
	now := k.now()
	if k.ready(now) != nil {
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

// knows reports whether the keys for a token are here, without waiting.
func (k *keys) knows(h *header, now time.Time) bool {
	s := k.ready(now)
	return s != nil && s.has(h.kid.value)
}
