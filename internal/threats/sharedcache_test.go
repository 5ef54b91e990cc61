package threats_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A response that renews or proves a session is for one browser. A shared cache would give it to
// strangers.

// renewing is an application whose visitor has an expired token and the cookie to refresh it.
type renewing struct {
	*harness.App
	fresh string // the token that the refresh returns
}

func newRenewing(t *testing.T) *renewing {
	t.Helper()
	b := harness.NewApp(t)
	fresh := b.Clerk.Token(clerktest.Claims{})
	b.AnswerRefreshes(0, "__session="+fresh+"; Path=/; HttpOnly", "__client_uat=1; Path=/")
	return &renewing{b, fresh}
}

// visitor adds what the visitor's browser sends with a script's request.
func (v *renewing) visitor(r *http.Request) *http.Request {
	r.Host = "example.com"
	maps.Copy(r.Header, v.Script(v.Expired(clerktest.Claims{}), v.NewRefreshCookie()).Header)
	return r
}

func (v *renewing) asks() *http.Request {
	return v.visitor(httptest.NewRequest(http.MethodGet, "/assets/app.js", http.NoBody))
}

// cacheable sets what a handler sets that does not know of sessions. It deletes our cookies, too.
func cacheable(h http.Header) {
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Add("Cache-Control", "s-maxage=31536000")
	h["cache-control"] = []string{"public"}
	for _, name := range forCaches {
		h.Set(name, "max-age=31536000")
	}
	h.Set("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")
	h.Set("X-Accel-Expires", "31536000")
	h.Del("Set-Cookie")
	h.Add("Set-Cookie", "theirs=1")
	h.Set("X-Theirs", "1")
}

var forCaches = []string{
	"Expires", "Surrogate-Control", "CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Vercel-CDN-Cache-Control",
	"Netlify-CDN-Cache-Control", "X-LiteSpeed-Cache-Control", "Edge-Control", "X-Accel-Expires",
}

// private checks a response that has a new session.
func (v *renewing) private(t *testing.T, status string, h http.Header) {
	t.Helper()
	if got := h["Cache-Control"]; !slices.Equal(got, []string{"private, no-store"}) {
		t.Errorf("%s: Cache-Control %q, want private, no-store", status, got)
	}
	for _, name := range forCaches {
		if got, ok := h[textproto.CanonicalMIMEHeaderKey(name)]; ok {
			t.Errorf("%s: the response has %s %q, want none", status, name, got)
		}
	}
	for _, want := range []string{"__session=" + v.fresh, "__client_uat=1"} {
		found := slices.ContainsFunc(h["Set-Cookie"], func(c string) bool { return strings.HasPrefix(c, want) })
		if !found {
			t.Errorf("%s: %q has not %.20s…", status, h["Set-Cookie"], want)
		}
	}
	if unique := slices.Compact(slices.Sorted(slices.Values(h["Set-Cookie"]))); len(unique) != len(h["Set-Cookie"]) {
		t.Errorf("%s: cookies are set twice: %q", status, h["Set-Cookie"])
	}
}

