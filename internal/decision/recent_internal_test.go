package decision

import (
	"crypto/sha256"
	"strconv"
	"testing"
	"time"
)

// numbered is a hash of a number.
func numbered(n int) [sha256.Size]byte {
	return sha256.Sum256([]byte(strconv.Itoa(n)))
}

// What is remembered makes room when it is older than a minute, and not before.
func TestRecent(t *testing.T) {
	const fresh = 24
	var m recent
	for n := range recentSize {
		at := noon
		if n >= recentSize-fresh {
			at = noon.Add(30 * time.Second)
		}
		m.add(numbered(n), at)
	}
	if !m.has(numbered(0), noon.Add(rememberedFor-1)) || m.has(numbered(0), noon.Add(rememberedFor)) || m.has(numbered(recentSize), noon) {
		t.Error("a hash is not remembered for one minute, or one that was never added is")
	}
	later := noon.Add(rememberedFor)
	m.add(numbered(recentSize), later)
	for n := recentSize - fresh; n <= recentSize; n++ {
		if !m.has(numbered(n), later) {
			t.Fatalf("has(number %d) = false within its minute, want true", n)
		}
	}
	if got := len(m.seen); got != fresh+1 {
		t.Errorf("%d hashes kept, want the %d of the last minute", got, fresh+1)
	}
}

// Many different values, such as those of an attacker, take a bounded amount of memory.
func TestRecentIsBounded(t *testing.T) {
	var m recent
	for n := range 3 * recentSize {
		m.add(numbered(n), noon)
		if len(m.seen) > recentSize {
			t.Fatalf("%d hashes kept, want %d at most", len(m.seen), recentSize)
		}
		if !m.has(numbered(n), noon) {
			t.Fatalf("has(number %d) = false right after add, want true", n)
		}
	}
}
