package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// These are the host names of production, all below one domain: cookies of that domain are shared
// by all three.
const (
	domain     = "example.test"
	appOrigin  = "https://app." + domain
	evilOrigin = "https://evil." + domain
)

// alice is the first person on the sign-in page.
const alice = "user_2alice"

// world is an app, its instance, a sibling subdomain and their common clock.
type world struct {
	clerk    *clerktest.Instance
	app      *app
	home     string // the app's origin
	evil     string // the sibling subdomain's origin
	time     *clock
	internet *internet // nil: this machine's own network
}

// clock is the real clock, set ahead: tests need not wait for an hour.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time             { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration)    { c.ahead.Add(int64(d)) }
func (w *world) expire()                    { w.time.advance(lifetime + leeway + time.Second) }
func (w *world) signedIn(path string) place { return place{URL: w.home + path, Who: alice} }
func (w *world) nobody(path string) place   { return place{URL: w.home + path, Who: "nobody"} }

const (
	lifetime = time.Minute     // of tokens, unless a test sets another
	leeway   = 5 * time.Second // the library's leeway for their dates
)

// setting is either production or development. change may be nil.
type setting func(t *testing.T, opts clerktest.Options, change func(*clerkauth.Config)) *world

// production is a world with https everywhere.
func production(t *testing.T, opts clerktest.Options, change func(*clerkauth.Config)) *world {
	t.Helper()
	return productionIn(t, newInternet(t), domain, opts, change)
}

// productionIn is a world of production below a domain.
func productionIn(t *testing.T, in *internet, domain string, opts clerktest.Options, change func(*clerkauth.Config)) *world {
	t.Helper()
	w := &world{home: "https://app." + domain, evil: "https://evil." + domain, time: new(clock), internet: in}
	opts.Domain, opts.Origins, opts.Now = domain, []string{w.home}, w.time.now
	w.clerk = clerktest.New(t, opts)
	w.app = newApp(w.clerk)
	frontend, err := url.Parse(w.clerk.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	in.serve(t, w.home, w.app.handler(w.authenticator(t, change)))
	in.serve(t, frontend.String(), &httputil.ReverseProxy{
		Transport: w.clerk.Config().HTTPClient.Transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(frontend)
			r.Out.Host = frontend.Host
		},
	})
	in.serve(t, w.evil, http.HandlerFunc(evil))
	return w
}

// development is a world on localhost without https, where handshakes return their result in the
// address.
func development(t *testing.T, opts clerktest.Options, change func(*clerkauth.Config)) *world {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{home: "http://localhost:" + port, time: new(clock)}
	opts.Development, opts.Origins, opts.Now = true, []string{w.home}, w.time.now
	if w.clerk, err = clerktest.Start(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.clerk.Close)
	w.app = newApp(w.clerk)
	server.Config.Handler = w.app.handler(w.authenticator(t, change))
	server.Start()
	t.Cleanup(server.Close)
	return w
}

func newApp(clerk *clerktest.Instance) *app {
	return &app{signIn: clerk.URL(clerktest.SignInPage), headers: map[string]http.Header{}}
}

func (w *world) authenticator(t *testing.T, change func(*clerkauth.Config)) *clerkauth.Authenticator {
	t.Helper()
	cfg := w.clerk.Config()
	cfg.SignInURL = w.app.signIn
	if change != nil {
		change(&cfg)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return auth
}

// evil is a sibling subdomain of the app. Tests run scripts on it.
func evil(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Referrer-Policy", r.FormValue("policy"))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, `<!doctype html><title>evil</title><link rel="icon" href="data:,"><h1 id="who">evil</h1>`)
}
