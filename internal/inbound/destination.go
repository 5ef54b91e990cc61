package inbound

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
