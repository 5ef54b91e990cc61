package decision

import (
	"net/url"
	"strings"

	"github.com/clerkauth/clerkauth/internal/inbound"
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
func addressWithout(public string, p inbound.Page, drop func(name string) bool) string {
	var a address
	a.write(public, p.Path)
	for name, value := range inbound.Parameters(p.Query) {
		if a.tooLong {
			return ""
		}
		if !drop(name) {
			a.add(name, value)
		}
	}
	return a.String()
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
