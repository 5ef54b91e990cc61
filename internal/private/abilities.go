package private

import "net/http"

// Optional methods of a ResponseWriter that mean something by being there, such as that a response can be streamed. Callers
// find them by type assertion, so every set of them needs its own type.
const (
	flushes = 1 << iota
	hijacks
	notifies
)

// withAbilities is w with exactly those of the optional methods that the writer below has. Libraries use what they find, and
// some cannot work without. w can also hijack where http.ResponseController could: it would find the one below otherwise, and
// bypass w.
func withAbilities(w *writer) http.ResponseWriter {
	set := 0
	if _, ok := w.ResponseWriter.(http.Flusher); ok {
		set |= flushes
	}
	if canHijack(w.ResponseWriter) {
		set |= hijacks
	}
	if _, ok := w.ResponseWriter.(http.CloseNotifier); ok { //nolint:staticcheck // deprecated, and still called by gin
		set |= notifies
	}
	return withSet[set](w, abilities{w})
}

// canHijack reports whether http.ResponseController finds a writer that can be hijacked.
func canHijack(w http.ResponseWriter) bool {
	for {
		if _, ok := w.(http.Hijacker); ok {
			return true
		}
		outer, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = outer.Unwrap()
	}
}

var withSet = [...]func(*writer, abilities) http.ResponseWriter{
	0: func(w *writer, _ abilities) http.ResponseWriter { return w },
	flushes: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Flusher
		}{w, a}
	},
	hijacks: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Hijacker
		}{w, a}
	},
	flushes | hijacks: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Flusher
			http.Hijacker
		}{w, a, a}
	},
	notifies: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.CloseNotifier
		}{w, a}
	},
	flushes | notifies: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Flusher
			http.CloseNotifier
		}{w, a, a}
	},
	hijacks | notifies: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Hijacker
			http.CloseNotifier
		}{w, a, a}
	},
	flushes | hijacks | notifies: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Flusher
			http.Hijacker
			http.CloseNotifier
		}{w, a, a, a}
	},
}
