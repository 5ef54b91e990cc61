package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// app is the web app: a page for everybody, two routes for signed-in people, and one for API keys.
type app struct {
	auth            *clerkauth.Authenticator
	secret          bool     // there is a secret key, with which API keys are verified
	parties         []string // the allowlist
	signIn          string   // the sign-in page of an external instance; empty: unknown
	trials          []trial
	clerk           *clerktest.Instance // nil: an external instance
	clock           clock
	base            string   // the app's URL for this process and its user
	origins         []string // all of its origins
	subdomainOrigin string   // the origin of a sibling subdomain, which it does not trust
	client          *http.Client
	waves           atomic.Int64
	modules         fs.FS // npm modules with Clerk's scripts; nil: none
}

var errNoPublishableKey = errors.New("CLERK_SECRET_KEY or CLERK_JWT_KEY is set and CLERK_PUBLISHABLE_KEY is not: set it too, or none of them for the built-in instance")

// newApp makes the app for the address addr: with the instance in the environment, or else with one of its own.
func newApp(addr net.Addr) (*app, error) {
	a := &app{client: &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	if err := a.locate(addr); err != nil {
		return nil, err
	}
	cfg, err := clerkauth.ConfigFromEnv()
	if err != nil {
		return nil, err
	}
	if cfg.PublishableKey == "" && (cfg.SecretKey != "" || cfg.JWTKey != "") {
		return nil, errNoPublishableKey
	}
	if cfg.PublishableKey == "" {
		clerk, err := clerktest.Start(clerktest.Options{
			Development: true, Origins: a.origins, People: people, TokenLifetime: lifetime, Now: a.clock.now,
		})
		if err != nil {
			return nil, err
		}
		a.clerk, cfg = clerk, clerk.Config()
		cfg.SignInURL = clerk.URL(clerktest.SignInPage)
	} else {
		cfg.AuthorizedParties = append(cfg.AuthorizedParties, a.origins...)
	}
	a.parties, a.signIn, a.secret = cfg.AuthorizedParties, cfg.SignInURL, cfg.SecretKey != ""
	a.trials = trials(strings.HasPrefix(cfg.PublishableKey, "pk_test_"))
	auth, err := clerkauth.New(cfg)
	if err != nil {
		a.close()
		return nil, err
	}
	a.auth = auth
	return a, nil
}

// locate determines the app's origins. A listener on every address is reached at this machine's own.
func (a *app) locate(addr net.Addr) error {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	a.base = origin(host, port)
	for _, host := range []string{host, "127.0.0.1", "localhost"} {
		if o := origin(host, port); !slices.Contains(a.origins, o) {
			a.origins = append(a.origins, o)
		}
	}
	a.subdomainOrigin = origin("blog.localhost", port)
	return nil
}

// origin is the origin of an address: without the default port of http.
func origin(host, port string) string {
	return strings.TrimSuffix("http://"+net.JoinHostPort(host, port), ":80")
}

func (a *app) close() {
	if a.clerk != nil {
		a.clerk.Close()
	}
}

func (a *app) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", a.auth.Optional(http.HandlerFunc(a.page)))
	mux.Handle("GET /me", a.auth.Require(http.HandlerFunc(me)))
	mux.Handle("POST /waves", a.auth.Require(http.HandlerFunc(a.wave)))
	if a.secret {
		mux.Handle("GET /machine", a.auth.Accept(clerkauth.APIKeys("lab:read"))(http.HandlerFunc(machine)))
	}
	mux.Handle("GET /assets/", http.FileServerFS(assets))
	if a.modules != nil {
		mux.Handle("GET /clerk-js", a.auth.Optional(http.HandlerFunc(a.byScript)))
		mux.HandleFunc("GET /npm/", a.script)
	}

	mux.HandleFunc("GET /lab/{trial}/token", a.token)
	// The lab needs no session, so other sites must be prevented from using it.
	own := http.NewCrossOriginProtection()
	mux.Handle("POST /lab/{trial}", own.Handler(a.auth.Optional(http.HandlerFunc(a.lab))))
	return mux
}

// identity is the response of GET /me.
type identity struct {
	User        string    `json:"user"`
	Session     string    `json:"session"`
	Org         string    `json:"organization,omitempty"`
	Role        string    `json:"role,omitempty"`
	Permissions []string  `json:"permissions,omitempty"`
	Party       string    `json:"authorized_party"`
	Expires     time.Time `json:"expires"`
}

// me is behind Require: there is a session.
func me(w http.ResponseWriter, r *http.Request) {
	s, _ := clerkauth.FromContext(r.Context())
	writeJSON(w, http.StatusOK, identity{
		User: s.UserID, Session: s.ID, Org: s.Organization.Slug, Role: s.Organization.Role,
		Permissions: s.Permissions(), Party: s.AuthorizedParty, Expires: s.ExpiresAt.UTC(),
	})
}

// machine is behind Accept: there is a machine.
func machine(w http.ResponseWriter, r *http.Request) {
	m, _ := clerkauth.MachineFromContext(r.Context())
	writeJSON(w, http.StatusOK, map[string]any{"key": m.Name, "of": m.Subject, "scopes": m.Scopes})
}

// wave changes something small: other sites must not do this in your name.
func (a *app) wave(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]int64{"waves": a.waves.Add(1)})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "cannot be shown", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s\n", body)
}
