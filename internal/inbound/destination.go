package inbound

import (
	"net/http"
	"strings"
)

// Destination is for what a browser fetches, as far as a new session goes.
type Destination uint8

// The destinations.
const (
	PagePart   Destination = iota // of a page, and fit for every visitor: a script, a style, a font; also what is not known
	PageMedia                     // what a page shows: an image, a video
	PageItself                    // a page, or what a script asks for; also of browsers that do not say
)

// readDestination reads Sec-Fetch-Dest (Fetch Metadata section 2.1). What it does not know is a part.
func readDestination(dest []string) Destination {
	if len(dest) == 0 {
		return PageItself
	}
	if len(dest) > 1 {
		return PagePart
	}
	switch dest[0] {
	case "", "empty", "document", "iframe", "frame", "websocket":
		return PageItself
	case "image", "audio", "video", "track", "object", "embed":
		return PageMedia
	}
	return PagePart
}

// asksForPage reports whether a browser will show the answer as a page. Sec-Fetch-Dest says so in browsers
// since 2023; before that Accept begins with text/html. A service worker that answers a navigation asks with an empty
// destination.
func (f *Request) asksForPage() bool {
	if f.Method != http.MethodGet && f.Method != http.MethodHead || len(f.Lines[LineDest]) > 1 {
		return false
	}
	switch f.Lines.First(LineDest) {
	case "":
		return strings.HasPrefix(f.Lines.First(LineAccept), "text/html")
	case "document", "iframe", "frame":
		return true
	case "empty":
		return f.Lines.First(LineMode) == "navigate"
	}
	return false
}

// asksForFrame reports whether a page is asked for that is shown within another.
func (f *Request) asksForFrame() bool {
	dest := f.Lines.First(LineDest)
	return dest == "iframe" || dest == "frame"
}
