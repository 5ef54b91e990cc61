package redact

import "strconv"

// Seen is a text that somebody sent, for a message: quoted, so that it stays within its line, and cut.
type Seen string

// maxSeen is how much of a Seen is shown, in bytes.
const maxSeen = 64

// See keeps of a text no more than is shown of it, and whether it was longer.
func See(s string) Seen { return Seen(s[:min(len(s), maxSeen+1)]) }

func (s Seen) String() string {
	if len(s) > maxSeen {
		return strconv.Quote(string(s[:maxSeen])) + "…"
	}
	return strconv.Quote(string(s))
}

// SeenError is about what somebody sent. Its text is put together when it is asked for.
type SeenError struct {
	Before string
	Seen   Seen
	After  string
}

func (e SeenError) Error() string { return e.Before + e.Seen.String() + e.After }
