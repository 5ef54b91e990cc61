// Package private keeps a response that sets cookies of one browser out of shared caches.
package private

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
)

// oneBrowsers is the Cache-Control of a response that sets cookies: it is one browser's.
const oneBrowsers = "private, no-store"

// writer is the writer of a response that sets cookies of this module. Handlers set headers for what they
// serve, not knowing of the cookies, and what they set last would count. So the header is put right whenever it may
// leave: at every write and once more at the end, since a writer below, such as http.TimeoutHandler's, may hold it back.
//
// withAbilities gives it the optional methods of the writer below.
type writer struct {
	http.ResponseWriter

	cookies  []string // Set-Cookie values
	upgraded bool     // what leaves now is no response, and not ours
}

// Writer returns a writer to w whose response sets these cookies and reaches no shared cache.
func Writer(w http.ResponseWriter, cookies []string) http.ResponseWriter {
	p := &writer{ResponseWriter: w, cookies: slices.Clone(cookies)}
	p.apply()
	return withAbilities(p)
}

// Finish puts the header right once more, after a handler that wrote nothing, or panicked. A writer that Writer did not
// make is left alone.
func Finish(w http.ResponseWriter) {
	if w, ok := w.(interface{ apply() }); ok {
		w.apply()
	}
}

// apply puts the header right.
func (w *writer) apply() {
	if w.upgraded {
		return
	}
	h := w.Header()
	for name, values := range h {
		if forCaches(name) && (name != "Cache-Control" || !ours(values)) {
			delete(h, name)
		}
	}
	if h["Cache-Control"] == nil {
		h["Cache-Control"] = []string{oneBrowsers}
	}
	// Those that are missing come first: what a handler sets under the same name goes on counting.
	theirs := h["Set-Cookie"]
	var missing []string
	for _, c := range w.cookies {
		if !slices.Contains(theirs, c) {
			missing = append(missing, c)
		}
	}
	if len(missing) > 0 {
		h["Set-Cookie"] = append(missing, theirs...)
	}
}

// ours reports whether values are the Cache-Control that apply sets.
func ours(values []string) bool { return len(values) == 1 && values[0] == oneBrowsers }

// forCaches reports whether a header field tells caches what to keep. Targeted fields (RFC 9213) end in
// -Cache-Control and go before Cache-Control itself, as do Surrogate-Control, Akamai's Edge-Control and nginx's X-Accel-Expires.
func forCaches(name string) bool {
	const targeted = "-Cache-Control"
	for _, field := range []string{"Cache-Control", "Expires", "Surrogate-Control", "Edge-Control", "X-Accel-Expires"} {
		if strings.EqualFold(name, field) { // a handler may write into the map under any spelling
			return true
		}
	}
	return len(name) >= len(targeted) && strings.EqualFold(name[len(name)-len(targeted):], targeted)
}

// withdraw takes out of the header what apply put there.
func (w *writer) withdraw() {
	h := w.Header()
	if ours(h["Cache-Control"]) {
		delete(h, "Cache-Control")
	}
	theirs := slices.DeleteFunc(slices.Clone(h["Set-Cookie"]), func(c string) bool { return slices.Contains(w.cookies, c) })
	if h["Set-Cookie"] = theirs; len(theirs) == 0 {
		delete(h, "Set-Cookie")
	}
}

// Unwrap is for http.ResponseController.
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader keeps the cookies out of upgrades, and out of informational answers, which the response follows.
func (w *writer) WriteHeader(status int) {
	if status < 100 || status > 199 {
		w.apply()
		w.ResponseWriter.WriteHeader(status)
		return
	}
	w.withdraw()
	w.upgraded = w.upgraded || status == http.StatusSwitchingProtocols
	w.ResponseWriter.WriteHeader(status)
	w.apply()
}

func (w *writer) Write(p []byte) (int, error) {
	w.apply()
	return w.ResponseWriter.Write(p)
}

// FlushError is there even where nothing below can flush: http.ResponseController would otherwise unwrap the writer,
// and so go past it.
func (w *writer) FlushError() error {
	w.apply()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// abilities are the optional methods, each for a writer below that has it.
type abilities struct{ w *writer }

func (a abilities) Flush() { _ = a.w.FlushError() } // as Flush, which cannot say that it failed

func (a abilities) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.w.withdraw()
	conn, buffered, err := a.w.ResponseWriter.(http.Hijacker).Hijack()
	a.w.upgraded = a.w.upgraded || err == nil
	a.w.apply()
	return conn, buffered, err
}

func (a abilities) ReadFrom(r io.Reader) (int64, error) {
	a.w.apply()
	return a.w.ResponseWriter.(io.ReaderFrom).ReadFrom(r)
}

func (a abilities) Push(target string, opts *http.PushOptions) error {
	return a.w.ResponseWriter.(http.Pusher).Push(target, opts)
}

// Unconditional is h, or a copy, without what asks for a 304 or for the part of a document that has not changed. A Range goes
// with its If-Range: alone it would get the part of another document.
func Unconditional(h http.Header) http.Header {
	conditions := []string{"If-None-Match", "If-Modified-Since", "If-Range"}
	if !slices.ContainsFunc(conditions, func(name string) bool { _, ok := h[name]; return ok }) {
		return h
	}
	h = h.Clone()
	if _, ok := h["If-Range"]; ok {
		delete(h, "Range")
	}
	for _, name := range conditions {
		delete(h, name)
	}
	return h
}
