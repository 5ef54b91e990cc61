package warnings

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// panicking is a handler that panics, as one does that expects a value in every context.
type panicking struct{ slog.Handler }

func (panicking) Handle(context.Context, slog.Record) error { panic("no request ID") }

// Warnings are logged by goroutines of this module, where a panic would end the process.
func TestAHandlerThatPanics(t *testing.T) {
	var log strings.Builder
	text := slog.NewTextHandler(&log, nil)
	New(slog.New(panicking{text}), time.Now).Warn("a", "first kind")
	if New(slog.New(text), time.Now).Warn("a", "first kind"); !strings.Contains(log.String(), "first kind") {
		t.Errorf("another handler logged %q, want the warning", &log)
	}
}

// A failing endpoint must be seen at once, and must not fill the log.
func TestWarningsOfOneKindAreLeftOutForAWhile(t *testing.T) {
	var log strings.Builder
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	w := New(slog.New(slog.NewTextHandler(&log, nil)), func() time.Time { return now })
	for range 3 {
		w.Warn("a", "first kind", "n", 1)
	}
	w.Warn("b", "second kind")
	now = now.Add(warnEvery - 1)
	w.Warn("a", "first kind")
	if got := strings.Count(log.String(), "\n"); got != 2 {
		t.Errorf("%d lines, want one of each kind:\n%s", got, &log)
	}
	now = now.Add(1)
	w.Warn("a", "first kind")
	w.Warn("b", "second kind")
	if got := log.String(); strings.Count(got, "\n") != 4 || strings.Count(got, "left_out=3") != 1 || strings.Count(got, "left_out") != 1 {
		t.Errorf("want a second line of each kind, the first's with left_out=3:\n%s", got)
	}
	now = now.Add(-time.Hour) // a clock that was set back
	w.Warn("a", "first kind")
	if got := strings.Count(log.String(), "\n"); got != 5 {
		t.Errorf("%d lines, want 5: a clock that went back keeps nothing quiet", got)
	}
}
