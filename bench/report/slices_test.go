package main

import (
	"context"
	"errors"
	"testing"

	"github.com/clerkauth/clerkauth/bench"
)

func TestSpreadOf(t *testing.T) {
	if got, want := spreadOf([]float64{5, 1, 3, 100, 2}), (spread{2, 3, 5}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := spreadOf([]float64{7}), (spread{7, 7, 7}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatFor(t *testing.T) {
	for want, functions := range map[string][]string{
		"allocating memory":              {"runtime.memclrNoHeapPointers", "runtime.mallocgc", ownPath + "/internal/decision.Decide"},
		"`internal/decision`":            {"strings.EqualFold", ownPath + "/internal/decision.Decide", ownPath + ".(*Authenticator).Require"},
		"`clerkauth`":                    {ownPath + ".(*Authenticator).Require.func1", "net/http.HandlerFunc.ServeHTTP"},
		"the signature: crypto":          {"crypto/internal/fips140/bigmod.addMulVVW1024", "crypto/rsa.VerifyPKCS1v15"},
		"the measuring and the handler":  {ownPath + "/bench.(*Runner).Step"},
		"the runtime, by itself":         {"runtime.schedule", "runtime.mcall"},
		"encoding/json, encoding/base64": {"encoding/json.Unmarshal", ownPath + "/internal/sessiontoken.parse"},
	} {
		if got := whatFor(functions); got != want {
			t.Errorf("%q is for %s, want %s", functions[0], got, want)
		}
	}
}

// Each contestant gets the same number of slices, and an interrupted run ends.
func TestTakeTurns(t *testing.T) {
	t.Chdir("..") // where the tokens are
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	course, err := bench.NewCourse(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := bench.Rows(course)
	if err != nil {
		t.Fatal(err)
	}
	all := []*bench.Contestant{rows[0].Contestant, rows[1].Contestant}
	s := speed{}
	turns, err := s.serial(ctx, all, 0)
	if err != nil || turns != fewest || len(s) != 2 || s.of(rows[0].Name, bench.RowLoad).serial.median <= 0 {
		t.Errorf("%d slices of %d, %v, want %d of 2", turns, len(s), err, fewest)
	}
	if err := s.together(ctx, all, []int{2}, 0); err != nil || s.of(rows[1].Name, bench.RowLoad).parallel[2].median <= 0 {
		t.Errorf("together: got %v, want no error, and a median above 0", err)
	}
	cancel()
	if _, err := s.serial(ctx, all, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: got %v, want %v", err, context.Canceled)
	}
}
