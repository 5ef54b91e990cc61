package contract

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// The paths that Private requests.
const (
	Public  = "/public"  // responds with what Cacheable sets
	Failing = "/failing" // the same, followed by an error of the framework
	Empty   = "/empty"   // the same, and writes nothing
)

// Cacheable sets headers as a handler that knows nothing of sessions.
func Cacheable(set func(name, value string)) {
	set("Cache-Control", "public, max-age=31536000")
	set("Expires", "Thu, 01 Jan 2099 00:00:00 GMT")
	set("CDN-Cache-Control", "max-age=31536000")
	set("Surrogate-Control", "max-age=31536000")
	set("Content-Language", "en")
}

// Private requests an app's public paths with an expired session: the response must have the new one, and must not be
// stored by a shared cache. Strangers get the handler's headers.
func Private(t *testing.T, app func(*clerkauth.Authenticator) http.Handler) {
	t.Helper()
	now := time.Now()
	clerk := clerktest.New(t, clerktest.Options{Now: func() time.Time { return now }})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	h := app(auth)
	for _, path := range []string{Public, Failing, Empty} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Result().Header; path == Public && got.Get("Cache-Control") != "public, max-age=31536000" || got.Get("Set-Cookie") != "" {
			t.Errorf("%s of a stranger: %d %v", path, w.Code, got)
		}
		status := w.Code
		for _, c := range clerk.SignIn(nil, clerktest.Person{}).Cookies() {
			r.AddCookie(c)
		}
		now = now.Add(time.Hour)
		w = httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != status {
			t.Errorf("%s of somebody whose session is renewed: %d, want a stranger's %d", path, w.Code, status)
		}
		private(t, path, w.Result().Header)
	}
}

func private(t *testing.T, path string, h http.Header) {
	t.Helper()
	if got := h["Cache-Control"]; !slices.Equal(got, []string{"private, no-store"}) {
		t.Errorf("%s of somebody whose session is renewed: Cache-Control %q", path, got)
	}
	for _, name := range []string{"Expires", "CDN-Cache-Control", "Surrogate-Control"} {
		if got := h.Get(name); got != "" {
			t.Errorf("%s of somebody whose session is renewed: %s %q", path, name, got)
		}
	}
	if got := h.Get("Content-Language"); got != "en" {
		t.Errorf("%s of somebody whose session is renewed: Content-Language %q, want the handler's", path, got)
	}
	sessions := 0
	for _, c := range h["Set-Cookie"] {
		if strings.HasPrefix(c, "__session") {
			sessions++
		}
	}
	if sessions != 2 { // under both names
		t.Errorf("%s: %d session cookies in %q", path, sessions, h["Set-Cookie"])
	}
}
