package backendapi

import (
	"sync"
	"time"
)

const (
	tolerated = 3                // failures in a row
	pause     = 10 * time.Second // without questions after them
)

// breaker keeps a failing server from costing every request a timeout.
type breaker struct {
	now func() time.Time

	mu       sync.Mutex // guards what follows
	failures int
	openedAt time.Time
}

// closed reports whether a question may be asked. After a pause one may, and the next pause begins at once in
// case it fails too.
func (b *breaker) closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < tolerated {
		return true
	}
	now := b.now()
	if since := now.Sub(b.openedAt); since >= 0 && since < pause {
		return false
	}
	b.openedAt = now
	return true
}

func (b *breaker) record(failed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !failed {
		b.failures = 0
		return
	}
	if b.failures++; b.failures == tolerated {
		b.openedAt = b.now()
	}
}
