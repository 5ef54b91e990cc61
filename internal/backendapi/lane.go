package backendapi

import (
	"sync/atomic"
	"time"

	"github.com/clerkauth/clerkauth/internal/limits"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// lane is shared by the calls of one kind: when the last was answered, and the last cause of an unanswered one.
type lane struct {
	*limits.Lane

	lastAnswer atomic.Int64 // in Unix nanoseconds; 0: none was

	address string                                // for logs: without anything of a single call
	last    atomic.Pointer[transport.OutageError] // nil: none yet
}

func newLane(address string, now func() time.Time) lane {
	return lane{Lane: limits.NewLane(limits.Strangers, now), address: address}
}

// record records how a call ended, at now.
func (l *lane) record(failed bool, now time.Time) {
	l.Record(failed, now)
	if !failed {
		l.lastAnswer.Store(now.UnixNano())
	}
}

// respondedAfter reports whether a call has been answered since t.
func (l *lane) respondedAfter(t time.Time) bool { return l.lastAnswer.Load() > t.UnixNano() }

// notCalled is the error when Enter returns false.
func (l *lane) notCalled() error { return unanswered{errFetch, l.last.Load()} }
