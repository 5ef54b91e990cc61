// Package tokencache caches tokens whose signature has been verified, so that it is verified once.
//
// A cache is an array of atomic pointers to entries that never change once they are stored. It has no goroutine and no
// counters that readers write to, so on a hit, readers on different cores share only memory that nobody writes to.
//
// The array is divided into sets of four. A token belongs to one set, chosen by a hash of its last bytes: they are the end
// of the signature, which is practically random and differs between any two tokens. The hash only chooses where to look.
// The whole token is compared: a forged token that copies a known signature is a miss. Each cache has its own hash seed, so
// strangers cannot know which tokens share a set.
//
// When a set is full, an entry is replaced in this order: the older copy of the same token, an empty slot, an entry that
// can no longer be used, one that has expired, and the one that expires first: session tokens are valid for a minute and
// are renewed before they expire, so that one is most likely no longer sent. If it is the new one, it is not stored. Before
// a token that has not expired is replaced, the array is doubled, up to its limit.
//
// Memory is proportional to the tokens that have not expired: each Put also clears expired entries in the next sets, all
// around the array. It takes more sets where they are nearly empty, so that an array that is too large by now is cleared as
// soon as a small one. If an expired token is sent again after it was cleared, it is verified once more.
//
// A stranger cannot displace entries, because only verified tokens are stored: filling the cache takes signatures of the
// issuer. A user with many tokens can cost others one more verification each, never a wrong result.
//
// The caller decides what an entry holds, but it must not depend on time, request or policy. Those are checked again on
// every hit.
package tokencache

