// Package limits keeps strangers from making an application ask its servers much: how many questions of a kind are under
// way, how many are asked in a while, and when a failing server is asked no more.
package limits

import (
	"net/http"
	"sync"
	"time"
)

// Strangers is how many questions are under way at the same time that anybody can bring about.
const Strangers = 32

// Lane is what questions of one kind share, so that one kind cannot stop another: places, and a breaker.
type Lane struct {
	open    chan struct{} // holds one element for each question under way
	breaker breaker
}

// NewLane returns a lane by the clock now, with places for so many questions at the same time.
func NewLane(places int, now func() time.Time) *Lane {
	return &Lane{open: make(chan struct{}, places), breaker: breaker{now: now}}
}

// Enter reports whether a question may be asked now; leave must then be called after it.
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

// Record tells the lane's breaker how a question ended, at now.
func (l *Lane) Record(failed bool, now time.Time) { l.breaker.record(failed, now) }

// Pause is how long a server is not asked after failures.
const Pause = 10 * time.Second

// tolerated is how many failures in a row begin a pause.
const tolerated = 3

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

// Overloaded reports a status that speaks of the server rather than of the question.
func Overloaded(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// Questions that the allowance gives.
const (
	perSecond = 20
	burst     = 100
)

// Allowance is a token bucket: up to burst at once, and perSecond in the long run.
type Allowance struct {
	now func() time.Time

	mu   sync.Mutex // guards what follows
	left float64
	at   time.Time // when left was true
}

// NewAllowance returns a full allowance by the clock now.
func NewAllowance(now func() time.Time) *Allowance { return &Allowance{now: now, left: burst} }

// Take reports whether one more may be asked. A clock that went back gives nothing and takes nothing.
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

// Return gives back what was taken for a question that turned out to cost nothing.
func (a *Allowance) Return() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left = min(burst, a.left+1)
}

// Stopwatch tells the time of the clock that began it without asking that clock again: a question may end long after the
// request that made it.
type Stopwatch struct{ began, real time.Time }

// Start returns a stopwatch that begins at now.
func Start(now time.Time) Stopwatch { return Stopwatch{now, time.Now()} }

// Now is the time by it.
func (s Stopwatch) Now() time.Time { return s.began.Add(time.Since(s.real)) }
