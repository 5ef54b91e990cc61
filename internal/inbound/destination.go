package inbound

import (
	"net/http"
	"strings"
)

// Destination is what a browser wants a response for, as far as that decides whether a session may be renewed.
type Destination uint8

// The destinations.
const (
	PagePart   Destination = iota // a part of a page that is the same for every visitor: a script, a style, a font; also what is not known
	PageMedia                     // what a page shows: an image, a video
	PageItself                    // a page, or what a script asks for; also anything from a browser that does not say
)

// Destination reads Sec-Fetch-Dest (Fetch Metadata section 2.1). What it does not know is a part.
func (f *Request) Destination() Destination {
	dest := f.Lines.All(LineDest)
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
	if f.Method != http.MethodGet && f.Method != http.MethodHead {
		return false
	}
	if len(f.Lines.All(LineDest)) > 1 {
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

// Frame reports whether the request is for a document in a frame.
func (f *Request) Frame() bool {
	dest := f.Lines.First(LineDest)
	return f.Document && (dest == "iframe" || dest == "frame")
}

// Navigation reports whether the browser asks for a page of its own, and not for a frame.
func (f *Request) Navigation() bool { return f.Lines.First(LineDest) == "document" }

// Prefetch reports whether the request is for a document that the browser may never show.
func (f *Request) Prefetch() bool {
	return f.Document && strings.HasPrefix(f.Lines.First(LinePurpose), "prefetch")
}

// OwnSite reports whether a request does not come from another origin, as far as Sec-Fetch-Site tells: it is absent, empty,
// same-origin or, for what the person opened, none.
func (f *Request) OwnSite() bool {
	site := f.Lines.All(LineSite)
	return len(site) == 0 || len(site) == 1 && (site[0] == "same-origin" || site[0] == "none" || site[0] == "")
}

// Referrer is a single Referer; empty: none was sent, or several.
func (f *Request) Referrer() string {
	if referrers := f.Lines.All(LineReferer); len(referrers) == 1 {
		return referrers[0]
	}
	return ""
}
