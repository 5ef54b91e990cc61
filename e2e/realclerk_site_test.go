package e2e_test

import (
	"html/template"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// modules returns the directory of the npm packages that the tests run: Clerk's own, as they are
// published.
func modules(t *testing.T) string {
	t.Helper()
	notShort(t)
	dir, err := filepath.Abs(filepath.Join("npm", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = os.Stat(filepath.Join(dir, "@clerk", "clerk-js"))
	if _, noNode := exec.LookPath("node"); err != nil || noNode != nil {
		const missing = "needs Debian's nodejs and npm, and Clerk's packages: npm ci --ignore-scripts in e2e/npm"
		if os.Getenv("CI") != "" {
			t.Fatal(missing)
		}
		t.Skip(missing)
	}
	return dir
}

// reactBundle is npm/react.jsx with its imports, as one script.
var reactBundle = sync.OnceValues(func() ([]byte, error) {
	build := exec.Command("node_modules/.bin/esbuild", "react.jsx", "--bundle", "--jsx=automatic", "--minify",
		`--define:process.env.NODE_ENV="production"`, "--log-level=error")
	build.Dir, build.Stderr = "npm", os.Stderr
	return build.Output()
})

// clerkScript matches the paths at which Clerk's SDKs expect its scripts at a Frontend API.
var clerkScript = regexp.MustCompile(`^/npm/@clerk/(clerk-js|ui)@[^/]+/dist/([^/]+\.js)$`)

// frontendHost is the address of a Frontend API. It stays the same when the instance behind it is
// replaced, and it serves Clerk's scripts, too.
type frontendHost struct {
	modules  string
	instance atomic.Pointer[clerktest.Instance]
}

func (f *frontendHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if parts := clerkScript.FindStringSubmatch(r.URL.Path); parts != nil {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		http.ServeFile(w, r, filepath.Join(f.modules, "@clerk", parts[1], "dist", parts[2]))
		return
	}
	clerk := f.instance.Load()
	target, _ := url.Parse(clerk.Issuer()) // an issuer is always a URL
	if raw := clerk.Config().FrontendAPIURL; raw != "" {
		target, _ = url.Parse(raw)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) {
		p.SetURL(target)
		p.Out.Host = r.Host
		if clerk.Config().HTTPClient != nil {
			p.Out.Host = target.Host
		}
	}}
	if c := clerk.Config().HTTPClient; c != nil {
		proxy.Transport = c.Transport
	}
	proxy.ServeHTTP(w, r)
}

// realApp is an app whose pages have Clerk's scripts.
type realApp struct {
	mu         sync.Mutex              // guards seen
	seen       map[string][]seenAnswer // by path
	key, proxy string                  // for the scripts; proxy is empty where the key has the Frontend API's name
	api        string                  // another origin of the same app, for bearer tokens
	changes    atomic.Int64
}

var scriptPage = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en" data-key="{{.Key}}" data-proxy="{{.Proxy}}" data-api="{{.API}}">
<meta charset="utf-8">
<title>{{.Path}}</title>
<link rel="icon" href="data:,">
<style>body{font:1.1rem/1.5 system-ui,sans-serif;margin:2rem}</style>
<h1 id="who">{{.Who}}</h1>
<div id="root"></div>
{{if .React}}<script src="/react.js"></script>
{{else}}<script src="{{.Source}}" data-clerk-publishable-key="{{.Key}}"{{if .Proxy}} data-clerk-proxy-url="{{.Proxy}}"{{end}}></script>
<script>window.loading = Clerk.load({telemetry: false})</script>
{{end}}</html>
`))

func (a *realApp) show(w http.ResponseWriter, r *http.Request) {
	view := struct {
		Who, Path, Key, Proxy, API, Source string
		React                              bool
	}{Who: "nobody", Path: r.URL.Path, Key: a.key, Proxy: a.proxy, API: a.api, React: r.URL.Path == "/react"}
	view.Source = "/npm/@clerk/clerk-js@6/dist/clerk.browser.js"
	if a.proxy != "" {
		view.Source = a.proxy + view.Source
	}
	if s, ok := clerkauth.FromContext(r.Context()); ok {
		view.Who = s.UserID
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = scriptPage.Execute(w, view) // the browser may have disconnected
}

// handler returns the app. It serves Clerk's scripts itself if they are not nil.
func (a *realApp) handler(t *testing.T, auth *clerkauth.Authenticator, scripts http.Handler) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", auth.Optional(http.HandlerFunc(a.show)))
	mux.Handle("GET /react", auth.Optional(http.HandlerFunc(a.show)))
	mux.Handle("GET /private", auth.Require(http.HandlerFunc(a.show)))
	mux.Handle("GET /me", a.readableFromElsewhere(auth.Require(http.HandlerFunc(whoami))))
	mux.Handle("OPTIONS /me", a.readableFromElsewhere(http.NotFoundHandler()))
	mux.Handle("POST /sensitive", auth.Authorize(clerkauth.Reverified("strict"))(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a.changes.Add(1)
		w.Write([]byte(`{"changed":true}`))
	})))
	mux.HandleFunc("GET /react.js", func(w http.ResponseWriter, _ *http.Request) {
		script, err := reactBundle()
		if err != nil {
			t.Errorf("esbuild: %v", err)
		}
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(script)
	})
	if scripts != nil {
		mux.Handle("GET /npm/", scripts)
	}
	return a.record(mux)
}

// seenAnswer is the answer to a request.
type seenAnswer struct {
	status int
	reason string
}

// record keeps the answers to requests.
func (a *realApp) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(status, r)
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.seen == nil {
			a.seen = map[string][]seenAnswer{}
		}
		a.seen[r.URL.Path] = append(a.seen[r.URL.Path], seenAnswer{status.status, w.Header().Get("X-Clerk-Auth-Reason")})
	})
}

// answers returns the responses so far for a path.
func (a *realApp) answers(path string) []seenAnswer {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.seen[path])
}

// whoami writes who is signed in, and in which organization: "user organization".
func whoami(w http.ResponseWriter, r *http.Request) {
	s, _ := clerkauth.FromContext(r.Context())
	w.Write([]byte(strings.TrimSpace(s.UserID + " " + s.Organization.ID)))
}

// readableFromElsewhere lets the app's pages call the API at its other origin with a bearer token.
func (a *realApp) readableFromElsewhere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", strings.Replace(a.api, "127.0.0.1", "localhost", 1))
		w.Header().Set("Access-Control-Allow-Headers", "Authorization")
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// realSite is an app with Clerk's scripts, and its instance.
type realSite struct {
	*site
	app      *realApp
	frontend *frontendHost
	opts     clerktest.Options // of the instance, to start it again
}

// realDevelopment is a site on localhost without TLS and DNS. The app has no secret key, so that
// the keys and handshakes of another instance at the same address are accepted, too.
func realDevelopment(t *testing.T, opts clerktest.Options) *realSite {
	t.Helper()
	return realDevelopmentAt(t, "localhost", opts)
}

func realDevelopmentAt(t *testing.T, host string, opts clerktest.Options) *realSite {
	t.Helper()
	s := &realSite{frontend: &frontendHost{modules: modules(t)}}
	server := httptest.NewUnstartedServer(nil)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	home := "http://" + host + ":" + port
	opts.Development, opts.Origins = true, []string{home}
	s.opts = opts
	s.site = loopback(t, nil)
	s.home = home
	s.restart(t)
	frontend := httptest.NewServer(s.frontend)
	t.Cleanup(frontend.Close)
	s.app = &realApp{key: s.clerk.PublishableKey(), proxy: frontend.URL, api: "http://127.0.0.1:" + port}
	cfg := s.clerk.Config()
	cfg.SecretKey, cfg.BackendAPIURL, cfg.FrontendAPIURL = "", "", frontend.URL
	cfg.SignInURL, cfg.ClockSkew = frontend.URL+"/sign-in", -1
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = s.app.handler(t, auth, s.frontend)
	server.Start()
	t.Cleanup(server.Close)
	return s
}

// restart replaces the instance by a new one, which has no sessions and other keys.
func (s *realSite) restart(t *testing.T) {
	t.Helper()
	clerk, err := clerktest.Start(s.opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(clerk.Close)
	if old := s.frontend.instance.Swap(clerk); old != nil {
		old.Close()
	}
	s.clerk = clerk
}

// realProduction is a site with https and names, where the scripts find everything by the
// publishable key.
func realProduction(t *testing.T, opts clerktest.Options) *realSite {
	t.Helper()
	s := &realSite{frontend: &frontendHost{modules: modules(t)}}
	opts.Domain, opts.Origins = domain, []string{appOrigin}
	clerk := clerktest.New(t, opts)
	s.frontend.instance.Store(clerk)
	s.app = &realApp{key: clerk.PublishableKey(), api: appOrigin}
	cfg := clerk.Config()
	cfg.SignInURL, cfg.ClockSkew = clerk.URL(clerktest.SignInPage), -1
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.site = loopback(t, map[string]http.Handler{appOrigin: s.app.handler(t, auth, s.frontend), clerk.Issuer(): s.frontend})
	s.clerk, s.home = clerk, appOrigin
	return s
}
