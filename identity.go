package clerkauth

import (
	"fmt"
	"net/http"
)

// identity is the value of everything that a decision reads of a request. Copies that middleware makes of a request
// have the same identity; a request that only shares the context, or was changed since, has another one.
//
// Strings are kept, never the slices that hold them: a handler may write into those.
type identity struct {
	method, host, path, query string
	tls                       bool
	read                      []string // of readHeader
	kinds                     [len(readHeader)]lineKind
	texts                     [len(readHeader)]string
}

// readHeader are the names of the header lines that decisions read.
var readHeader = [...]string{
	"X-Forwarded-Host", "X-Forwarded-Proto",
	"Authorization",
	"Cookie", "Origin", "Referer", "Accept", "Upgrade", "Sec-Websocket-Key",
	"Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "Sec-Purpose",
}

// Parts of readHeader.
const (
	readUntrusted = 2 // from here on where forwarded headers are not trusted
	readForBearer = 3 // up to here by a decision that a bearer token signs in, which decides alone
)

// lineKind tells apart what a single string cannot.
type lineKind uint8

const (
	noLine lineKind = iota
	noValue
	oneValue
	severalValues // quoted
)

func lineOf(h http.Header, name string) (lineKind, string) {
	values, ok := h[name]
	switch {
	case !ok:
		return noLine, ""
	case len(values) == 0:
		return noValue, ""
	case len(values) == 1:
		return oneValue, values[0]
	}
	return severalValues, fmt.Sprintf("%q", values)
}

// identify writes the identity of r into i. bearer: it was signed in by a bearer token.
func (i *identity) identify(r *http.Request, bearer, forwarded bool) {
	i.method, i.host, i.tls = r.Method, r.Host, r.TLS != nil
	i.path, i.query = clientTarget(r)
	from, to := readUntrusted, len(readHeader)
	if forwarded {
		from = 0
	}
	if bearer {
		to = readForBearer
	}
	i.read = readHeader[from:to]
	for at, name := range i.read {
		i.kinds[at], i.texts[at] = lineOf(r.Header, name)
	}
}

// of reports whether i is the identity of r.
func (i *identity) of(r *http.Request) bool {
	path, query := clientTarget(r)
	if i.method != r.Method || i.host != r.Host || i.path != path || i.query != query || i.tls != (r.TLS != nil) {
		return false
	}
	for at, name := range i.read {
		if kind, text := lineOf(r.Header, name); kind != i.kinds[at] || text != i.texts[at] {
			return false
		}
	}
	return true
}
