package inbound

import (
	"math/bits"
	"net/http"
	"strconv"
)

// Identity is the value of everything that a decision reads of a request. Copies that middleware makes of a request
// have the same identity; a request that only shares the context, or was changed since, has another one.
//
// Strings are kept, never the slices that hold them: a handler may write into those.
type Identity struct {
	method, host, target string
	tls                  bool

	// Bits by line of lineNames: the decision read it; it was sent; it has several values, or none, see joined.
	read, there, several uint16

	few  [4]string              // of the lines that were sent, each as one string, in the order of lineNames
	more *[lineCount - 4]string // those that few has no room for
}

// joined is a line as one string. there: it was sent at all. several: it has several values, each of which is written behind
// its length, or none.
func joined(values []string) (text string, there, several bool) {
	switch len(values) {
	case 0:
		return "", values != nil, values != nil
	case 1:
		return values[0], true, false
	}
	var b []byte
	for _, v := range values {
		b = append(append(strconv.AppendInt(b, int64(len(v)), 10), ':'), v...)
	}
	return string(b), true, true
}

// Set keeps what a decision about r read. lines are those of r's header.
func (i *Identity) Set(r *http.Request, lines *Lines) {
	i.method, i.host, i.target, i.tls = r.Method, r.Host, target(r), r.TLS != nil
	i.read = lines.read
	n := 0
	for left := lines.read; left != 0; left &= left - 1 {
		at := bits.TrailingZeros16(left)
		text, there, several := joined(lines.values[at])
		if several {
			i.several |= 1 << at
		}
		if there {
			i.there |= 1 << at
			*i.text(n) = text
			n++
		}
	}
}

// text is where the text of the n-th line that was sent is kept.
func (i *Identity) text(n int) *string {
	if n < len(i.few) {
		return &i.few[n]
	}
	if i.more == nil {
		i.more = new([lineCount - 4]string)
	}
	return &i.more[n-len(i.few)]
}

// Of reports whether i is the identity of r.
func (i *Identity) Of(r *http.Request) bool {
	if i.method != r.Method || i.host != r.Host || i.tls != (r.TLS != nil) || i.target != target(r) {
		return false
	}
	n := 0
	for left := i.read; left != 0; left &= left - 1 {
		at := bits.TrailingZeros16(left)
		text, there, several := joined(r.Header[lineNames[at]])
		if there != (i.there>>at&1 == 1) || several != (i.several>>at&1 == 1) || there && text != *i.text(n) {
			return false
		}
		if there {
			n++
		}
	}
	return true
}
