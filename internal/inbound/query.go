package inbound

import (
	"iter"
	"net/url"
	"strings"
)

// MaxQuery is the length of the longest query that is read, in bytes: far more than any address has that a browser is sent
// back to.
const MaxQuery = 64 << 10

// pairs are the names and values of a query in order, as they were sent.
func pairs(query string) iter.Seq2[string, string] {
	if len(query) > MaxQuery {
		query = ""
	}
	return func(yield func(name, value string) bool) {
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if !yield(name, value) {
				return
			}
		}
	}
}

// FormUnescape decodes a name or value of a query. What is malformed stays as it is.
func FormUnescape(s string) string {
	decoded, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return decoded
}

// First is the first value of a parameter.
func First(query, parameter string) (string, bool) {
	for name, value := range pairs(query) {
		if spells(name, parameter) {
			return FormUnescape(value), true
		}
	}
	return "", false
}

// spells reports whether name is parameter when it is decoded. parameter has letters and underscores only.
func spells(name, parameter string) bool {
	for _, c := range []byte(parameter) {
		switch {
		case name != "" && name[0] == c:
			name = name[1:]
		case len(name) >= 3 && name[0] == '%' && digit(name[2]) < 16 && digit(name[1])<<4|digit(name[2]) == int64(c):
			name = name[3:]
		default:
			return false
		}
	}
	return name == ""
}
