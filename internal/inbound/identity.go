package inbound

import (
	"fmt"
	"net/http"
)

// Identity is the value of everything that a decision reads of a request. Copies that middleware makes of a request
// have the same identity; a request that only shares the context, or was changed since, has another one.
//
// Strings are kept, never the slices that hold them: a handler may write into those.
type Identity struct {
	method, host, path, query string
	tls                       bool
	from, to                  uint8          // the part of lineNames that the decision read
	there, several            uint16         // bits by line: it arrived; in several values, which are quoted, or in none
	authorization             string         // where that is the only line
	Lines                     *IdentityLines // nil: it is
}

// IdentityLines are the lines that a decision read, each as one string.
type IdentityLines [LineCount]string

// joined is a line as one string. there: it arrived at all. several: it has several values, which
// are quoted, or none.
func joined(values []string) (text string, there, several bool) {
	switch len(values) {
	case 0:
		return "", values != nil, values != nil
	case 1:
		return values[0], true, false
	}
	return fmt.Sprintf("%q", values), true, true
}

// Set keeps what a decision about r read: lines, from one of lineNames to the one before another.
func (i *Identity) Set(r *http.Request, lines *Lines, from, to uint8) {
	i.method, i.host, i.tls = r.Method, r.Host, r.TLS != nil
	i.path, i.query = Target(r)
	i.from, i.to = from, to
	for at := from; at < to; at++ {
		text, there, several := joined(lines[at])
		if there {
			i.there |= 1 << at
		}
		if several {
			i.several |= 1 << at
		}
		if i.Lines != nil {
			i.Lines[at] = text
		} else {
			i.authorization = text
		}
	}
}

// Of reports whether i is the identity of r.
func (i *Identity) Of(r *http.Request) bool {
	path, query := Target(r)
	if i.method != r.Method || i.host != r.Host || i.path != path || i.query != query || i.tls != (r.TLS != nil) {
		return false
	}
	for at := i.from; at < i.to; at++ {
		text, there, several := joined(r.Header[lineNames[at]])
		if there != (i.there>>at&1 == 1) || several != (i.several>>at&1 == 1) || text != i.line(at) {
			return false
		}
	}
	return true
}

func (i *Identity) line(at uint8) string {
	if i.Lines != nil {
		return i.Lines[at]
	}
	return i.authorization
}
