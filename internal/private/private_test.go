package private_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/clerkauth/clerkauth/internal/private"
)

// Whatever a handler does, its response has the cookies and is stored in no shared cache.
func TestWriter(t *testing.T) {
	const cookie = "__session=t; Path=/"
	public := func(w http.ResponseWriter) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		w.Header().Set("CDN-Cache-Control", "max-age=60")
		w.Header().Set("Expires", "Thu, 01 Jan 2026 00:00:00 GMT")
		w.Header().Add("Set-Cookie", "theme=dark")
	}
	for name, handle := range map[string]func(http.ResponseWriter){
		"nothing":              func(http.ResponseWriter) {},
		"a header":             public,
		"a status":             func(w http.ResponseWriter) { public(w); w.WriteHeader(http.StatusNotFound) },
		"a body":               func(w http.ResponseWriter) { public(w); _, _ = io.WriteString(w, "x") },
		"a flush":              func(w http.ResponseWriter) { public(w); w.(http.Flusher).Flush() },
		"all cookies deleted":  func(w http.ResponseWriter) { w.Header().Del("Set-Cookie"); w.WriteHeader(http.StatusOK) },
		"a header set in vain": func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK); public(w) },
	} {
		below := httptest.NewRecorder()
		w := private.Writer(below, []string{cookie})
		handle(w)
		private.Finish(w)
		h := below.Result().Header
		if got := h.Values("Cache-Control"); !slices.Equal(got, []string{"private, no-store"}) || h.Get("CDN-Cache-Control")+h.Get("Expires") != "" {
			t.Errorf("%s: got %v, want Cache-Control private, no-store, and no CDN-Cache-Control or Expires", name, h)
		}
		if !slices.Contains(h["Set-Cookie"], cookie) {
			t.Errorf("%s: leaves without the cookie: %q", name, h["Set-Cookie"])
		}
	}
}

// A proxy would drop the cookies of a 304, and a part of a document may be of another document.
func TestUnconditional(t *testing.T) {
	sent := http.Header{"If-None-Match": {`"x"`}, "If-Modified-Since": {"x"}, "If-Range": {`"x"`}, "Range": {"bytes=0-1"}, "Accept": {"*/*"}}
	got := private.Unconditional(sent)
	if len(got) != 1 || got.Get("Accept") == "" || len(sent) != 5 {
		t.Errorf("got %v of %v, want Accept alone, and all five left in the original", got, sent)
	}
	if alone := private.Unconditional(http.Header{"Range": {"bytes=0-1"}}); alone.Get("Range") == "" {
		t.Error("a Range of its own is taken away")
	}
}
