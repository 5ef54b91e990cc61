package jwks

import (
	"context"
	"errors"
	"time"
)

// Limits for strangers who send unknown kids.
const (
	unknownInterval = 10 * time.Second // between fetches for them
	maxWaiting      = 64               // requests that wait for such a fetch at the same time
)

// findUnknown looks for a kid that the current keys do not have. After a rotation it may be a valid one, but anybody can
// make kids up, so neither fetches nor waiting requests may grow with them.
func (k *Keys) findUnknown(ctx context.Context, kid string) (*Snapshot, error) {
	s, cached, err := k.fetchFor(ctx, kid)
	if cached && errors.Is(err, ErrUnknownKID) {
		s, _, err = k.fetchFor(ctx, kid)
	}
	return s, err
}

// fetchFor waits for a fetch and looks for kid again. cached: the fetch was a normal refresh, which a cache in between may
// have answered.
func (k *Keys) fetchFor(ctx context.Context, kid string) (s *Snapshot, cached bool, err error) {
	f, err := k.startUnknown()
	if f != nil {
		cached, err = !f.fresh, k.await(ctx, f)
	}
	// Even without a fetch to wait for, one may have ended since this request looked.
	if s = k.current.Load(); s != nil && s.Has(kid) {
		return s, false, nil
	}
	return nil, cached, err
}

// await waits for a fetch, and returns the error for a kid that it did not find.
func (k *Keys) await(ctx context.Context, f *fetch) error {
	f.wait(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting--
	if k.lastError != nil || ctx.Err() != nil {
		return k.unavailableLocked()
	}
	return ErrUnknownKID
}

// startUnknown joins or begins a fetch for an unknown kid and counts the caller as waiting. Without a fetch to wait for, it
// returns the error for the kid.
func (k *Keys) startUnknown() (*fetch, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now() // not the time of the request: it may have waited for another fetch
	if k.fetch == nil {
		if since := now.Sub(k.lastUnknown); since >= 0 && since < unknownInterval {
			if k.lastError != nil {
				return nil, k.unavailableLocked()
			}
			return nil, ErrUnknownKID
		}
	}
	if k.waiting >= maxWaiting {
		return nil, k.unavailableLocked()
	}
	k.waiting++
	if k.fetch == nil {
		k.lastUnknown = now
		k.begin(now, true)
	}
	return k.fetch, nil
}