import (
	"cmp"
	"hash/maphash"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

const (
	ways  = 4   // slots for a token
	tail  = 32  // bytes of a token that choose its set: 192 bits of the signature
	first = 256 // slots of a new cache
	swept = 16  // sets that one Put clears of expired entries, and about the most entries it looks at
)

// Cache maps a token to the result of verifying it. The zero Cache and a nil *Cache hold nothing and never hit. It is safe
// for concurrent use and must not be copied after first use.
type Cache[V any] struct {
	seed maphash.Seed
	size int
	ways int // 4, or fewer in a cache smaller than that

	table atomic.Pointer[table[V]]
	next  atomic.Uint32 // the set that the next Put clears first
	grown sync.Mutex    // held while the array is doubled
}

// table has the slots, a whole number of sets. Entries are copied into a larger table before it replaces this one.
type table[V any] []atomic.Pointer[entry[V]]

// entry is never modified after it is stored.
type entry[V any] struct {
	hash       uint64
	token      string
	generation uint64
	storedAt   int64 // microseconds since 1970, as are the others, by the wall clock, which may be set back
	notAfter   int64
	expires    int64
	value      V
}

// New returns a cache of at most size entries; with a size of 0 or less it never hits. It begins with a small array, 8
// bytes an entry, which grows with use.
func New[V any](size int) *Cache[V] {
	if size <= 0 {
		return new(Cache[V])
	}
	n := min(ways, size)
	c := &Cache[V]{seed: maphash.MakeSeed(), size: size / n * n, ways: n}
	t := make(table[V], min(c.size, first))
	c.table.Store(&t)
	return c
}

// Get returns what was put for exactly this token and generation. It is a miss when now is later than the entry's last
// instant, or earlier than the moment it was stored: after the clock was set back, the age of an entry is unknown. Times
// are compared in microseconds. Get does not allocate.
func (c *Cache[V]) Get(token string, generation uint64, now time.Time) (V, bool) {
	if c != nil && c.size > 0 {
		hash := c.hash(token)
		at := now.UnixMicro()
		set := c.set(*c.table.Load(), hash)
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

// Put stores value for token and one generation, from now until notAfter, inclusive. After expires the token can only be
// refused, and the entry may be cleared before notAfter. Put keeps token, which should be a string of its own: a part of a
// request's buffer would keep all of the buffer in memory. Put allocates the entry. Concurrent Puts may overwrite each
// other, at the cost of a later hit.
func (c *Cache[V]) Put(token string, generation uint64, now, notAfter, expires time.Time, value V) {
	if c == nil || c.size == 0 {
		return
	}
	at := now.UnixMicro()
	c.sweep(at)
	c.store(&entry[V]{
		hash:       c.hash(token),
		token:      token,
		generation: generation,
		storedAt:   at,
		notAfter:   notAfter.UnixMicro(),
		expires:    expires.UnixMicro(),
		value:      value,
	}, at)
}

// store puts e into its set, after growing the array if e would replace an entry that has not expired.
func (c *Cache[V]) store(e *entry[V], at int64) {
	for {
		t := c.table.Load()
		place, rank := victim(c.set(*t, e.hash), e, at)
		if rank == live && len(*t) < c.size && c.grow(t, at) {
			continue
		}
		// A token that expires before all others of the set is not stored: it would soon replace the next one, and so on
		// around the set.
		if old := place.Load(); rank != live || old == nil || old.expires <= e.expires {
			place.Store(e)
		}
		return
	}
}

// grow doubles the array t, unless another goroutine does. It reports whether there is a new array now.
func (c *Cache[V]) grow(t *table[V], at int64) bool {
	if !c.grown.TryLock() {
		return false
	}
	defer c.grown.Unlock()
	if c.table.Load() != t {
		return true
	}
	larger := make(table[V], min(2*len(*t), c.size))
	for i := range *t {
		e := (*t)[i].Load()
		if e == nil || e.expires < at {
			continue
		}
		place, _ := victim(c.set(larger, e.hash), e, at)
		place.Store(e)
	}
	c.table.Store(&larger)
	return true
}

// sweep clears expired entries in the next sets.
func (c *Cache[V]) sweep(at int64) {
	t := *c.table.Load()
	sets := uint32(len(t) / c.ways) //nolint:gosec // at most size
	for n, entries := uint32(0), 0; n < min(swept, sets) && entries < swept; n++ {
		set := t[int((c.next.Add(1)-1)%sets)*c.ways:][:c.ways]
		for i := range set {
			e := set[i].Load()
			if e == nil {
				continue
			}
			if entries++; e.expires < at {
				set[i].CompareAndSwap(e, nil)
			}
		}
	}
}

// What a slot holds, in the order of replacement.
const (
	empty   = iota
	worn    // of another generation, past its last instant, or stored in the future
	expired // useful only for refusing its token
	live
)

// victim is the slot in a set for e, and what that slot holds.
func victim[V any](set []atomic.Pointer[entry[V]], e *entry[V], at int64) (best *atomic.Pointer[entry[V]], bestRank int) {
	var bestExpires, bestStored int64
	for i := range set {
		place := &set[i]
		rank, expires, stored := empty, int64(0), int64(0)
		if old := place.Load(); old != nil {
			if old.hash == e.hash && old.token == e.token {
				return place, worn
			}
			rank, expires, stored = old.rank(e.generation, at), old.expires, old.storedAt
		}
		if best == nil || cmp.Or(cmp.Compare(rank, bestRank), cmp.Compare(expires, bestExpires), cmp.Compare(stored, bestStored)) < 0 {
			best, bestRank, bestExpires, bestStored = place, rank, expires, stored
		}
	}
	return best, bestRank
}

func (e *entry[V]) rank(generation uint64, at int64) int {
	switch {
	case !e.usable(generation, at):
		return worn
	case e.expires < at:
		return expired
	}
	return live
}

func (e *entry[V]) usable(generation uint64, at int64) bool {
	return e.generation == generation && e.storedAt <= at && at <= e.notAfter
}

func (c *Cache[V]) hash(token string) uint64 {
	return maphash.String(c.seed, token[max(0, len(token)-tail):])
}

// set scales the hash to the number of sets, which need not be a power of two.
func (c *Cache[V]) set(t table[V], hash uint64) []atomic.Pointer[entry[V]] {
	i, _ := bits.Mul64(hash, uint64(len(t)/c.ways)) //nolint:gosec // a length is not negative
	at := int(i) * c.ways                           //nolint:gosec // i is less than the number of sets
	return t[at : at+c.ways]
}
