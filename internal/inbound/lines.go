package inbound

import "net/http"

// What decisions read of a header, see lineNames.
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
	LineCount

	readUntrusted = LineAuthorization // the first where forwarded headers are not trusted
	ReadForBearer = LineDest          // the end where a bearer token signs in, which decides alone
	ReadForPage   = LineCookie        // the end of what tells whether a page is asked for
)

var lineNames = [LineCount]string{
	LineForwardedHost: "X-Forwarded-Host", LineForwardedProto: "X-Forwarded-Proto",
	LineAuthorization: "Authorization",
	LineDest:          "Sec-Fetch-Dest", LineMode: "Sec-Fetch-Mode", LineAccept: "Accept",
	LineCookie: "Cookie", LineOrigin: "Origin", LineReferer: "Referer",
	LineUpgrade: "Upgrade", LineWebSocketKey: "Sec-Websocket-Key",
	LineSite: "Sec-Fetch-Site", LinePurpose: "Sec-Purpose",
}

// Lines are the values of the lines in lineNames, each looked up once.
type Lines [LineCount][]string

// Read looks up the lines from one of lineNames to the one before another.
func (l *Lines) Read(h http.Header, from, to uint8) {
	for i := from; i < to; i++ {
		l[i] = h[lineNames[i]]
	}
}

// First is the first value of a line, or "".
func (l *Lines) First(line int) string {
	if values := l[line]; len(values) > 0 {
		return values[0]
	}
	return ""
}
