package jwks

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestOffset(t *testing.T) {
	date := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return date.Add(time.Duration(seconds * float64(time.Second))) }
	for name, c := range map[string]struct {
		date, began, ended time.Time
		want               time.Duration
	}{
		"right":                       {date, at(-0.1), at(0.1), 0},
		"the second is cut off":       {date, at(0.9), at(0.95), 0},
		"a slow answer, before":       {date, at(-5), at(0.5), 0},
		"a slow answer, after":        {date, at(0.5), at(5), 0},
		"ahead":                       {date, at(71), at(72), 70 * time.Second},
		"behind":                      {date, at(-9), at(-8), -8 * time.Second},
		"the server does not say":     {time.Time{}, at(71), at(72), 0},
		"ahead by less than a second": {date, at(1.2), at(1.3), 0},
	} {
		if got := offset(c.date, c.began, c.ended); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestAWrongClockIsSaid(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for off, want := range map[time.Duration]time.Duration{0: 0, 5 * time.Second: 0, 70 * time.Second: 69 * time.Second, -8 * time.Second: -8 * time.Second} {
		source := func(context.Context, string, bool) (Document, error) {
			return Document{body: documentOf(jwk("a", nil)), date: now.Add(-off)}, nil
		}
		warned := make(chan error, 1)
		k := New(source, time.Hour, func() time.Time { return now }, func(err error) { warned <- err })
		if err := k.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want == 0 {
			continue
		}
		if clock, ok := errors.AsType[*ClockError](<-warned); !ok || clock.Ahead != want {
			t.Errorf("%v off: told %v, want %v", off, clock, want)
		}
	}
}
