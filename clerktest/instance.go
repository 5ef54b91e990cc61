// Package clerktest is a Clerk instance in a process, for tests and demonstrations, as net/http/httptest is a server.
//
// It publishes keys, mints session tokens (honest ones and all others), answers a backend's requests to Clerk, simulates
// outages and records the requests. It needs no account and no network:
//
//	clerk := clerktest.New(t, clerktest.Options{})
//	auth, err := clerkauth.New(clerk.Config())
//	…
//	r := httptest.NewRequest("GET", "/", nil)
//	r.Header.Set("Authorization", "Bearer "+clerk.Token(clerktest.Claims{}))
//
// For browsers it has sessions (SignIn), a sign-in page, handshakes and refreshes; Browser is a browser without a window.
// Clerk's own scripts and SDKs work with it too: see docs/real-clerk.md for how, and for the versions.
//
// The keys are generated anew in every process and protect nothing.
package clerktest

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/internal/offline"
)

// Options describe the instance. The zero Options is a production instance of example.com, the host of httptest.NewRequest.
type Options struct {
	// Development makes it a development instance, with keys pk_test_… and sk_test_…; false: production, with pk_live_… and
	// sk_live_….
	Development bool

	// Domain is the root domain in production, whose Frontend API is at clerk.<Domain>; empty: "example.com".
	// In development it is the host of the Frontend API; empty: "able-owl-7.clerk.accounts.dev".
	Domain string

	// Satellites are the root domains of a production instance besides Domain, each with its own Frontend API at
	// clerk.<satellite>. People sign in at Domain. Nil: none. See
	// https://clerk.com/docs/guides/dashboard/dns-domains/satellite-domains.
	Satellites []string

	// Origins are the app's. They are the allowlist of Config, and the first is the default authorized party of tokens.
	// Nil: https://<Domain> in production; http://localhost:3000 and http://example.com in development.
	Origins []string

	// ProxyURLs are the addresses at which the app proxies the Frontend API, as set in Clerk's Dashboard, at most one for
	// each domain: "https://example.com/__clerk". Config has the first as ProxyURL. It is the issuer of the tokens of its
	// domain, and requests that name another proxy are refused. Nil: there are none, and any proxy is accepted. See
	// https://clerk.com/docs/guides/dashboard/dns-domains/proxy-fapi.
	ProxyURLs []string

	// TokenLifetime is the default lifetime of tokens; 0: 60 s. The times in tokens are whole seconds.
	TokenLifetime time.Duration

	// People are those whom the sign-in page offers; nil: three, of whom the first is the admin of an organization.
	People []Person

	// WithoutRefresh makes handshakes set no refresh cookie: only handshakes then keep browsers signed in.
	WithoutRefresh bool

	// Now is the clock for tokens, and Config.Now; nil: time.Now.
	Now func() time.Time
}

// TB is the part of testing.TB that New uses, so that programs that call Start do not link package testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Instance is a Clerk instance. Its methods are safe for concurrent use. They panic on arguments that make no sense, as
// httptest.NewRequest does.
type Instance struct {
	publishableKey string
	secretKey      string
	machineKey     string
	domain         string // host of the Frontend API
	satellites     []string
	origins        []string
	proxies        []string // without a slash at the end
	people         *directory
	lifetime       time.Duration
	withoutRefresh bool
	now            func() time.Time
	since          time.Time // when its objects were created

	keys     keyRing
	browsers browsers
	machines machines
	faults   faults
	requests requestLog

	frontend, backend *api
	client            *http.Client // nil: the network
	servers           []*httptest.Server
	open              context.Context // until Close
	close             func()
}

const backendHost = "api.clerk.com"

// New returns an instance in memory, which is reached with the HTTPClient of its Config and answers in the caller's
// goroutine. It works in a testing/synctest bubble. It is closed when the test ends.
func New(tb TB, opts Options) *Instance {
	tb.Helper()
	host, hosted := tb.(offline.Host)
	var state offline.State
	if hosted {
		state = host.State()
	}
	in, err := newInstance(opts, state)
	if err != nil {
		tb.Fatalf("clerktest: %v", err)
		return nil
	}
	tb.Cleanup(in.Close)
	if hosted {
		in.frontend.url, in.backend.url = host.Serve(in.handler(in.frontend), in.handler(in.backend))
		host.Keep(in.state)
		return in
	}
	in.client = &http.Client{Transport: inProcess{in}}
	in.frontend.url = "https://" + in.domain
	in.backend.url = "https://" + backendHost
	return in
}

// Start returns an instance that listens on two free ports of 127.0.0.1, one for the Frontend API and one for the
// Backend API. The caller must Close it.
// Real browsers need a Development instance, or a TLS server in front with the Frontend API's name: a production instance
// sets cookies for its domain, which a listener on this machine does not have.
func Start(opts Options) (*Instance, error) {
	in, err := newInstance(opts, offline.State{})
	if err != nil {
		return nil, fmt.Errorf("clerktest: %w", err)
	}
	if err := in.listen(); err != nil {
		in.Close()
		return nil, fmt.Errorf("clerktest: %w", err)
	}
	return in, nil
}

