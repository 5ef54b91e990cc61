package clerkauth_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestReverifiedAtTheBoundaries(t *testing.T) {
	a := harness.NewApp(t)
	const never = -1
	for preset, limit := range map[clerkauth.Reverification]int{
		clerkauth.ReverifyStrictMFA: 10, clerkauth.ReverifyStrict: 10, clerkauth.ReverifyModerate: 60, clerkauth.ReverifyLax: 24 * 60,
	} {
		mfa := preset == clerkauth.ReverifyStrictMFA
		for _, tt := range []struct {
			first, second int
			want          bool
		}{
			{limit - 1, never, true}, // who has no second factor is asked for the first
			{limit, never, false},
			{never, never, false},
			{never, limit - 1, !mfa},
			{never, limit, false},
			{0, 0, true},
			{0, limit - 1, true},
			{0, limit, false},
			{limit - 1, limit - 1, true},
			{limit, limit - 1, !mfa},
			{limit, limit, false},
		} {
			token := a.Clerk.Token(clerktest.Claims{FactorAge: []time.Duration{
				time.Duration(tt.first) * time.Minute, time.Duration(tt.second) * time.Minute,
			}})
			if got := holds(t, a, token, clerkauth.Reverified(preset)); got != tt.want {
				t.Errorf("%s with factors %d and %d minutes ago: got %t, want %t", preset, tt.first, tt.second, got, tt.want)
			}
		}
		for _, fva := range []any{
			clerktest.Absent, nil, "0,0", 0,
			[]int{},
			[]int{0},
			[]int{0, 0, 0},
			[]string{"0", "0"},
			[]int{0, -2},
			[]int{-2, 0},
			[]float64{0.5, 0},
			[]any{0, nil},
			map[string]int{"0": 0, "1": 0},
		} {
			token := a.Clerk.Token(clerktest.Claims{Extra: map[string]any{"fva": fva}})
			if holds(t, a, token, clerkauth.Reverified(preset)) {
				t.Errorf("%s holds with fva %v", preset, fva)
			}
		}
	}
}

// fva counts whole minutes back from iat.
func TestFactorsAt(t *testing.T) {
	never := [2]time.Duration{-1, -1}
	longest := 153722867 * time.Minute // that a time.Duration holds
	for _, c := range []struct {
		fva  any
		want [2]time.Duration
	}{
		{[]int{0, 0}, [2]time.Duration{0, 0}},
		{[]int{3, 90}, [2]time.Duration{3 * time.Minute, 90 * time.Minute}},
		{[]int{3, -1}, [2]time.Duration{3 * time.Minute, -1}},
		{[]int{-1, 3}, [2]time.Duration{-1, 3 * time.Minute}},
		{[]json.Number{"2.0", "-1"}, [2]time.Duration{2 * time.Minute, -1}},
		{[]int64{4223371679, 1}, [2]time.Duration{longest, time.Minute}},
		{[]int{-1, -1}, never},
		{clerktest.Absent, never},
		{nil, never},
		{[]int{}, never},
		{[]int{0}, never},
		{[]int{0, 0, 0}, never},
		{[]int{0, -2}, never},
		{[]any{0, nil}, never},
		{[]any{"0", 0}, never},
		{[]float64{0.5, 0}, never},
		{[]int64{1 << 53, 0}, never},
		{"0,0", never},
		{0, never},
		{map[string]int{"0": 0, "1": 0}, never},
	} {
		s, err := session(t, map[string]any{"fva": c.fva})
		if err != nil {
			t.Fatal(err)
		}
		for i, at := range []time.Time{s.FirstFactorAt, s.SecondFactorAt} {
			if want := c.want[i]; want < 0 && !at.IsZero() || want >= 0 && !at.Equal(harness.Noon.Add(-want)) {
				t.Errorf("fva %v: factor %d at %v, want %v before %v, or never", c.fva, i+1, at, want, harness.Noon)
			}
		}
	}
}

// Factors are counted back from iat: without it nothing says when they were verified.
func TestFactorsOfATokenWithoutIssueDate(t *testing.T) {
	s, err := session(t, map[string]any{"fva": []int{0, 0}, "iat": clerktest.Absent})
	if err != nil {
		t.Fatal(err)
	}
	if !s.FirstFactorAt.IsZero() || !s.SecondFactorAt.IsZero() || s.Has(clerkauth.Reverified(clerkauth.ReverifyLax)) {
		t.Errorf("factors at %v and %v, want never", s.FirstFactorAt, s.SecondFactorAt)
	}
}

// A session that a test writes says itself when its factors were verified. What it leaves out denies.
func TestReverifiedOfSessionsWrittenByHand(t *testing.T) {
	at := func(minutes int) time.Time { return harness.Noon.Add(time.Duration(minutes) * time.Minute) }
	never := time.Time{}
	for name, tt := range map[string]struct {
		issued, first, second time.Time
		want                  bool
	}{
		"nothing":                      {never, never, never, false},
		"issued alone":                 {at(0), never, never, false},
		"no issue date":                {never, at(0), at(0), false},
		"first factor":                 {at(0), at(0), never, true},
		"first factor, a second short": {at(0), at(-10).Add(time.Second), never, true},
		"first factor, old":            {at(0), at(-10), never, false},
		"first factor, to come":        {at(0), at(0).Add(time.Nanosecond), never, false},
		"second factor":                {at(0), at(-100), at(-9), true},
		"second factor, old":           {at(0), at(0), at(-10), false},
		"second factor, to come":       {at(0), at(0), at(1), false},
		"second factor alone":          {at(0), never, at(-9), true},
	} {
		s := &clerkauth.Session{UserID: "user_2alice", IssuedAt: tt.issued, FirstFactorAt: tt.first, SecondFactorAt: tt.second}
		if got := s.Has(clerkauth.Reverified(clerkauth.ReverifyStrict)); got != tt.want {
			t.Errorf("%s: got %t, want %t", name, got, tt.want)
		}
	}
}
