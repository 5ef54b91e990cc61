package threats_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// traveller is a browser at an application: its redirects are followed and counted.
type traveller struct {
	*testing.T
	clerk   *clerktest.Instance
	auth    *clerkauth.Authenticator
	browser *http.Client
	origin  string
	sent    []string // where the application redirected the browser to in this visit
}

// scene is how a traveller's application is set up.
type scene struct {
	clerktest.Options
	config  func(*clerkauth.Config)
	front   func(http.Handler) http.Handler // before the application
	handler func(*clerkauth.Authenticator) http.Handler
}

var alice, bob = clerktest.Person{Name: "Alice", Claims: clerktest.Claims{Subject: "user_2alice"}},
	clerktest.Person{Name: "Bob", Claims: clerktest.Claims{Subject: "user_2bob"}}

func newTraveller(t *testing.T, w scene) *traveller {
	t.Helper()
	v := &traveller{T: t, clerk: clerktest.New(t, w.Options)}
	cfg := v.clerk.Config()
	if w.config != nil {
		w.config(&cfg)
	}
	v.origin = cfg.AuthorizedParties[0]
	var err error
	if v.auth, err = clerkauth.New(cfg); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", v.auth.Require(harness.Greet))
	mux.Handle("/public/", v.auth.Optional(harness.Greet))
	app := http.Handler(mux)
	if w.handler != nil {
		app = w.handler(v.auth)
	}
	if w.front != nil {
		app = w.front(app)
	}
	v.browser = v.clerk.Browser(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		app.ServeHTTP(rec, r)
		if location := rec.Header().Get("Location"); location != "" {
			v.sent = append(v.sent, location)
		}
		maps.Copy(rw.Header(), rec.Header())
		rw.WriteHeader(rec.Code)
		_, _ = rw.Write(rec.Body.Bytes())
	}))
	v.browser.CheckRedirect = func(_ *http.Request, via []*http.Request) error {
		if len(via) > 80 {
			t.Fatalf("the browser is redirected without end: %q", v.sent)
		}
		return nil
	}
	return v
}

// page is where a visit ended.
type page struct {
	status int
	body   string
	header http.Header
	at     string
	sent   int // how often the application redirected the browser
}

func (v *traveller) visit(path string, edits ...harness.Edit) page {
	v.Helper()
	return v.do(http.MethodGet, path, edits...)
}

// once sends one request and follows no redirect.
func (v *traveller) once(method, path string, edits ...harness.Edit) page {
	v.Helper()
	follow := v.browser.CheckRedirect
	v.browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	defer func() { v.browser.CheckRedirect = follow }()
	return v.do(method, path, edits...)
}

func (v *traveller) do(method, path string, edits ...harness.Edit) page {
	v.Helper()
	v.sent = nil
	if strings.HasPrefix(path, "/") {
		path = v.origin + path
	}
	r, err := http.NewRequestWithContext(v.Context(), method, path, http.NoBody)
	if err != nil {
		v.Fatal(err)
	}
	for _, e := range edits {
		e(r)
	}
	resp, err := v.browser.Do(r)
	if err != nil {
		v.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		v.Fatal(err)
	}
	return page{resp.StatusCode, string(body), resp.Header, resp.Request.URL.String(), len(v.sent)}
}

func (v *traveller) want(what string, got page, status int, body string, sent int) {
	v.Helper()
	if got.status != status || !strings.Contains(got.body, body) || got.sent != sent {
		v.Errorf("%s: got %d %q after %d redirects %.60q, want %d %q after %d", what, got.status, got.body, got.sent, v.sent, status, body, sent)
	}
	if strings.Contains(got.at, "__clerk") {
		v.Errorf("%s: the page is at %s, want no __clerk in the address", what, got.at)
	}
}

// plant puts cookies into the browser as a sibling subdomain does.
func (v *traveller) plant(domain string, pairs ...string) {
	v.Helper()
	u, err := url.Parse(v.origin)
	if err != nil {
		v.Fatal(err)
	}
	for pair := range slices.Chunk(pairs, 2) {
		v.browser.Jar.SetCookies(u, []*http.Cookie{{Name: pair[0], Value: pair[1], Domain: domain, Path: "/", Secure: u.Scheme == "https"}}) //nolint:gosec // a sibling subdomain's
	}
}

// cookie is a cookie of the application's; empty: there is none.
func (v *traveller) cookie(prefix string) string {
	u, err := url.Parse(v.origin)
	if err != nil {
		v.Fatal(err)
	}
	for _, c := range v.browser.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, prefix) {
			return c.Value
		}
	}
	return ""
}

// onlyCookies lets some cookies pass, as some proxies and hosting services do.
func onlyCookies(names ...string) func(http.Handler) http.Handler {
	return passingCookies(func(name string) bool { return slices.Contains(names, name) })
}

func passingCookies(passes func(name string) bool) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			cookies := r.Cookies()
			r.Header.Del("Cookie")
			for _, c := range cookies {
				if passes(c.Name) {
					r.AddCookie(c)
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// withoutSetting keeps cookies of the application's from the browser.
func withoutSetting(prefixes ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			h := rec.Header()
			h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(c string) bool {
				return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(c, p) })
			})
			maps.Copy(w.Header(), h)
			w.WriteHeader(rec.Code)
			_, _ = w.Write(rec.Body.Bytes())
		})
	}
}

// production and development are the usual scenes: people, and a clock that the test sets.
func production(now *time.Time) scene {
	return scene{Options: clerktest.Options{People: []clerktest.Person{alice, bob}, Now: func() time.Time { return *now }}}
}

func development(now *time.Time) scene {
	w := production(now)
	w.Development = true
	return w
}

// handshakePayload is the payload of a handshake token that sets cookies.
func handshakePayload(cookies []*http.Cookie) []byte {
	list := make([]string, len(cookies))
	for i, c := range cookies {
		list[i] = c.String()
	}
	payload, err := json.Marshal(map[string][]string{"handshake": list})
	if err != nil {
		panic(err) // impossible: they are strings
	}
	return payload
}
