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
	from, to                  int    // the part of readHeader that the decision read
	there, several            uint16 // bits by line: it came; in several values, which are quoted, or in none
	first                     [readForBearer]string
	others                    *[lineCount - readForBearer]string // nil: a bearer token signed in
}

// What decisions read of a header, see readHeader.
const (
	lineForwardedHost = iota
	lineForwardedProto
	lineAuthorization
	lineDest
	lineMode
	lineAccept
	lineCookie
	lineOrigin
	lineReferer
	lineUpgrade
	lineWebSocketKey
	lineSite
	linePurpose
	lineCount

	readUntrusted = lineAuthorization // the first where forwarded headers are not trusted
	readForBearer = lineDest          // the end where a bearer token signs in, which decides alone
	readForPage   = lineCookie        // the end of what tells whether a page is asked for
)

var readHeader = [lineCount]string{
	lineForwardedHost: "X-Forwarded-Host", lineForwardedProto: "X-Forwarded-Proto",
	lineAuthorization: "Authorization",
	lineDest:          "Sec-Fetch-Dest", lineMode: "Sec-Fetch-Mode", lineAccept: "Accept",
	lineCookie: "Cookie", lineOrigin: "Origin", lineReferer: "Referer",
	lineUpgrade: "Upgrade", lineWebSocketKey: "Sec-Websocket-Key",
	lineSite: "Sec-Fetch-Site", linePurpose: "Sec-Purpose",
}

// headerLines are the values of the lines in readHeader, each looked up once.
type headerLines [lineCount][]string

func (l *headerLines) read(h http.Header, from, to int) {
	for i := from; i < to; i++ {
		l[i] = h[readHeader[i]]
	}
}

// first is the first value of a line, or "".
func (l *headerLines) first(line int) string {
	if values := l[line]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// joined is a line as one string. there: it came at all. several: it has several values, which
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

// set keeps what a decision about r read: lines, from one of readHeader to the one before another.
func (i *identity) set(r *http.Request, lines *headerLines, from, to int) {
	i.method, i.host, i.tls = r.Method, r.Host, r.TLS != nil
	i.path, i.query = clientTarget(r)
	i.from, i.to = from, to
	for at := from; at < to; at++ {
		text, there, several := joined(lines[at])
		if there {
			i.there |= 1 << at
		}
		if several {
			i.several |= 1 << at
		}
		if at < readForBearer {
			i.first[at] = text
		} else {
			i.others[at-readForBearer] = text
		}
	}
}

// of reports whether i is the identity of r.
func (i *identity) of(r *http.Request) bool {
	path, query := clientTarget(r)
	if i.method != r.Method || i.host != r.Host || i.path != path || i.query != query || i.tls != (r.TLS != nil) {
		return false
	}
	for at := i.from; at < i.to; at++ {
		text, there, several := joined(r.Header[readHeader[at]])
		if there != (i.there>>at&1 == 1) || several != (i.several>>at&1 == 1) || text != i.line(at) {
			return false
		}
	}
	return true
}

func (i *identity) line(at int) string {
	if at < readForBearer {
		return i.first[at]
	}
	return i.others[at-readForBearer]
}
