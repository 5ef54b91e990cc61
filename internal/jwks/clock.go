package jwks

import "time"

// toleratedOffset is the largest clock error without a warning: about the leeway with which tokens are checked.
const toleratedOffset = 5 * time.Second

// ClockError reports that this machine's clock and the endpoint's differ.
type ClockError struct {
	Ahead time.Duration // by how much this machine's is ahead; negative: behind
}

func (e *ClockError) Error() string {
	if e.Ahead < 0 {
		return "this machine's clock is " + (-e.Ahead).String() + " behind the endpoint's"
	}
	return "this machine's clock is " + e.Ahead.String() + " ahead of the endpoint's"
}

// offset is by how much a clock is ahead, at least, if it showed began before a request and ended after it, and the server
// answered at date (RFC 9110 section 6.6.1: whole seconds). Zero: it may be right, or date is unknown.
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

// Ahead is by how much this machine's clock was ahead of the endpoint's at the last fetch; negative: behind; zero: it was
// right, or this is unknown.
func (k *Keys) Ahead() time.Duration { return time.Duration(k.ahead.Load()) }
