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

// memory is what is known of the credentials of one kind, for a while.
type memory struct {
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

func newMemory(ttl time.Duration) memory {
	return memory{ttl, map[digest]good{}, map[digest]refusal{}}
}

// recall returns what is to be answered without a question; ok: there is something. known: the credential held lately.
func (m *memory) recall(key digest, now time.Time) (v Verdict, known, ok bool) {
	g, known := m.good[key]
	known = known && within(now, g.at, knownFor)
	if known && g.claims != nil && within(now, g.at, m.ttl) {
		return Verdict{Claims: g.claims, Hit: true}, known, true
	}
	if r, ok := m.refused[key]; ok && within(now, r.at, refusedFor) {
		return Verdict{Reason: reasons.TokenInvalid, Detail: r.err, Hit: true}, known, true
	}
	return Verdict{}, known, false
}

// file remembers what a question that began then came to, from an answer of that size.
func (m *memory) file(key digest, v Verdict, size int, began time.Time) {
	switch v.Reason {
	case "":
		g := good{at: began}
		if m.ttl > 0 && size <= maxKept {
			g.claims = v.Claims
		}
		makeRoom(m.good, maxKnown, func(g good) bool { return within(began, g.at, knownFor) })
		m.good[key] = g
		delete(m.refused, key)
	case reasons.TokenInvalid:
		makeRoom(m.refused, maxRefused, func(r refusal) bool { return within(began, r.at, refusedFor) })
		m.refused[key] = refusal{began, v.Detail}
		delete(m.good, key)
	}
}

// makeRoom forgets what has no meaning any more, when there is much of it, and then any, so that a quarter is free.
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
