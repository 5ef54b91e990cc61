// Package tokencache remembers tokens whose signature has been verified, so that it is verified once.
//
// A cache is a fixed array of atomic pointers to entries that never change once they are stored. It has no lock,
// no goroutine and no counter, so that readers on different cores share nothing that anybody writes to on a hit.
//
// The array is divided into sets of four. A token belongs to one set, chosen by a hash of its last bytes: they are the
// tail of the signature, which is as good as random and differs between any two tokens. The hash only chooses where to
// look. What decides is the whole token, compared in full: a forged token that borrows a known signature is a miss.
// The hash has a seed of its own per cache, so that nobody outside can tell which tokens meet in a set.
//
// A full set gives up, in this order, the older copy of the same token, an empty place, an entry that can no longer be
// used, and the entry that was stored first: session tokens live for a minute, so the oldest is the nearest to its end.
// A stranger cannot push anything out, because only tokens that passed verification are stored: to fill the cache
// takes signatures of the issuer. A user with many tokens can cost others one more verification each, never a wrong
// answer.
//
// What an entry holds is the caller's business, with one duty: nothing that depends on time, request or policy. Those
// are judged again on every hit.
package tokencache

import (
	"hash/maphash"
	"math/bits"
	"strings"
	"sync/atomic"
	"time"
)

const (
	ways = 4  // places a token may be in
	tail = 32 // bytes of a token that choose its set: 192 bits of the signature
)

// Cache maps a token to what verifying it gave. The zero Cache and a nil *Cache hold nothing and never hit.
// It is safe for concurrent use and must not be copied after first use.
type Cache[V any] struct {
	seed   maphash.Seed
	ways   int // 4, or fewer in a cache smaller than that
	places []atomic.Pointer[entry[V]]
}

// entry is never written to after it is stored.
type entry[V any] struct {
	hash       uint64
	token      string
	generation uint64
	storedAt   int64 // microseconds since 1970, as the others: what the wall clock said, which may be set back
	notAfter   int64
	value      V
}

// New returns a cache of at most size entries; a size of 0 or less gives one that never hits.
// The array is allocated at once, 8 bytes an entry; it never grows.
func New[V any](size int) *Cache[V] {
	if size <= 0 {
		return new(Cache[V])
	}
	n := min(ways, size)
	return &Cache[V]{
		seed:   maphash.MakeSeed(),
		ways:   n,
		places: make([]atomic.Pointer[entry[V]], size/n*n),
	}
}

// Get returns what was put for exactly this token under exactly this generation. It is a miss when now is later than
// the entry's last instant, or earlier than the moment it was stored: a clock that went back can no longer be trusted
// to say how old the entry is. Times are compared to the microsecond. Get does not allocate.
func (c *Cache[V]) Get(token string, generation uint64, now time.Time) (V, bool) {
	if c != nil && len(c.places) > 0 {
		hash := c.hash(token)
		at := now.UnixMicro()
		set := c.set(hash)
		for i := range set {
			e := set[i].Load()
			if e != nil && e.hash == hash && e.token == token && e.usable(generation, at) {
				return e.value, true
			}
		}
	}
	var none V
	return none, false
}

// Put stores value for token, for one generation, from now until notAfter, that instant included. It keeps a copy of
// token, so that the buffer a request was read into is not kept alive. It allocates that copy and the entry.
// Concurrent Puts to one set may overwrite each other: what is lost is a later hit.
func (c *Cache[V]) Put(token string, generation uint64, now, notAfter time.Time, value V) {
	if c == nil || len(c.places) == 0 {
		return
	}
	hash := c.hash(token)
	at := now.UnixMicro()
	c.victim(hash, token, generation, at).Store(&entry[V]{
		hash:       hash,
		token:      strings.Clone(token),
		generation: generation,
		storedAt:   at,
		notAfter:   notAfter.UnixMicro(),
		value:      value,
	})
}

// victim is the place in the set of hash that a new entry takes.
func (c *Cache[V]) victim(hash uint64, token string, generation uint64, at int64) *atomic.Pointer[entry[V]] {
	set := c.set(hash)
	var best *atomic.Pointer[entry[V]]
	var bestRank int
	var bestStored int64
	for i := range set {
		place := &set[i]
		rank, stored := worn, int64(0)
		switch e := place.Load(); {
		case e == nil:
			rank = empty
		case e.hash == hash && e.token == token:
			return place
		case e.usable(generation, at):
			rank, stored = live, e.storedAt
		}
		if best == nil || rank < bestRank || rank == bestRank && stored < bestStored {
			best, bestRank, bestStored = place, rank, stored
		}
	}
	return best
}

// What a place holds, the one to give up first before the others.
const (
	empty = iota
	worn  // of another generation, past its last instant, or stored in the future
	live
)

func (e *entry[V]) usable(generation uint64, at int64) bool {
	return e.generation == generation && e.storedAt <= at && at <= e.notAfter
}

func (c *Cache[V]) hash(token string) uint64 {
	return maphash.String(c.seed, token[max(0, len(token)-tail):])
}

// set scales the hash to the number of sets, which need not be a power of two.
func (c *Cache[V]) set(hash uint64) []atomic.Pointer[entry[V]] {
	i, _ := bits.Mul64(hash, uint64(len(c.places)/c.ways)) //nolint:gosec // a length is not negative
	first := int(i) * c.ways                               //nolint:gosec // i is less than the number of sets
	return c.places[first : first+c.ways]
}
