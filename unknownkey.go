package clerkauth

import (
	"context"
	"time"
)

// What strangers may cost who send kids that nobody knows.
const (
	unknownInterval = 10 * time.Second // between fetches for them
	maxWaiting      = 64               // requests that wait for such a fetch at the same time
)

// forUnknown looks for a kid that the current keys do not have: after a rotation it is a good one, but anybody
// can make kids up, so that neither fetches nor waiting requests may grow with them.
func (k *keys) forUnknown(ctx context.Context, kid string) (*snapshot, Reason) {
	s, reason, cached := k.ask(ctx, kid)
	if reason == ReasonKeyUnknown && cached {
		s, reason, _ = k.ask(ctx, kid)
	}
	return s, reason
}

// ask waits for a fetch and looks for kid again. cached: what was under way was a plain refresh, which a cache
// may have answered.
func (k *keys) ask(ctx context.Context, kid string) (s *snapshot, reason Reason, cached bool) {
	f, reason := k.startUnknown()
	if f != nil {
		reason, cached = k.await(ctx, f), !f.fresh
	}
	// Also without a fetch to wait for: one may have landed since this request looked.
	if s = k.current.Load(); s != nil && s.has(kid) {
		return s, "", false
	}
	return nil, reason, cached
}

// await waits for a fetch, and says how a kid is refused that it has not brought.
func (k *keys) await(ctx context.Context, f *flight) Reason {
	f.wait(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.waiting--
	if k.lastError != nil || ctx.Err() != nil {
		return ReasonKeysUnavailable
	}
	return ReasonKeyUnknown
}

// startUnknown joins or begins a fetch for an unknown kid and counts the caller among the waiting.
func (k *keys) startUnknown() (*flight, Reason) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now() // not when the request came: it may have waited while others asked
	if k.flight == nil {
		if since := now.Sub(k.lastUnknown); since >= 0 && since < unknownInterval {
			if k.lastError != nil {
				return nil, ReasonKeysUnavailable
			}
			return nil, ReasonKeyUnknown
		}
	}
	if k.waiting >= maxWaiting {
		return nil, ReasonKeysUnavailable
	}
	k.waiting++
	if k.flight == nil {
		k.lastUnknown = now
		k.begin(now, true)
	}
	return k.flight, ""
}
