package machine

import (
	"crypto/sha256"
	"maps"
	"time"

	"github.com/clerkauth/clerkauth/internal/reasons"
)

const (
	refusedFor = time.Minute // how long a credential is remembered that does not hold
	knownFor   = time.Hour   // and one that does, so that strangers cannot use up what it may ask
	maxRefused = 4096
	maxKnown   = 16384
	maxKept    = 4 << 10 // bytes of an answer that is used again; longer ones are asked for each time
)

// digest stands for a credential.
type digest [sha256.Size]byte

// cache is what is known of the credentials of one kind, for a while.
type cache struct {
	ttl     time.Duration // of positive answers; 0: they are not used again
	good    map[digest]good
	refused map[digest]refusal
}

// good is a credential that held.
type good struct {
	at     time.Time
	claims *Claims // nil: not used again
}

// refusal is a credential that did not.
type refusal struct {
	at  time.Time
	err error
}

func newCache(ttl time.Duration) cache {
	return cache{ttl, map[digest]good{}, map[digest]refusal{}}
}

// recall returns what is to be answered without a question; ok: there is something. known: the credential held lately.
func (c *cache) recall(key digest, now time.Time) (r Result, known, ok bool) {
	g, known := c.good[key]
	known = known && within(now, g.at, knownFor)
	if known && g.claims != nil && within(now, g.at, c.ttl) {
		return Result{Claims: g.claims, Hit: true}, known, true
	}
	if old, ok := c.refused[key]; ok && within(now, old.at, refusedFor) {
		return Result{Reason: reasons.TokenInvalid, Detail: old.err, Hit: true}, known, true
	}
	return Result{}, known, false
}

// file remembers the result of a question that began then, from an answer of that size.
func (c *cache) file(key digest, r Result, size int, began time.Time) {
	switch r.Reason {
	case "":
		g := good{at: began}
		if c.ttl > 0 && size <= maxKept {
			g.claims = r.Claims
		}
		makeRoom(c.good, maxKnown, func(g good) bool { return within(began, g.at, knownFor) })
		c.good[key] = g
		delete(c.refused, key)
	case reasons.TokenInvalid:
		makeRoom(c.refused, maxRefused, func(r refusal) bool { return within(began, r.at, refusedFor) })
		c.refused[key] = refusal{began, r.Detail}
		delete(c.good, key)
	}
}

// makeRoom discards what has no meaning any more, when there is much of it, and then any, so that a quarter is free.
func makeRoom[V any](m map[digest]V, most int, fresh func(V) bool) {
	if len(m) < most {
		return
	}
	maps.DeleteFunc(m, func(_ digest, v V) bool { return !fresh(v) })
	for key := range m {
		if len(m) <= most/4*3 {
			return
		}
		delete(m, key)
	}
}

// within reports whether now is less than d after t, and not before it: a clock that went back tells no age.
func within(now, t time.Time, d time.Duration) bool {
	age := now.Sub(t)
	return age >= 0 && age < d
}
