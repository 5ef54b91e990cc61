package machine

import (
	"crypto/sha256"
	"maps"
	"time"

	"github.com/clerkauth/clerkauth/internal/reasons"
)

const (
	refusedFor = time.Minute // how long an invalid credential is remembered
	knownFor   = time.Hour   // and a valid one, so that strangers cannot use up its calls
	maxRefused = 4096
	maxKnown   = 16384
	maxKept    = 4 << 10 // bytes of an answer that is cached; longer ones are fetched each time
)

// digest is the hash of a credential.
type digest [sha256.Size]byte

// cache is what is known about the credentials of one kind, for a while.
type cache struct {
	ttl     time.Duration // of positive answers; 0: they are not cached
	good    map[digest]good
	refused map[digest]refusal
}

// good is a valid credential.
type good struct {
	at     time.Time
	claims *Claims // nil: not cached
}

// refusal is an invalid credential.
type refusal struct {
	at  time.Time
	err error
}

func newCache(ttl time.Duration) cache {
	return cache{ttl, map[digest]good{}, map[digest]refusal{}}
}

// recall returns the result that is known without a call; ok: there is one. known: the credential was valid lately.
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

// file stores the result of a call that began at that time, with an answer of that size.
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

// makeRoom discards outdated entries when there are many, and then any, until a quarter is free.
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

// within reports whether now is less than d after t, and not before it: after the clock was set back, the age is unknown.
func within(now, t time.Time, d time.Duration) bool {
	age := now.Sub(t)
	return age >= 0 && age < d
}
