package bench

import (
	"fmt"
	"strconv"
	"time"
)

// Cell is one thing measured.
type Cell struct {
	Text  string
	Value float64 // a count, a time in seconds, or how many times as long; 0 when it is only text
}

var none = Cell{Text: "-"}

func noted(text string) Cell { return Cell{Text: text} }

func count(n int) Cell { return Cell{strconv.Itoa(n), float64(n)} }

func wait(d time.Duration) Cell { return Cell{Duration(d), d.Seconds()} }

// beside is a time and, in parentheses, what it is compared with.
func beside(d, base time.Duration) Cell {
	return Cell{fmt.Sprintf("%s (%s)", Duration(d), Duration(base)), float64(d) / float64(base)}
}

// happened says after how long something happened, or that it did not.
func happened(after time.Duration, ok bool) Cell {
	if !ok {
		return noted("not in " + Duration(after))
	}
	return wait(after)
}

// Duration is d with three digits, in the unit that fits.
func Duration(d time.Duration) string {
	for _, unit := range []struct {
		name string
		size time.Duration
	}{{"s", time.Second}, {"ms", time.Millisecond}, {"µs", time.Microsecond}} {
		if d >= unit.size {
			n := float64(d) / float64(unit.size)
			if n >= 100 {
				return fmt.Sprintf("%.0f %s", n, unit.name)
			}
			return fmt.Sprintf("%.3g %s", n, unit.name)
		}
	}
	return fmt.Sprintf("%d ns", d)
}
