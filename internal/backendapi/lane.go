package backendapi

import (
	"sync/atomic"
	"time"

	"github.com/clerkauth/clerkauth/internal/limits"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// lane is what questions of one kind share, and what came instead of an answer last.
type lane struct {
	*limits.Lane

	address string                                // for logs: nothing of one question is in it
	last    atomic.Pointer[transport.OutageError] // nil in it: none yet
}

func newLane(address string, now func() time.Time) lane {
	return lane{Lane: limits.NewLane(limits.Strangers, now), address: address}
}

// notAsked is the error where Enter says no.
func (l *lane) notAsked() error { return unanswered{errFetch, l.last.Load()} }
