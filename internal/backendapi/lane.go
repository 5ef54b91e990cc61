package backendapi

import (
	"sync/atomic"
	"time"

	"github.com/clerkauth/clerkauth/internal/limits"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// lane is what questions of one kind share, when the last was answered, and what arrived instead of an answer last.
type lane struct {
	*limits.Lane

	answered atomic.Int64 // in Unix nanoseconds; 0: none was

	address string                                // for logs: nothing of one question is in it
	last    atomic.Pointer[transport.OutageError] // nil in it: none yet
}

func newLane(address string, now func() time.Time) lane {
	return lane{Lane: limits.NewLane(limits.Strangers, now), address: address}
}

// record files how a question ended, at now.
func (l *lane) record(failed bool, now time.Time) {
	l.Record(failed, now)
	if !failed {
		l.answered.Store(now.UnixNano())
	}
}

// answeredAfter reports whether a question has been answered since t.
func (l *lane) answeredAfter(t time.Time) bool { return l.answered.Load() > t.UnixNano() }

// notAsked is the error where Enter says no.
func (l *lane) notAsked() error { return unanswered{errFetch, l.last.Load()} }
