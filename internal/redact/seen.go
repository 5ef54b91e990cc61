package redact

import "strconv"

// Seen is a text that somebody sent, for a message: quoted, so that it stays on its line, and cut.
type Seen string

// maxSeen is how much of a Seen is shown, in bytes.
const maxSeen = 64

// See keeps the part of a text that is shown, and whether there was more.
func See(s string) Seen { return Seen(s[:min(len(s), maxSeen+1)]) }

func (s Seen) String() string {
	if len(s) > maxSeen {
		return strconv.Quote(string(s[:maxSeen])) + "…"
	}
	return strconv.Quote(string(s))
}

// SeenError is an error about what somebody sent. Its text is built when it is needed.
type SeenError struct {
	Before string
	Seen   Seen
	After  string
}

func (e SeenError) Error() string { return e.Before + e.Seen.String() + e.After }
