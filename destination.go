package clerkauth

// destination is for what a browser fetches, as far as a new session goes.
type destination uint8

const (
	pagePart   destination = iota // of a page, and fit for every visitor: a script, a style, a font; also what is not known
	pageMedia                     // what a page shows: an image, a video
	pageItself                    // a page, or what a script asks for; also of browsers that do not say
)

// readDestination reads Sec-Fetch-Dest (Fetch Metadata section 2.1). What it does not know is a part.
func readDestination(dest []string) destination {
	if len(dest) == 0 {
		return pageItself
	}
	if len(dest) > 1 {
		return pagePart
	}
	switch dest[0] {
	case "", "empty", "document", "iframe", "frame", "websocket":
		return pageItself
	case "image", "audio", "video", "track", "object", "embed":
		return pageMedia
	}
	return pagePart
}

// renewalObstacle says why an answer to this request brings no cookies that renew a session; nil: it may. The parts
// of pages are what shared caches are for, so they get none; what a page shows gets them only where it is not for everybody.
func (e *evidence) renewalObstacle() error {
	switch {
	case e.destination == pagePart:
		return errRefreshSubresource
	case e.destination == pageMedia && !e.required:
		return errRefreshNotRequired
	}
	return nil
}
