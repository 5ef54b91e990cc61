package decision

import (
	"crypto/sha256"
	"sync"
	"time"
)

// recent remembers hashes for a minute. The zero recent is empty and ready.
type recent struct {
	mu   sync.Mutex // guards seen
	seen map[[sha256.Size]byte]time.Time
}

const (
	rememberedFor = time.Minute
	recentSize    = 1024
)

func (m *recent) has(key [sha256.Size]byte, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.seen[key]
	return ok && now.Sub(at) < rememberedFor
}

// add remembers key. When there is no room, what is older than a minute is dropped, and if that is not enough, everything.
func (m *recent) add(key [sha256.Size]byte, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = make(map[[sha256.Size]byte]time.Time)
	}
	if len(m.seen) >= recentSize {
		for k, at := range m.seen {
			if now.Sub(at) >= rememberedFor {
				delete(m.seen, k)
			}
		}
	}
	if len(m.seen) >= recentSize {
		clear(m.seen)
	}
	m.seen[key] = now
}