func newInstance(opts Options, state offline.State) (*Instance, error) {
	opts, err := opts.filled()
	if err != nil {
		return nil, err
	}
	kind, domain := "test_", opts.Domain
	if !opts.Development {
		kind, domain = "live_", "clerk."+domain
	}
	in := &Instance{
		publishableKey: "pk_" + kind + base64.StdEncoding.EncodeToString([]byte(domain+"$")),
		secretKey:      "sk_" + kind + rand.Text(),
		machineKey:     "ak_" + rand.Text(),
		domain:         domain,
		satellites:     opts.Satellites,
		origins:        opts.Origins,
		proxies:        opts.ProxyURLs,
		people:         newDirectory(opts.People),
		lifetime:       opts.TokenLifetime,
		withoutRefresh: opts.WithoutRefresh,
		now:            opts.Now,
		since:          opts.Now(),
		frontend:       &api{routes: frontendRoutes()},
		backend:        &api{routes: backendRoutes()},
	}
	open, cancel := context.WithCancel(context.Background())
	in.open, in.close = open, sync.OnceFunc(func() { in.shut(cancel) })
	if err := in.restore(state); err != nil {
		return nil, err
	}
	if in.keys.current.private != nil {
		return in, nil
	}
	return in, in.keys.rotate()
}

// filled is opts with its defaults in place of zero fields.
func (opts Options) filled() (Options, error) {
	bare := func(host string) bool { return !strings.ContainsAny(host, "/:?#@$ ") }
	switch {
	case !bare(opts.Domain):
		return opts, fmt.Errorf("Options.Domain %q is not a bare host name", opts.Domain)
	case opts.Development && len(opts.Satellites) > 0:
		return opts, errors.New("Options.Satellites: a development instance has none; put its satellites in Origins")
	case slices.ContainsFunc(opts.Satellites, func(s string) bool { return s == "" || !bare(s) }):
		return opts, fmt.Errorf("Options.Satellites %q are not all bare host names", opts.Satellites)
	case slices.ContainsFunc(opts.Origins, func(o string) bool { return strings.HasSuffix(o, "/") }):
		return opts, fmt.Errorf("Options.Origins %q: an origin has no slash at its end, and no token would have such an azp", opts.Origins)
	case slices.ContainsFunc(opts.ProxyURLs, func(p string) bool { return !proxyURL(p) }):
		return opts, fmt.Errorf("Options.ProxyURLs %q are not all absolute URLs with a path", opts.ProxyURLs)
	case opts.Domain != "":
	case opts.Development:
		opts.Domain = "able-owl-7.clerk.accounts.dev"
	default:
		opts.Domain = "example.com"
	}
	switch {
	case opts.Origins != nil:
	case opts.Development:
		opts.Origins = []string{"http://localhost:3000", "http://example.com"}
	default:
		opts.Origins = []string{"https://" + opts.Domain}
	}
	opts.Origins, opts.Satellites, opts.ProxyURLs = slices.Clone(opts.Origins), slices.Clone(opts.Satellites), slices.Clone(opts.ProxyURLs)
	for i, p := range opts.ProxyURLs {
		opts.ProxyURLs[i] = strings.TrimRight(p, "/")
	}
	if opts.TokenLifetime == 0 {
		opts.TokenLifetime = time.Minute
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return opts, nil
}

func proxyURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && strings.TrimRight(u.Path, "/") != "" && u.RawQuery == "" && u.Fragment == ""
}

// Close makes every endpoint unreachable and ends the requests that have begun. After Start, it waits until they have
// ended.
func (in *Instance) Close() { in.close() }

func (in *Instance) shut(cancel context.CancelFunc) {
	cancel()
	for _, s := range in.servers {
		s.CloseClientConnections() // otherwise Close would wait for clients that wait for Hang
		s.Close()
	}
	in.keys.release()
}

// Config returns a Config for clerkauth.New: this instance, its origins as AuthorizedParties, its clock and its HTTP
// client. Change the fields that your test is about. SignInURL is empty, so that a refusal is visible; URL(SignInPage) is
// one to set.
func (in *Instance) Config() clerkauth.Config {
	cfg := clerkauth.Config{
		PublishableKey:    in.publishableKey,
		SecretKey:         in.secretKey,
		AuthorizedParties: slices.Clone(in.origins),
		MachineID:         MachineID,
		HTTPClient:        in.client,
		Now:               in.now,
	}
	if len(in.proxies) > 0 {
		cfg.ProxyURL = in.proxies[0]
	}
	if in.client == nil {
		cfg.FrontendAPIURL, cfg.BackendAPIURL = in.frontend.url, in.backend.url
	}
	return cfg
}

// PublishableKey is the instance's pk_live_… or pk_test_… key.
func (in *Instance) PublishableKey() string { return in.publishableKey }

// SecretKey is the instance's sk_… key, for its Backend API.
func (in *Instance) SecretKey() string { return in.secretKey }

// live reports whether it is a production instance.
func (in *Instance) live() bool { return strings.HasPrefix(in.publishableKey, "pk_live_") }

// Issuer is the claim iss of its tokens: the URL of the Frontend API, which does not change with Start, or of the primary
// domain's proxy.
func (in *Instance) Issuer() string { return in.siteAt(in.domain).issuer() }
