package private

import (
	"io"
	"net/http"
)

// Optional methods of a ResponseWriter. Callers find them by type assertion, so every set of them needs its own type.
const (
	flushes = 1 << iota
	hijacks
	readsFrom
	pushes
)

// withAbilities is w with exactly the optional methods of the writer below. Libraries use what they find, and work without
// the rest.
func withAbilities(w *writer) http.ResponseWriter {
	set := 0
	if _, ok := w.ResponseWriter.(http.Flusher); ok {
		set |= flushes
	}
	if _, ok := w.ResponseWriter.(http.Hijacker); ok {
		set |= hijacks
	}
	if _, ok := w.ResponseWriter.(io.ReaderFrom); ok {
		set |= readsFrom
	}
	if _, ok := w.ResponseWriter.(http.Pusher); ok {
		set |= pushes
	}
	return withSet[set](w, abilities{w})
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
	readsFrom: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			io.ReaderFrom
		}{w, a}
	},
	flushes | readsFrom: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Flusher
			io.ReaderFrom
		}{w, a, a}
	},
	hijacks | readsFrom: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Hijacker
			io.ReaderFrom
		}{w, a, a}
	},
	flushes | hijacks | readsFrom: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Flusher
			http.Hijacker
			io.ReaderFrom
		}{w, a, a, a}
	},
	pushes: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Pusher
		}{w, a}
	},
	flushes | pushes: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Flusher
			http.Pusher
		}{w, a, a}
	},
	hijacks | pushes: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Hijacker
			http.Pusher
		}{w, a, a}
	},
	flushes | hijacks | pushes: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Flusher
			http.Hijacker
			http.Pusher
		}{w, a, a, a}
	},
	readsFrom | pushes: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			io.ReaderFrom
			http.Pusher
		}{w, a, a}
	},
	flushes | readsFrom | pushes: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Flusher
			io.ReaderFrom
			http.Pusher
		}{w, a, a, a}
	},
	hijacks | readsFrom | pushes: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Hijacker
			io.ReaderFrom
			http.Pusher
		}{w, a, a, a}
	},
	flushes | hijacks | readsFrom | pushes: func(w *writer, a abilities) http.ResponseWriter {
		return struct {
			*writer
			http.Flusher
			http.Hijacker
			io.ReaderFrom
			http.Pusher
		}{w, a, a, a, a}
	},
}
