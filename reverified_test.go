package clerkauth_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
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
			{limit - 1, never, true}, // without a second factor, the first counts
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
			token := a.Clerk.Token(clerktest.Claims{Extra: map[string]any{"fva": []int{tt.first, tt.second}}})
			if got := passes(t, a, token, clerkauth.Reverified(preset)); got != tt.want {
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
			if passes(t, a, token, clerkauth.Reverified(preset)) {
				t.Errorf("%s passes with fva %v", preset, fva)
			}
		}
	}
}

// fva counts whole minutes back from iat.
func TestFactorsAt(t *testing.T) {
	never := [2]time.Duration{-1, -1}
	longest := 153722867 * time.Minute // the longest that a time.Duration can have
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
		t.Run(fmt.Sprint("fva ", c.fva), func(t *testing.T) {
			s, err := session(t, map[string]any{"fva": c.fva})
			if err != nil {
				t.Fatal(err)
			}
			for i, at := range []time.Time{s.FirstFactorAt, s.SecondFactorAt} {
				if want := c.want[i]; want < 0 && !at.IsZero() || want >= 0 && !at.Equal(harness.Noon.Add(-want)) {
					t.Errorf("factor %d at %v, want %v before %v, or never", i+1, at, want, harness.Noon)
				}
			}
		})
	}
}

// Factors are counted back from iat: without it, the time of verification is unknown.
func TestFactorsOfATokenWithoutIssueDate(t *testing.T) {
	s, err := session(t, map[string]any{"fva": []int{3, 5}, "iat": clerktest.Absent})
	if err != nil {
		t.Fatal(err)
	}
	if !s.FirstFactorAt.IsZero() || !s.SecondFactorAt.IsZero() || s.Has(clerkauth.Reverified(clerkauth.ReverifyLax)) {
		t.Errorf("factors at %v and %v, want never", s.FirstFactorAt, s.SecondFactorAt)
	}
}

// A session that a test creates has its own times of the factors. Missing ones deny.
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
		"before all dates":             {never, never.Add(-time.Minute), never, false},
		"issued with all dates":        {never.Add(time.Minute), never, never, false},
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

// The rules are those of Clerk's has({reverification: {level, afterMinutes}}).
func TestReverifiedWithinAtTheBoundaries(t *testing.T) {
	const never = -1
	for _, tt := range []struct {
		factors       clerkauth.Factors
		minutes       int
		first, second int
		want          bool
	}{
		{clerkauth.FirstFactor, 5, 4, never, true},
		{clerkauth.FirstFactor, 5, 5, never, false},
		{clerkauth.FirstFactor, 5, 4, 600, true},
		{clerkauth.FirstFactor, 5, 600, 0, false}, // the second does not replace the first
		{clerkauth.FirstFactor, 5, never, 0, false},
		{clerkauth.SecondFactor, 5, 600, 4, true},
		{clerkauth.SecondFactor, 5, 0, 5, false},
		{clerkauth.SecondFactor, 5, 4, never, true},
		{clerkauth.SecondFactor, 5, 5, never, false},
		{clerkauth.SecondFactor, 5, never, 4, true},
		{clerkauth.MultiFactor, 5, 4, 4, true},
		{clerkauth.MultiFactor, 5, 5, 4, false},
		{clerkauth.MultiFactor, 5, 4, 5, false},
		{clerkauth.MultiFactor, 5, 4, never, true},
		{clerkauth.MultiFactor, 5, never, 4, false},
		{clerkauth.MultiFactor, 5, never, never, false},
		{clerkauth.FirstFactor, 1, 0, never, true},
		{clerkauth.FirstFactor, 1, 1, never, false},
		{clerkauth.SecondFactor, 60 * 24 * 365, 0, 60*24*365 - 1, true},
	} {
		s, err := session(t, map[string]any{"fva": []int{tt.first, tt.second}})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Has(clerkauth.ReverifiedWithin(tt.factors, time.Duration(tt.minutes)*time.Minute)); got != tt.want {
			t.Errorf("%s within %d minutes, factors %d and %d minutes ago: got %t, want %t", tt.factors, tt.minutes, tt.first, tt.second, got, tt.want)
		}
	}
}

