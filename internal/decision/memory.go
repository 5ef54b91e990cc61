package decision

import (
	"crypto/sha256"
	"sync"
	"time"
)

// memory remembers hashes for a minute. The zero memory is empty and ready.
type memory struct {
	mu   sync.Mutex // guards seen
	seen map[[sha256.Size]byte]time.Time
}

const (
	memoryFor  = time.Minute
	memorySize = 1024
)

func (m *memory) has(key [sha256.Size]byte, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.seen[key]
	return ok && now.Sub(at) < memoryFor
}

// add remembers key. When there is no room, the past is forgotten first and then everything.
func (m *memory) add(key [sha256.Size]byte, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.seen == nil {
		m.seen = make(map[[sha256.Size]byte]time.Time)
	}
	if len(m.seen) >= memorySize {
		for k, at := range m.seen {
			if now.Sub(at) >= memoryFor {
				delete(m.seen, k)
			}
		}
	}
	if len(m.seen) >= memorySize {
		clear(m.seen)
	}
	m.seen[key] = now
}
