package sessiontoken

import (
	"strconv"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/redact"
)

// IssuerError is the detail of a token that another instance issued.
type IssuerError struct {
	Seen     redact.Seen
	Expected []string
}

func (e IssuerError) Error() string {
	quoted := make([]string, len(e.Expected))
	for i, issuer := range e.Expected {
		quoted[i] = strconv.Quote(issuer)
	}
	return "iss is " + e.Seen.String() + ", but must be " + strings.Join(quoted, " or ")
}

// Field is the field of Config that it is about.
func (IssuerError) Field() string { return "Issuers" }

// ClockError is the detail of a token that has expired, or is not active yet. Its text is Before, the duration and After.
type ClockError struct {
	Before  string
	Seconds int64
	After   string
	Skew    time.Duration
}

func (e ClockError) Error() string {
	return e.Before + Seconds(e.Seconds) + e.After + " by this machine's clock; ClockSkew is " + e.Skew.String()
}

// Field is the field of Config that it is about; empty: no leeway would be enough.
func (e ClockError) Field() string {
	if e.Seconds > int64(maxSkew/time.Second) {
		return ""
	}
	return "ClockSkew"
}

// maxSkew is the largest allowed leeway.
const maxSkew = time.Minute

// Seconds writes a duration, however long.
func Seconds(n int64) string {
	const most = int64(1<<63-1) / int64(time.Second)
	return (time.Duration(max(-most, min(n, most))) * time.Second).String()
}
