package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/bench"
)

func head(b *strings.Builder, columns ...string) {
	line(b, columns...)
	fmt.Fprintf(b, "|%s\n", strings.Repeat(" --- |", len(columns)))
}

func line(b *strings.Builder, cells ...string) {
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func nanoseconds(n float64) string { return bench.Duration(time.Duration(n + 0.5)) }

// times is a ratio with two digits or more.
func times(n float64) string {
	if n < 10 {
		return fmt.Sprintf("%.2f×", n)
	}
	return fmt.Sprintf("%.0f×", n)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
