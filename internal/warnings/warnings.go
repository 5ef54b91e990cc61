// Package warnings logs what an operator should see without filling the log.
package warnings

import (
	"log/slog"
	"sync"
	"time"
)

// warnEvery is the time between two warnings of one kind.
const warnEvery = 10 * time.Minute

// Log logs each kind of warning immediately, and then at most every warnEvery, with the number of warnings left out in between:
// a failing endpoint must not fill the log.
type Log struct {
	log *slog.Logger
	now func() time.Time

	mu    sync.Mutex // guards kinds
	kinds map[string]*history
}

// New returns a Log that writes to log.
func New(log *slog.Logger, now func() time.Time) *Log { return &Log{log: log, now: now} }

// history is what is known about one kind.
type history struct {
	last    time.Time
	leftOut int
}

// Warn logs message with attributes, unless a warning of its kind was logged a short time ago. There are only a few kinds. A
// panic of the logger's handler ends here: most warnings are of goroutines of this module, where it would end the process.
func (w *Log) Warn(kind, message string, attributes ...any) {
	leftOut, due := w.due(kind)
	if !due {
		return
	}
	if leftOut > 0 {
		attributes = append(attributes, "left_out", leftOut)
	}
	defer func() { _ = recover() }()
	w.log.Warn("clerkauth: "+message, attributes...)
}

func (w *Log) due(kind string) (leftOut int, due bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	k := w.kinds[kind]
	if k == nil {
		if w.kinds == nil {
			w.kinds = make(map[string]*history)
		}
		k = &history{}
		w.kinds[kind] = k
	}
	if since := now.Sub(k.last); since >= 0 && since < warnEvery {
		k.leftOut++
		return 0, false
	}
	leftOut = k.leftOut
	*k = history{last: now}
	return leftOut, true
}
