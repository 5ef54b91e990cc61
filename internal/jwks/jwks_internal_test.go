package jwks

import (
	"context"
	"strings"
	"testing"
	"time"
)

// The transport is the application's own. Its panic must not end the process, and the next fetch may work.
func TestASourceThatPanics(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	broken := true
	source := func(context.Context, string, bool) (Document, error) {
		if broken {
			panic("nil map")
		}
		return Document{body: documentOf(jwk("a", nil))}, nil
	}
	warned := make(chan error, 1)
	k := New(source, time.Hour, func() time.Time { return now }, func(err error) { warned <- err })
	if err := k.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "panic") || strings.Contains(err.Error(), "nil map") {
		t.Errorf("Load: got %v, want the panic as an error, without its text", err)
	}
	if err := <-warned; err == nil {
		t.Error("the warning has no error, want the panic's")
	}
	broken, now = false, now.Add(lastRetry)
	if s, err := k.Find(t.Context(), "a", now); err != nil || !s.Has("a") {
		t.Errorf("afterwards: got %v, %v, want the keys", s, err)
	}
}
