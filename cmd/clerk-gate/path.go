package main

import "strings"

// ambiguous reports whether a gateway that selects a location by the path of uri and an app that selects a handler by it
// may read it differently: then the requirement of the location could be bypassed. Gateways and apps differ in whether they
// decode escapes, merge slashes, resolve dots, treat \ as / and remove ;parameters. The query does not matter.
func ambiguous(uri string) bool {
	path, _, _ := strings.Cut(uri, "?")
	if strings.Contains(path, "//") || strings.ContainsAny(path, `\#;`) {
		return true
	}
	for i := range len(path) {
		switch {
		case path[i] < 0x20, path[i] == 0x7f:
			return true
		case path[i] == '%' && misleading(path[i+1:]):
			return true
		case path[i] == '/' && dotSegment(path[i+1:]):
			return true
		}
	}
	return false
}

// misleading reports whether the hexadecimal digits after a % are a character whose escape is not read alike everywhere:
// one that needs no escape (RFC 3986 section 2.3; except ~, which some clients escape, and which has no special meaning), a
// separator, or a control character. A malformed escape is read differently, too.
func misleading(digits string) bool {
	if len(digits) < 2 {
		return true
	}
	high, low := hexadecimal(digits[0]), hexadecimal(digits[1])
	c := high<<4 | low
	switch {
	case high > 15 || low > 15, c < 0x20, c == 0x7f:
		return true
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte(`-._/\%;`, c) >= 0
}

// hexadecimal is the value of a digit; more than 15 for any other character.
func hexadecimal(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0xff
}

// dotSegment reports whether the segment at the beginning of s is . or ..
func dotSegment(s string) bool {
	segment, _, _ := strings.Cut(s, "/")
	return segment == "." || segment == ".."
}
