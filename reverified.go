package clerkauth

import (
	"fmt"
	"time"
)

// Reverification is one of Clerk's presets.
type Reverification string

// Clerk's presets. People without a second factor verify the first instead.
const (
	ReverifyStrictMFA Reverification = "strict_mfa" // both factors, 10 min
	ReverifyStrict    Reverification = "strict"     // second factor, 10 min
	ReverifyModerate  Reverification = "moderate"   // second factor, 1 h
	ReverifyLax       Reverification = "lax"        // second factor, 1 day
)

// Factors are the factors to verify again, in Clerk's words. With the zero Factors, ReverifiedWithin never passes.
type Factors string

// The factors. People without a second factor always verify the first instead.
const (
	FirstFactor  Factors = "first_factor"
	SecondFactor Factors = "second_factor"
	MultiFactor  Factors = "multi_factor" // both
)

// Reverified passes when the factors of a preset were verified recently enough before the session token was issued. If not,
// DefaultErrorHandler sends the response on which Clerk's scripts let the person verify again. See
// https://clerk.com/docs/guides/secure/reverification.
func Reverified(level Reverification) Check {
	return Check{kind: kindReverification, value: string(level)}
}

// ReverifiedWithin is Reverified with your own factors and time: they were verified less than d before the token was
// issued. d must be whole minutes, at least one, because Clerk counts in minutes.
func ReverifiedWithin(f Factors, d time.Duration) Check {
	return Check{kind: kindWithin, value: string(f), within: d}
}

// reverification is what Clerk calls {level, afterMinutes}. Nothing meets the zero reverification.
type reverification struct {
	level  Factors
	within time.Duration
}

var presets = map[Reverification]reverification{
	ReverifyStrictMFA: {MultiFactor, 10 * time.Minute},
	ReverifyStrict:    {SecondFactor, 10 * time.Minute},
	ReverifyModerate:  {SecondFactor, time.Hour},
	ReverifyLax:       {SecondFactor, 24 * time.Hour},
}

// factors are those that a check of this kind requires.
func (c Check) factors() reverification {
	if c.kind == kindReverification {
		return presets[Reverification(c.value)]
	}
	return reverification{Factors(c.value), c.within}
}

func (c Check) possibleReverification() error {
	r := c.factors()
	switch {
	case c.kind == kindReverification && r == reverification{}:
		return fmt.Errorf("%q is not one of Clerk's presets for reverification; write ReverifyStrictMFA, ReverifyStrict, ReverifyModerate or ReverifyLax", c.value)
	case r.rank() == 0:
		return fmt.Errorf("factors %q do not exist; write FirstFactor, SecondFactor or MultiFactor", c.value)
	case r.within <= 0 || r.within%time.Minute != 0:
		return fmt.Errorf("reverification within %q is not possible: Clerk counts whole minutes; write one or more", r.within)
	}
	return nil
}

// rank orders factors by what they require of a person; 0: not Clerk's.
func (r reverification) rank() int {
	switch r.level {
	case FirstFactor:
		return 1
	case SecondFactor:
		return 2
	case MultiFactor:
		return 3
	}
	return 0
}

// easier reports whether r is met with less than other.
func (r reverification) easier(other reverification) bool {
	if r.rank() != other.rank() {
		return r.rank() < other.rank()
	}
	return r.within > other.within
}

// verified reports whether the factors were verified recently enough when the token was issued. A factor that was never
// verified counts as absent.
func (r reverification) verified(s *Session) bool {
	recent := func(at time.Time) bool {
		age := s.IssuedAt.Sub(at)
		return !at.IsZero() && !s.IssuedAt.IsZero() && age >= 0 && age < r.within
	}
	first, second := recent(s.FirstFactorAt), recent(s.SecondFactorAt)
	switch {
	case r.level == FirstFactor || s.SecondFactorAt.IsZero():
		return first
	case r.level == MultiFactor:
		return first && second
	default:
		return second
	}
}

// again is the reverification that would make a failed check pass; false: there is none.
func (c Check) again() (Check, bool) {
	switch c.kind {
	case kindReverification, kindWithin:
		return c, true
	case kindAnyOf:
		i, again := easiest(*c.alternatives)
		return again, i >= 0
	}
	return Check{}, false
}

// easiest is the check whose reverification demands the least, and that reverification; -1: none has one.
func easiest(checks []Check) (i int, again Check) {
	i = -1
	for k, check := range checks {
		if a, ok := check.again(); ok && (i < 0 || a.factors().easier(again.factors())) {
			i, again = k, a
		}
	}
	return i, again
}

// reverificationError is the response on which Clerk's scripts open a dialog.
type reverificationError struct {
	ClerkError struct {
		Type     string `json:"type"`
		Reason   string `json:"reason"`
		Metadata struct {
			Reverification any `json:"reverification"`
		} `json:"metadata"`
	} `json:"clerk_error"`
}

// reverificationConfig is a reverification that is not a preset, as Clerk's scripts read it.
type reverificationConfig struct {
	Level        Factors `json:"level"`
	AfterMinutes int64   `json:"afterMinutes"`
}

// newReverificationError is the response when check, a reverification, does not pass.
func newReverificationError(check Check) any {
	var e reverificationError
	e.ClerkError.Type, e.ClerkError.Reason = "forbidden", "reverification-error"
	e.ClerkError.Metadata.Reverification = check.value
	if check.kind == kindWithin {
		e.ClerkError.Metadata.Reverification = reverificationConfig{Factors(check.value), int64(check.within / time.Minute)}
	}
	return e
}