func TestReverifiedWithinNonsenseNeverHolds(t *testing.T) {
	s, err := session(t, map[string]any{"fva": []int{0, 0}})
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range []clerkauth.Check{
		clerkauth.ReverifiedWithin("", time.Hour), clerkauth.ReverifiedWithin("strict", time.Hour), clerkauth.ReverifiedWithin("strict", 0),
		clerkauth.ReverifiedWithin(clerkauth.FirstFactor, 0), clerkauth.ReverifiedWithin(clerkauth.FirstFactor, 90*time.Second),
		clerkauth.ReverifiedWithin(clerkauth.FirstFactor, time.Nanosecond), clerkauth.ReverifiedWithin(clerkauth.FirstFactor, -time.Hour),
		clerkauth.Reverified("first_factor"),
	} {
		if s.Has(check) || s.Has(clerkauth.AnyOf(check)) || s.Has(clerkauth.AnyOf(clerkauth.NotImpersonated(), check)) {
			t.Errorf("%v passes without its factors", check)
		}
	}
}

// Clerk's scripts open their dialog when they read exactly this.
func TestReverifiedAnswersAsClerkDoes(t *testing.T) {
	a := harness.NewApp(t)
	token := a.Clerk.Token(clerktest.Claims{})
	for _, preset := range []clerkauth.Reverification{clerkauth.ReverifyStrictMFA, clerkauth.ReverifyStrict, clerkauth.ReverifyModerate, clerkauth.ReverifyLax} {
		h := a.Authorize(clerkauth.NotImpersonated(), clerkauth.Reverified(preset), clerkauth.Role("admin"))(harness.Greet)
		for _, accept := range []string{"", "*/*", "application/json, text/plain, */*"} {
			w := harness.Serve(h, harness.Request("POST", "/", harness.WithBearer(token), harness.With("Accept", accept)))
			want := `{"clerk_error":{"type":"forbidden","reason":"reverification-error","metadata":{"reverification":"` + string(preset) + `"}}}`
			if got := strings.TrimSuffix(w.Body.String(), "\n"); w.Code != http.StatusForbidden || got != want {
				t.Errorf("%s, Accept %q: got %d %s, want 403 %s", preset, accept, w.Code, got, want)
			}
			if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
				t.Errorf("%s: Content-Type %q, want JSON", preset, got)
			}
		}
	}
}

func TestReverifiedWithinAnswersAsClerkDoes(t *testing.T) {
	a := harness.NewApp(t)
	token := a.Clerk.Token(clerktest.Claims{Extra: map[string]any{"fva": []int{600, 600}}})
	for _, factors := range []clerkauth.Factors{clerkauth.FirstFactor, clerkauth.SecondFactor, clerkauth.MultiFactor} {
		w := harness.Serve(a.Authorize(clerkauth.ReverifiedWithin(factors, 2*time.Hour))(harness.Greet), harness.Request("POST", "/", harness.WithBearer(token)))
		want := `{"clerk_error":{"type":"forbidden","reason":"reverification-error","metadata":{"reverification":{"level":"` + string(factors) + `","afterMinutes":120}}}}` + "\n"
		if w.Code != http.StatusForbidden || w.Body.String() != want {
			t.Errorf("%s: got %d %s, want %s", factors, w.Code, w.Body, want)
		}
	}
}

