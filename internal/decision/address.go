package decision

import (
	"net/url"
	"strings"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// Addresses are joined from their parts and never resolved as references: a path that begins with // would become a host.

// maxAddress is the length of the longest address that a browser is sent to, in bytes. Servers and proxies on the way
// refuse what is longer.
const maxAddress = 8 << 10

// address builds an address. One that gets longer than maxAddress is "", and nothing more is added to it.
type address struct {
	text    strings.Builder
	query   bool // it has parameters
	tooLong bool
}

// write adds parts unescaped.
func (a *address) write(parts ...string) {
	for _, part := range parts {
		if a.tooLong = a.tooLong || a.text.Len()+len(part) > maxAddress; a.tooLong {
			return
		}
		a.text.WriteString(part)
	}
}

// add adds a parameter. Escaping makes nothing shorter, so a parameter that is already too long is not escaped.
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

// spelling says how the parameters that are kept are written: as they are, or escaped again as a form.
type spelling bool

const (
	unchanged spelling = false
	asForm    spelling = true
)

// addWithout adds the parameters of a query, in order, except those for whose name drop returns true. A query that is not
// read makes the address too long.
func (a *address) addWithout(query string, s spelling, drop func(name string) bool) {
	a.tooLong = a.tooLong || len(query) > inbound.MaxQuery
	for pair := range strings.SplitSeq(query, "&") {
		if a.tooLong {
			return
		}
		name, value, _ := strings.Cut(pair, "=")
		switch decoded := inbound.FormUnescape(name); {
		case pair == "", drop(decoded):
		case s == asForm:
			a.add(decoded, inbound.FormUnescape(value))
		default:
			a.pair(pair)
		}
	}
}

// addressWithout is the address of a page without some of its parameters.
func addressWithout(public string, p *inbound.Page, s spelling, drop func(name string) bool) string {
	var a address
	a.write(public, p.Path)
	a.addWithout(p.Query, s, drop)
	return a.String()
}

// formEscape is url.QueryEscape in the spelling of browsers (application/x-www-form-urlencoded): * stays, ~ does not.
func formEscape(s string) string {
	escaped := url.QueryEscape(s)
	if strings.ContainsAny(s, "*~") {
		escaped = formSpelling.Replace(escaped)
	}
	return escaped
}

var formSpelling = strings.NewReplacer("%2A", "*", "~", "%7E")
