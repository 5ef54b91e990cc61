package backendapi

import (
	"sync"
	"sync/atomic"
	"time"
)

// maxOpen is how many questions of one kind are under way at the same time.
const maxOpen = 32

// lane is what questions of one kind share, so that one kind cannot stop the other.
type lane struct {
	address string        // for logs: nothing of one question is in it
	open    chan struct{} // holds one element for each question under way
	breaker breaker
	last    *atomic.Pointer[OutageError] // nil in it: none yet
}

func newLane(address string, now func() time.Time) lane {
	return lane{address: address, open: make(chan struct{}, maxOpen), breaker: breaker{now: now}, last: &atomic.Pointer[OutageError]{}}
}

// notAsked is the error where enter says no.
func (l *lane) notAsked() error { return unanswered{errFetch, l.last.Load()} }

// enter reports whether a question may be asked now; leave must then be called after it.
func (l *lane) enter() (leave func(), ok bool) {
	select {
	case l.open <- struct{}{}:
	default:
		return nil, false
	}
	leave = func() { <-l.open }
	if !l.breaker.closed() {
		leave()
		return nil, false
	}
	return leave, true
}

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

func (b *breaker) record(failed bool, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !failed {
		b.failures = 0
		return
	}
	if b.failures++; b.failures == tolerated {
		b.openedAt = now
	}
}

// Questions that the allowance gives.
const (
	perSecond = 20
	burst     = 100
)

// allowance is a token bucket: up to burst at once, and perSecond in the long run.
type allowance struct {
	now func() time.Time

	mu   sync.Mutex // guards what follows
	left float64
	at   time.Time // when left was true
}

func newAllowance(now func() time.Time) allowance {
	return allowance{now: now, left: burst}
}

// take reports whether one more may be asked. A clock that went back gives nothing and takes nothing.
func (a *allowance) take() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.now()
	if since := now.Sub(a.at); since > 0 && !a.at.IsZero() {
		a.left = min(burst, a.left+perSecond*since.Seconds())
	}
	a.at = now
	if a.left < 1 {
		return false
	}
	a.left--
	return true
}

// stopwatch tells the time of the clock that began it without asking that clock again: a question may end long after the
// request that made it.
type stopwatch struct{ began, real time.Time }

func (s stopwatch) now() time.Time { return s.began.Add(time.Since(s.real)) }
