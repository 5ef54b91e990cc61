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

// site is an app, its instance, a sibling subdomain and their common clock.
type site struct {
	clerk    *clerktest.Instance
	app      *app
	home     string // the app's origin
	evil     string // the sibling subdomain's origin
	time     *clock
	internet *internet // nil: this machine's own network
}

// clock is the real clock, set ahead: tests need not wait for an hour.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time            { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration)   { c.ahead.Add(int64(d)) }
func (s *site) expire()                    { s.time.advance(lifetime + leeway + time.Second) }
func (s *site) signedIn(path string) place { return place{URL: s.home + path, Who: alice} }
func (s *site) nobody(path string) place   { return place{URL: s.home + path, Who: "nobody"} }

const (
	lifetime = time.Minute     // of tokens, unless a test sets another
	leeway   = 5 * time.Second // the library's leeway for their dates
)

// setting is either production or development. change may be nil.
type setting func(t *testing.T, opts clerktest.Options, change func(*clerkauth.Config)) *site

// production is a site with https everywhere.
func production(t *testing.T, opts clerktest.Options, change func(*clerkauth.Config)) *site {
	t.Helper()
	return productionIn(t, newInternet(t), domain, opts, change)
}

// productionIn is a production site below a domain.
func productionIn(t *testing.T, in *internet, domain string, opts clerktest.Options, change func(*clerkauth.Config)) *site {
	t.Helper()
	s := &site{home: "https://app." + domain, evil: "https://evil." + domain, time: new(clock), internet: in}
	opts.Domain, opts.Origins, opts.Now = domain, []string{s.home}, s.time.now
	s.clerk = clerktest.New(t, opts)
	s.app = newApp(s.clerk)
	frontend, err := url.Parse(s.clerk.Issuer())
	if err != nil {
		t.Fatal(err)
	}
	in.serve(t, s.home, s.app.handler(s.authenticator(t, change)))
	in.serve(t, frontend.String(), &httputil.ReverseProxy{
		Transport: s.clerk.Config().HTTPClient.Transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(frontend)
			r.Out.Host = frontend.Host
		},
	})
	in.serve(t, s.evil, http.HandlerFunc(evil))
	return s
}

// development is a site on localhost without https, where handshakes return their result in the
// address.
func development(t *testing.T, opts clerktest.Options, change func(*clerkauth.Config)) *site {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{home: "http://localhost:" + port, time: new(clock)}
	opts.Development, opts.Origins, opts.Now = true, []string{s.home}, s.time.now
	if s.clerk, err = clerktest.Start(opts); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.clerk.Close)
	s.app = newApp(s.clerk)
	server.Config.Handler = s.app.handler(s.authenticator(t, change))
	server.Start()
	t.Cleanup(server.Close)
	return s
}

func newApp(clerk *clerktest.Instance) *app {
	return &app{signIn: clerk.URL(clerktest.SignInPage), headers: map[string]http.Header{}}
}

func (s *site) authenticator(t *testing.T, change func(*clerkauth.Config)) *clerkauth.Authenticator {
	t.Helper()
	cfg := s.clerk.Config()
	cfg.SignInURL = s.app.signIn
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
