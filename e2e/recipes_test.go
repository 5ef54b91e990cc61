package e2e_test

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/events"
	"github.com/clerkauth/clerkauth/examples/htmx"
	"github.com/clerkauth/clerkauth/examples/turbo"
)

// example is a production site whose app is one of the examples, with a script from npm.
func example(t *testing.T, opts clerktest.Options, refuse func(signIn string) clerkauth.ErrorHandler, routes func(*clerkauth.Authenticator) http.Handler, script ...string) *site {
	t.Helper()
	files := modules(t)
	opts.Domain, opts.Origins = domain, []string{appOrigin}
	clerk := clerktest.New(t, opts)
	cfg := clerk.Config()
	cfg.SignInURL = clerk.URL(clerktest.SignInPage)
	if refuse != nil {
		cfg.ErrorHandler = refuse(cfg.SignInURL)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", auth.Optional(routes(auth)))
	if len(script) > 0 {
		mux.HandleFunc("GET /"+script[0], func(w http.ResponseWriter, r *http.Request) {
			http.ServeFile(w, r, filepath.Join(append([]string{files}, script[1:]...)...))
		})
	}
	frontend, err := url.Parse(clerk.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	s := loopback(t, map[string]http.Handler{appOrigin: mux, clerk.Issuer(): &httputil.ReverseProxy{
		Transport: cfg.HTTPClient.Transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(frontend)
			r.Out.Host = frontend.Host
		},
	}})
	s.clerk, s.home, s.app = clerk, appOrigin, newApp(clerk)
	return s
}

// signsIn checks that the tab is at the sign-in page, and goes back.
func (b *tab) signsIn(s *site) {
	b.t.Helper()
	b.until(`location.pathname.startsWith("/sign-in") && document.readyState === "complete"`)
	if at := b.place().URL; !strings.HasPrefix(at, s.app.signIn+"?") {
		b.t.Fatalf("at %s, want the sign-in page", at)
	}
	b.press(`button[value="` + alice + `"]`)
}

func TestHtmxFragmentLeadsToSignInAndBack(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"htmx.org", "htmx-2"} {
		t.Run(version, func(t *testing.T) {
			s := example(t, clerktest.Options{}, func(signIn string) clerkauth.ErrorHandler { return htmx.ErrorHandler(appOrigin, signIn) },
				htmx.Routes, "htmx.js", version, "dist", "htmx.min.js")
			b := s.open(t)
			b.visit(s.home + "/?page=1")
			b.choose("button")
			b.signsIn(s)
			b.expect("back from the sign-in page", place{URL: s.home + "/?page=1"})
			b.choose("button")
			b.until(`document.querySelector("#me b")?.textContent === "` + alice + `"`)
			b.picture()
		})
	}
}

func TestTurboLeadsToSignInAndBack(t *testing.T) {
	t.Parallel()
	for selector, back := range map[string]string{"#in-frame": "/", "#link": "/me", "#button": "/"} {
		t.Run(selector[1:], func(t *testing.T) {
			s := example(t, clerktest.Options{}, func(signIn string) clerkauth.ErrorHandler { return turbo.ErrorHandler(appOrigin, signIn) },
				turbo.Routes, "turbo.js", "@hotwired", "turbo", "dist", "turbo.es2017-umd.js")
			b := s.open(t)
			b.visit(s.home + "/")
			b.choose(selector)
			b.signsIn(s)
			if at := b.place().URL; at != s.home+back {
				t.Errorf("back from the sign-in page at %s, want %s", at, s.home+back)
			}
			if back == "/" {
				b.choose(selector)
			}
			b.until(`document.querySelector("#who")?.textContent === "` + alice + `"`)
			b.picture()
		})
	}
}

// Tokens are valid for three seconds. The stream continues across several of them, until the
// session has ended.
func TestEventsComeBackRenewedUntilSomebodySignsOut(t *testing.T) {
	t.Parallel()
	s := example(t, clerktest.Options{TokenLifetime: 3 * time.Second}, nil, func(auth *clerkauth.Authenticator) http.Handler {
		return events.Routes(auth, func(ctx context.Context, s *clerkauth.Session, _ string) (events.Event, error) {
			select {
			case <-ctx.Done():
				return events.Event{}, ctx.Err()
			case <-time.After(100 * time.Millisecond):
				return events.Event{ID: 1, Data: s.IssuedAt.String()}, nil
			}
		})
	})
	b := s.open(t)
	b.visit(s.home + "/")
	b.signsIn(s)
	b.until(`new Set([...document.querySelectorAll("#events li")].map(e => e.textContent)).size >= 2`)
	b.picture()
	s.clerk.BrowserSessions()[0].SignOut()
	b.until(`location.pathname.startsWith("/sign-in")`)
}
