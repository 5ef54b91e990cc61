// Package limits keeps strangers from making an application send many requests to Clerk: it limits the calls of one kind at
// the same time and in a period, and pauses calls to a failing server.
package limits

import (
	"net/http"
	"sync"
	"time"
)

// Strangers is the limit for simultaneous calls that anybody can cause.
const Strangers = 32

// Lane is shared by the calls of one kind, so that one kind cannot affect another: slots, and a breaker.
type Lane struct {
	open    chan struct{} // holds one element for each call in progress
	breaker breaker
}

// NewLane returns a lane with the clock now and slots for that many simultaneous calls.
func NewLane(places int, now func() time.Time) *Lane {
	return &Lane{open: make(chan struct{}, places), breaker: breaker{now: now}}
}

// Enter reports whether a call may be made now; if so, leave must be called after it.
func (l *Lane) Enter() (leave func(), ok bool) {
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

// Record tells the lane's breaker how a call ended, at now.
func (l *Lane) Record(failed bool, now time.Time) { l.breaker.record(failed, now) }

// Pause is how long a server is not called after failures.
const Pause = 10 * time.Second

// tolerated is the number of failures in a row before a pause.
const tolerated = 3

// breaker keeps a failing server from costing every request a timeout.
type breaker struct {
	now func() time.Time

	mu       sync.Mutex // guards what follows
	failures int
	openedAt time.Time
}

// closed reports whether a call may be made. After a pause one may, and if it fails the next pause begins at once.
func (b *breaker) closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < tolerated {
		return true
	}
	now := b.now()
	if since := now.Sub(b.openedAt); since >= 0 && since < Pause {
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

// Overloaded reports whether a status is about the server rather than about the call.
func Overloaded(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// The calls of an allowance.
const (
	perSecond = 20
	burst     = 100
)

// Allowance is a token bucket: up to burst at once, and perSecond in the long run.
type Allowance struct {
	now func() time.Time

	mu   sync.Mutex // guards what follows
	left float64
	at   time.Time // the time of left
}

// NewAllowance returns a full allowance with the clock now.
func NewAllowance(now func() time.Time) *Allowance { return &Allowance{now: now, left: burst} }

// Take reports whether one more call may be made. If the clock was set back, nothing is added or removed.
func (a *Allowance) Take() bool {
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

// Return gives back what was taken for a call that turned out to be free.
func (a *Allowance) Return() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left = min(burst, a.left+1)
}

// Stopwatch continues the clock with which it was started, without reading that clock again: a call may end long after the
// request that started it.
type Stopwatch struct{ began, real time.Time }

// Start returns a stopwatch that starts at now.
func Start(now time.Time) Stopwatch { return Stopwatch{now, time.Now()} }

// Now is the current time.
func (s Stopwatch) Now() time.Time { return s.began.Add(time.Since(s.real)) }
