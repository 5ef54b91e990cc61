package bench

import (
	"fmt"
	"time"
)

// Duration is d with two or three digits, in the unit that fits.
func Duration(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%.3g ns", float64(d))
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.3g s", d.Seconds())
}

// When says after how long something happened, or that it did not.
func When(after time.Duration, happened bool) string {
	if !happened {
		return "not in " + Duration(after)
	}
	return Duration(after)
}