// waysOut are the ways in which a handler can write a response.
func waysOut(t *testing.T) map[string]http.HandlerFunc {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "app.js"), []byte("export {}"), 0o600); err != nil {
		t.Fatal(err)
	}
	content := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		http.ServeContent(w, r, "app.js", harness.Noon, strings.NewReader("export {}"))
	}
	ways := map[string]http.HandlerFunc{
		"WriteHeader":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) },
		"no content":      func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
		"Write":           func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("export {}")) },
		"an empty Write":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(nil) },
		"WriteString":     func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "export {}") },
		"nothing":         func(http.ResponseWriter, *http.Request) {},
		"http.Error":      func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusTeapot) },
		"http.NotFound":   http.NotFound,
		"http.Redirect":   func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusMovedPermanently) },
		"ServeContent":    content,
		"FileServer":      http.FileServer(http.Dir(dir)).ServeHTTP, // there is no assets/app.js: the 404 deletes headers
		"FileServer, 200": http.StripPrefix("/assets", http.FileServer(http.Dir(dir))).ServeHTTP,
		"Flush": func(w http.ResponseWriter, _ *http.Request) {
			if f, ok := w.(http.Flusher); ok {
				f.Flush()
			}
		},
		"FlushError": func(w http.ResponseWriter, _ *http.Request) {
			if f, ok := w.(interface{ FlushError() error }); ok {
				_ = f.FlushError()
			}
		},
		"ResponseController": func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).Flush() },
		"ReadFrom": func(w http.ResponseWriter, _ *http.Request) {
			if f, ok := w.(io.ReaderFrom); ok {
				_, _ = f.ReadFrom(strings.NewReader("export {}"))
			}
		},
		"io.Copy": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.Copy(w, io.LimitReader(strings.NewReader("export {}"), 100))
		},
		"headers after the header": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			cacheable(w.Header())
			_, _ = w.Write([]byte("export {}"))
		},
		"hints first": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusEarlyHints)
			cacheable(w.Header())
			_, _ = w.Write([]byte("export {}"))
		},
		"hints only": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusEarlyHints) },
		"panic":      func(http.ResponseWriter, *http.Request) { panic("handler") },
		"trailers": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Trailer", "X-Sum")
			_, _ = w.Write([]byte("export {}"))
			w.Header().Set("X-Sum", "1")
		},
	}
	for name, way := range ways {
		ways[name] = func(w http.ResponseWriter, r *http.Request) {
			cacheable(w.Header())
			way(w, r)
		}
	}
	return ways
}

// recovering answers when a handler panics, as an application's outermost middleware does.
func recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				http.Error(w, "oops", http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func TestRenewedSessionLeavesPrivately(t *testing.T) {
	harness.Long(t)
	v := newRenewing(t)
	timed := func(next http.Handler) http.Handler { return http.TimeoutHandler(next, time.Minute, "late") }
	guards := map[string]func(http.Handler) http.Handler{
		"Optional":               v.Optional,
		"Require":                v.Require,
		"Require in Optional":    func(next http.Handler) http.Handler { return v.Optional(v.Require(next)) },
		"TimeoutHandler outside": func(next http.Handler) http.Handler { return timed(v.Optional(next)) },
		"TimeoutHandler inside":  func(next http.Handler) http.Handler { return v.Optional(timed(next)) },
	}
	for way, handler := range waysOut(t) {
		for guard, protect := range guards {
			hints, timed := strings.HasPrefix(way, "hints"), strings.HasPrefix(guard, "TimeoutHandler")
			if timed && hints || guard == "TimeoutHandler outside" && way == "panic" {
				continue // TimeoutHandler treats the first status as the last, and drops the header
			}
			name := way + ", " + guard
			h := recovering(protect(handler))
			if w := harness.Serve(h, v.asks()); !hints { // the recorder does not know informational answers either
				v.private(t, name+", recorded", w.Result().Header)
			}
			v.overTheWire(t, name, h)
		}
	}
}

// overTheWire requests h over HTTP/1.1 and HTTP/2.
func (v *renewing) overTheWire(t *testing.T, name string, h http.Handler) {
	t.Helper()
	for _, two := range []bool{false, true} {
		server := httptest.NewUnstartedServer(h)
		server.EnableHTTP2 = two
		if two {
			server.StartTLS()
		} else {
			server.Start()
		}
		early := 0
		trace := &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
			early++
			if got := h["Set-Cookie"]; !slices.Equal(got, []string{"theirs=1"}) || h.Get("X-Theirs") == "" {
				t.Errorf("%s: an informational answer has the cookies %q and X-Theirs %q, want the handler's own only", name, got, h.Get("X-Theirs"))
			}
			return nil
		}}
		r, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), trace), http.MethodGet, server.URL+"/assets/app.js", nil)
		if err != nil {
			t.Fatal(err)
		}
		client := server.Client()
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		resp, err := client.Do(v.visitor(r))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			server.Close()
			continue
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		server.Close()
		v.private(t, name+", "+resp.Proto, resp.Header)
		if strings.HasPrefix(name, "hints") != (early > 0) {
			t.Errorf("%s: got %d informational answers, want some: %t", name, early, strings.HasPrefix(name, "hints"))
		}
	}
}
