package clerkauth

import (
	"io"
	"net/http"
)

// What a writer can do besides. Callers find out by a type assertion, so that every set needs a type of its own.
const (
	flushes = 1 << iota
	hijacks
	readsFrom
	pushes
)

// withAbilities is w with exactly those optional methods that the writer below has. What a library finds it
// tries to use, and what it misses it does without.
func withAbilities(w *privateWriter) http.ResponseWriter {
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
	return writers[set](w, abilities{w})
}

var writers = [...]func(*privateWriter, abilities) http.ResponseWriter{
	0: func(w *privateWriter, _ abilities) http.ResponseWriter { return w },
	flushes: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Flusher
		}{w, a}
	},
	hijacks: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Hijacker
		}{w, a}
	},
	flushes | hijacks: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Flusher
			http.Hijacker
		}{w, a, a}
	},
	readsFrom: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			io.ReaderFrom
		}{w, a}
	},
	flushes | readsFrom: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Flusher
			io.ReaderFrom
		}{w, a, a}
	},
	hijacks | readsFrom: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Hijacker
			io.ReaderFrom
		}{w, a, a}
	},
	flushes | hijacks | readsFrom: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Flusher
			http.Hijacker
			io.ReaderFrom
		}{w, a, a, a}
	},
	pushes: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Pusher
		}{w, a}
	},
	flushes | pushes: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Flusher
			http.Pusher
		}{w, a, a}
	},
	hijacks | pushes: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Hijacker
			http.Pusher
		}{w, a, a}
	},
	flushes | hijacks | pushes: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Flusher
			http.Hijacker
			http.Pusher
		}{w, a, a, a}
	},
	readsFrom | pushes: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			io.ReaderFrom
			http.Pusher
		}{w, a, a}
	},
	flushes | readsFrom | pushes: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Flusher
			io.ReaderFrom
			http.Pusher
		}{w, a, a, a}
	},
	hijacks | readsFrom | pushes: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Hijacker
			io.ReaderFrom
			http.Pusher
		}{w, a, a, a}
	},
	flushes | hijacks | readsFrom | pushes: func(w *privateWriter, a abilities) http.ResponseWriter {
		return struct {
			*privateWriter
			http.Flusher
			http.Hijacker
			io.ReaderFrom
			http.Pusher
		}{w, a, a, a, a}
	},
}
