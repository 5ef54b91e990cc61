package jwks

import "time"

// toleratedOffset is how far the clock may be off without a warning: tokens are judged with about that leeway.
const toleratedOffset = 5 * time.Second

// ClockError says that this machine's clock and that of the endpoint differ.
type ClockError struct {
	Ahead time.Duration // of the endpoint's; negative: behind
}

func (e *ClockError) Error() string {
	if e.Ahead < 0 {
		return "this machine's clock is " + (-e.Ahead).String() + " behind the endpoint's"
	}
	return "this machine's clock is " + e.Ahead.String() + " ahead of the endpoint's"
}

// offset is how far a clock is at least ahead that said began before a request and ended after it, when the server
// answered at date (RFC 9110 section 6.6.1: whole seconds). Zero: it may be right, or date is not known.
func offset(date, began, ended time.Time) time.Duration {
	switch {
	case date.IsZero():
		return 0
	case began.After(date.Add(time.Second)):
		return began.Sub(date.Add(time.Second)).Round(time.Second)
	case ended.Before(date):
		return -date.Sub(ended).Round(time.Second)
	}
	return 0
}

// Ahead is how far this machine's clock was ahead of the endpoint's at the last fetch, negative: behind; zero: it was right, or
// that is not known.
func (k *Keys) Ahead() time.Duration { return time.Duration(k.ahead.Load()) }