// If an alternative of AnyOf is a reverification, the person can do something about the refusal:
// the response opens Clerk's dialog, for the least demanding one. A person with another alternative
// is never asked to reverify. A check before AnyOf that fails gets the usual response: no dialog
// would help.
func TestAnyOfAroundReverifiedOpensTheDialog(t *testing.T) {
	a := harness.NewApp(t)
	anyOf, admin, owner := clerkauth.AnyOf, clerkauth.Role("admin"), clerkauth.Role("owner")
	strict, lax, mfa := clerkauth.Reverified(clerkauth.ReverifyStrict), clerkauth.Reverified(clerkauth.ReverifyLax), clerkauth.Reverified(clerkauth.ReverifyStrictMFA)
	first := clerkauth.ReverifiedWithin(clerkauth.FirstFactor, 5*time.Minute)
	old := clerktest.Claims{Organization: acme, Extra: map[string]any{"fva": []int{100, 100_000}}}
	const through, refused = harness.Welcome, "refused without the dialog"
	const firstFactor = `{"level":"first_factor","afterMinutes":5}`
	for name, tt := range map[string]struct {
		h    func(http.Handler) http.Handler
		want string
	}{
		"last":                     {a.Authorize(anyOf(owner, strict)), `"strict"`},
		"first":                    {a.Authorize(anyOf(strict, owner)), `"strict"`},
		"alone":                    {a.Authorize(anyOf(strict)), `"strict"`},
		"nested":                   {a.Authorize(anyOf(owner, anyOf(clerkauth.Plan("pro"), anyOf(strict)))), `"strict"`},
		"of factors":               {a.Authorize(anyOf(owner, first)), firstFactor},
		"longest time":             {a.Authorize(anyOf(strict, lax)), `"lax"`},
		"longest time, first":      {a.Authorize(anyOf(lax, strict)), `"lax"`},
		"one factor before both":   {a.Authorize(anyOf(mfa, strict)), `"strict"`},
		"first factor before all":  {a.Authorize(anyOf(lax, anyOf(mfa, first), strict)), firstFactor},
		"two of a kind":            {a.Authorize(anyOf(strict, clerkauth.ReverifiedWithin(clerkauth.SecondFactor, 10*time.Minute))), `"strict"`},
		"another passes":           {a.Authorize(anyOf(strict, admin)), through},
		"no reverification":        {a.Authorize(anyOf(owner, clerkauth.Plan("pro"))), refused},
		"another check fails":      {a.Authorize(owner, anyOf(owner, strict)), refused},
		"another check fails then": {a.Authorize(anyOf(owner, strict), owner), `"strict"`},
		"Accept":                   {a.Accept(clerkauth.Sessions(anyOf(owner, strict))), `"strict"`},
		"Accept, second":           {a.Accept(clerkauth.Sessions(owner), clerkauth.Sessions(strict)), `"strict"`},
		"Accept, first":            {a.Accept(clerkauth.Sessions(strict), clerkauth.Sessions(owner)), `"strict"`},
		"Accept, neither":          {a.Accept(clerkauth.Sessions(owner), clerkauth.Sessions(owner, strict)), refused},
		"Accept, another passes":   {a.Accept(clerkauth.Sessions(strict), clerkauth.Sessions(admin)), through},
	} {
		w := harness.Serve(tt.h(harness.Greet), harness.Request("POST", "/", harness.WithBearer(a.Clerk.Token(old))))
		got := strings.TrimSpace(w.Body.String())
		dialog, isDialog := strings.CutPrefix(got, `{"clerk_error":{"type":"forbidden","reason":"reverification-error","metadata":{"reverification":`)
		switch {
		case isDialog:
			got = strings.TrimSuffix(dialog, "}}}")
		case w.Code == http.StatusForbidden && strings.Contains(got, `"code":"session-check-failed"`):
			got = refused
		}
		if got != tt.want || (w.Code == http.StatusForbidden) == (tt.want == through) {
			t.Errorf("%s: got %d %s, want %s", name, w.Code, w.Body, tt.want)
		}
	}
	page := harness.Serve(a.Authorize(anyOf(owner, strict))(harness.Greet), harness.Request("GET", "/", askingHTML, harness.WithBearer(a.Clerk.Token(old))))
	if !strings.Contains(page.Body.String(), "Please sign in again.") {
		t.Errorf("the page does not ask to sign in again: %s", page.Body)
	}
}
