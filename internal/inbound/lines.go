package inbound

import "net/http"

// The lines of a header that decisions read, see lineNames.
const (
	LineForwardedHost = iota
	LineForwardedProto
	LineAuthorization
	LineDest
	LineMode
	LineAccept
	LineCookie
	LineOrigin
	LineReferer
	LineUpgrade
	LineWebSocketKey
	LineSite
	LinePurpose
	lineCount

	forwardedLines = 1<<LineForwardedHost | 1<<LineForwardedProto
)

var lineNames = [lineCount]string{
	LineForwardedHost: "X-Forwarded-Host", LineForwardedProto: "X-Forwarded-Proto",
	LineAuthorization: "Authorization",
	LineDest:          "Sec-Fetch-Dest", LineMode: "Sec-Fetch-Mode", LineAccept: "Accept",
	LineCookie: "Cookie", LineOrigin: "Origin", LineReferer: "Referer",
	LineUpgrade: "Upgrade", LineWebSocketKey: "Sec-Websocket-Key",
	LineSite: "Sec-Fetch-Site", LinePurpose: "Sec-Purpose",
}

// Lines are the values of the lines in lineNames. Each is looked up when it is first needed, and marked as read. The zero
// Lines is that of no header.
type Lines struct {
	header http.Header
	ignore uint16 // bits by line: it counts as absent
	read   uint16 // the same: it was looked up
	values [lineCount][]string
}

// Of gives l, which must be zero, its header. forwarded: X-Forwarded-… is trusted; otherwise it counts as absent.
func (l *Lines) Of(h http.Header, forwarded bool) {
	l.header = h
	if !forwarded {
		l.ignore = forwardedLines
	}
}

// All are the values of a line.
func (l *Lines) All(line uint8) []string {
	if bit := uint16(1) << line; (l.read|l.ignore)&bit == 0 {
		l.read |= bit
		l.values[line] = l.header[lineNames[line]]
	}
	return l.values[line]
}

// First is the first value of a line, or "".
func (l *Lines) First(line uint8) string {
	if values := l.All(line); len(values) > 0 {
		return values[0]
	}
	return ""
}
