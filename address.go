package clerkauth

import (
	"iter"
	"net/url"
	"strings"
)

// Parameters and URLs are put together from parts that are already what they say, never resolved: a path that
// begins with // would otherwise become a host.

// maxAddress is the length of the longest address that a browser is sent to, in bytes. Servers and proxies on the way
// refuse what is longer.
const maxAddress = 8 << 10

// address is an address while it is put together. One that gets too long is "", and what it would be is not worked out.
type address struct {
	text    strings.Builder
	query   bool // it has parameters
	tooLong bool
}

// write adds parts as they stand.
func (a *address) write(parts ...string) {
	for _, part := range parts {
		if a.tooLong = a.tooLong || a.text.Len()+len(part) > maxAddress; a.tooLong {
			return
		}
		a.text.WriteString(part)
	}
}

// add adds a parameter. Escaping makes nothing shorter, so that what is too long already is not escaped.
func (a *address) add(name, value string) {
	if a.tooLong = a.tooLong || len(name)+len(value) > maxAddress; !a.tooLong {
		a.pair(formEscape(name), "=", formEscape(value))
	}
}

// pair adds a parameter that is escaped already.
func (a *address) pair(parts ...string) {
	if a.query {
		a.write("&")
	} else {
		a.write("?")
	}
	a.query = true
	a.write(parts...)
}

func (a *address) String() string {
	if a.tooLong {
		return ""
	}
	return a.text.String()
}

// addressWithout is the address of a page without some of its parameters. The others are written anew, as a form.
func addressWithout(public string, p page, drop func(name string) bool) string {
	var a address
	a.write(public, p.path)
	for name, value := range parameters(p.query) {
		if a.tooLong {
			return ""
		}
		if !drop(name) {
			a.add(name, value)
		}
	}
	return a.String()
}

// pairs are the names and values of a query in order, as they came.
func pairs(query string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if pair != "" && !yield(name, value) {
				return
			}
		}
	}
}

// parameters are the names and values of a query in order, decoded as a form.
func parameters(query string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for name, value := range pairs(query) {
			if !yield(formUnescape(name), formUnescape(value)) {
				return
			}
		}
	}
}

func formUnescape(s string) string {
	decoded, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return decoded
}

// formEscape is url.QueryEscape in the spelling of browsers (application/x-www-form-urlencoded): * stays, ~ does not.
func formEscape(s string) string {
	escaped := url.QueryEscape(s)
	if strings.ContainsAny(s, "*~") {
		escaped = spelling.Replace(escaped)
	}
	return escaped
}

var spelling = strings.NewReplacer("%2A", "*", "~", "%7E")

// first is the first value of a parameter.
func first(query, parameter string) (string, bool) {
	for name, value := range pairs(query) {
		if spells(name, parameter) {
			return formUnescape(value), true
		}
	}
	return "", false
}

// spells reports whether name, decoded, is parameter, which has letters and underscores only.
func spells(name, parameter string) bool {
	for _, c := range []byte(parameter) {
		switch {
		case name != "" && name[0] == c:
			name = name[1:]
		case len(name) >= 3 && name[0] == '%' && digit(name[1])<<4|digit(name[2]) == int64(c):
			name = name[3:]
		default:
			return false
		}
	}
	return name == ""
}
