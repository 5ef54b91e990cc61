package e2e_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const (
	appHost      = "app.example.test"
	siblingHost  = "evil.example.test"
	sibling      = "https://" + siblingHost
	frontendHost = "able-owl-7.clerk.accounts.dev" // in development

	alice = "user_2alice"
	bob   = "user_2bob"
)

// A setting is what a journey is about.
type setting struct {
	development    bool // on this machine, without TLS; false: in production, with TLS and a sibling host
	withoutRefresh bool // only browser rounds renew a token
	change         func(*clerkauth.Config)
}

// A world is an app, its Clerk instance, the network between them and a browser, and the time in all of it.
type world struct {
	t     *testing.T
	clerk *clerktest.Instance
	net   *loopback
	app   string // its origin
	ahead atomic.Int64

	mu     sync.Mutex // guards visits
	visits []visit
}

// build makes a world. Its browsers are started with open.
func build(t *testing.T, s setting) *world {
	t.Helper()
	w := &world{t: t, net: serve(t), app: "https://" + appHost}
	options := clerktest.Options{Domain: "example.test", WithoutRefresh: s.withoutRefresh, Now: w.now}
	site := httptest.NewUnstartedServer(nil)
	if s.development {
		w.app = fmt.Sprintf("http://app.localhost:%d", port(site))
		options.Development, options.Domain = true, frontendHost
	}
	options.Origins = []string{w.app}
	w.clerk = clerktest.New(t, options)
	cfg := w.clerk.Config()
	cfg.SignInURL = w.clerk.URL(clerktest.SignInPage)
	if s.change != nil {
		s.change(&cfg)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	handler := w.watch(appSite(auth))
	site.Config.Handler = handler
	site.Start()
	t.Cleanup(site.Close)
	w.net.hosts[appHost] = handler
	w.net.hosts[siblingHost] = siblingSite(w.app)
	frontend := w.clerk.Issuer()[len("https://"):]
	w.net.hosts[frontend] = forward(frontend, w.clerk.Config().HTTPClient.Transport)
	return w
}

// now is the time, for the instance and the app. The browser's own cookies age by its own clock, which is not turned.
func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// expire lets so much time pass that every token that is out has expired, the leeway for clocks included.
func (w *world) expire() { w.ahead.Add(int64(66 * time.Second)) }

// A visit is a request that the app was sent, and its answer.
type visit struct {
	method, path string
	status       int
	reason       string // X-Clerk-Auth-Reason
}

func (v visit) String() string {
	return fmt.Sprintf("%s %s: %d %s", v.method, v.path, v.status, v.reason)
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets a WebSocket take the connection over.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// watch remembers what the app is asked and answers.
func (w *world) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		watched := &statusWriter{ResponseWriter: rw}
		next.ServeHTTP(watched, r)
		v := visit{r.Method, r.URL.Path, cmp.Or(watched.status, http.StatusOK), rw.Header().Get("X-Clerk-Auth-Reason")}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.visits = append(w.visits, v)
	})
}

// answered checks that the app's last answer for a path is the one wanted.
func (w *world) answered(want visit) {
	w.t.Helper()
	var last visit
	for _, v := range w.seen() {
		if v.path == want.path {
			last = v
		}
	}
	if last != want {
		w.t.Errorf("the app answered %q, want %q", last, want)
	}
}

// seen is everything that the app was asked since the last forget.
func (w *world) seen() []visit {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.visits)
}

// forget begins to count visits, rounds and refreshes anew.
func (w *world) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.visits = nil
	w.clerk.ResetRequests()
}

// asked is how often the instance was asked for something since the last forget.
func (w *world) asked(e clerktest.Endpoint) int {
	n := 0
	for _, r := range w.clerk.Requests() {
		if r.Endpoint == e {
			n++
		}
	}
	return n
}

// renewed checks by what tokens were renewed since the last forget.
func (w *world) renewed(when string, rounds, refreshes int) {
	w.t.Helper()
	if r, f := w.asked(clerktest.FrontendHandshake), w.asked(clerktest.BackendRefresh); r != rounds || f != refreshes {
		w.t.Errorf("%s: %d browser rounds and %d refreshes, want %d and %d", when, r, f, rounds, refreshes)
	}
}
