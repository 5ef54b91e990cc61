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

// oneBrowsers is the Cache-Control of a response that sets cookies: it is for one browser.
const oneBrowsers = "private, no-store"

// writer is the writer of a response that sets cookies of this module. Handlers set headers without knowing of the cookies,
// and the last value set would count. So the headers are corrected whenever they may be sent: at every write and once more
// at the end, since a writer below, such as http.TimeoutHandler's, may hold them back.
//
// It writes texts, reads from files and pushes with any writer below; withAbilities adds what only some of them can do.
type writer struct {
	http.ResponseWriter

	cookies  []string // Set-Cookie values
	upgraded bool     // what is sent now is not a response of this library
}

// Writer returns a writer to w whose response sets these cookies and is not stored in shared caches.
func Writer(w http.ResponseWriter, cookies []string) http.ResponseWriter {
	p := &writer{ResponseWriter: w, cookies: slices.Clone(cookies)}
	p.apply()
	return withAbilities(p)
}

// Finish corrects the headers once more, after a handler that wrote nothing, or panicked. Other writers than Writer's are
// not changed.
func Finish(w http.ResponseWriter) {
	if w, ok := w.(interface{ apply() }); ok {
		w.apply()
	}
}

// apply corrects the headers.
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
	// The missing cookies are put first: what a handler sets under the same name still counts.
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

// forCaches reports whether a header tells caches what to store. Targeted headers (RFC 9213) end in -Cache-Control and take
// precedence over Cache-Control itself, as do Surrogate-Control, Akamai's Edge-Control and nginx's X-Accel-Expires.
func forCaches(name string) bool {
	const targeted = "-Cache-Control"
	for _, field := range []string{"Cache-Control", "Expires", "Surrogate-Control", "Edge-Control", "X-Accel-Expires"} {
		if strings.EqualFold(name, field) { // a handler may use any spelling in the map
			return true
		}
	}
	return len(name) >= len(targeted) && strings.EqualFold(name[len(name)-len(targeted):], targeted)
}

// withdraw removes from the headers what apply added.
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

// WriteHeader keeps the cookies out of upgrades, and of informational responses, which are followed by the response.
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

// WriteString saves a copy of the text where the writer below has a WriteString.
func (w *writer) WriteString(s string) (int, error) {
	w.apply()
	return io.WriteString(w.ResponseWriter, s)
}

// ReadFrom is that of the writer below, which may let the kernel copy a file, or else writes.
func (w *writer) ReadFrom(r io.Reader) (int64, error) {
	w.apply()
	return io.Copy(w.ResponseWriter, r)
}

// Push fails with http.ErrNotSupported where the writer below cannot push.
func (w *writer) Push(target string, opts *http.PushOptions) error {
	below, ok := w.ResponseWriter.(http.Pusher)
	if !ok {
		return http.ErrNotSupported
	}
	return below.Push(target, opts)
}

// FlushError exists even if nothing below can flush: http.ResponseController would otherwise unwrap this writer and bypass
// it.
func (w *writer) FlushError() error {
	w.apply()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// abilities are the optional methods that withAbilities adds, each for a writer below that has it.
type abilities struct{ w *writer }

func (a abilities) Flush() { _ = a.w.FlushError() } // as Flush, which cannot report a failure

func (a abilities) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	a.w.withdraw()
	conn, buffered, err := http.NewResponseController(a.w.ResponseWriter).Hijack()
	a.w.upgraded = a.w.upgraded || err == nil
	a.w.apply()
	return conn, buffered, err
}

func (a abilities) CloseNotify() <-chan bool {
	return a.w.ResponseWriter.(http.CloseNotifier).CloseNotify() //nolint:staticcheck // see withAbilities
}

// Unconditional is h, or a copy, without the headers that request a 304, or a part of an unchanged document. Range is
// removed with its If-Range: alone it would return a part of another document.
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
