package clerktest

import (
	"context"
	"crypto/tls"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Endpoint names one endpoint of the instance.
type Endpoint string

// The endpoints.
const (
	FrontendJWKS      Endpoint = "frontend-jwks"      // the Frontend API's /.well-known/jwks.json, open to everybody
	FrontendHandshake Endpoint = "frontend-handshake" // the Frontend API's /v1/client/handshake, for browsers
	SignInPage        Endpoint = "sign-in-page"       // a sign-in page, at Clerk the account portal's; its URL can be Config.SignInURL
	SignOutPage       Endpoint = "sign-out-page"      // the account portal's /sign-out

	// Of the Backend API, with the secret key.
	BackendJWKS      Endpoint = "backend-jwks"      // /v1/jwks
	BackendHandshake Endpoint = "backend-handshake" // /v1/clients/handshake_payload: exchanges a nonce
	BackendRefresh   Endpoint = "backend-refresh"   // /v1/sessions/{id}/refresh

	// Of the Backend API, for credentials of machines.
	BackendVerifyAPIKey Endpoint = "backend-verify-api-key" // /api_keys/verify
	BackendVerifyM2M    Endpoint = "backend-verify-m2m"     // /m2m_tokens/verify, for the machine's secret key too
	BackendVerifyOAuth  Endpoint = "backend-verify-oauth"   // /oauth_applications/access_tokens/verify
	BackendAPIKeys      Endpoint = "backend-api-keys"       // /api_keys: creates one

	// Of the Frontend API, for Clerk's scripts in pages at the Origins.
	FrontendDevBrowser    Endpoint = "frontend-dev-browser"    // /v1/dev_browser: a token that identifies the browser, in development
	FrontendEnvironment   Endpoint = "frontend-environment"    // /v1/environment: the settings of the instance
	FrontendClient        Endpoint = "frontend-client"         // /v1/client: the browser; deleting it signs out
	FrontendSession       Endpoint = "frontend-session"        // /v1/client/sessions/{id}: touch, end, remove and verify
	FrontendSessionTokens Endpoint = "frontend-session-tokens" // /v1/client/sessions/{id}/tokens
	FrontendSignIns       Endpoint = "frontend-sign-ins"       // /v1/client/sign_ins: by ticket or by e-mail code
	FrontendMe            Endpoint = "frontend-me"             // /v1/me: the user and their organizations
	FrontendSync          Endpoint = "frontend-sync"           // /v1/client/sync: tells a satellite about the browser of the primary domain

	// Of the Backend API, for tests that prepare and inspect an instance.
	BackendUsers         Endpoint = "backend-users"          // /v1/users
	BackendSessions      Endpoint = "backend-sessions"       // /v1/sessions
	BackendOrganizations Endpoint = "backend-organizations"  // /v1/organizations and their memberships
	BackendSignInTokens  Endpoint = "backend-sign-in-tokens" // /v1/sign_in_tokens: tickets
	BackendTestingTokens Endpoint = "backend-testing-tokens" // /v1/testing_tokens
)

// api is one of the two APIs of an instance.
type api struct {
	url string
	*routes
}

// routes are the endpoints of an API. All instances share them.
type routes struct {
	mux       *http.ServeMux
	endpoints map[string]Endpoint // by pattern
	paths     map[Endpoint]string // the first path of each endpoint
}

// handler answers a request to an instance.
type handler func(in *Instance, w http.ResponseWriter, r *http.Request)

func newRoutes() *routes {
	return &routes{mux: http.NewServeMux(), endpoints: map[string]Endpoint{}, paths: map[Endpoint]string{}}
}

func (a *routes) handle(name Endpoint, method, path string, h handler) {
	pattern := method + " " + path
	a.endpoints[pattern] = name
	if _, known := a.paths[name]; !known {
		a.paths[name] = path
	}
	a.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		h(r.Context().Value(instanceKey{}).(*Instance), w, r) // serve has put it there
	})
}

type instanceKey struct{}

// serve answers one request: it is recorded, then passed to the endpoint's fault, if any, and to the endpoint.
func (in *Instance) serve(a *api, w http.ResponseWriter, r *http.Request) {
	routed := withMethod(r.WithContext(r.Context()))
	h, pattern := a.mux.Handler(routed)
	name := a.endpoints[pattern]
	in.requests.add(newRequest(name, r, in.secretKey))
	routed.Body = r.Body // which the log has read and restored
	if pattern == "" {
		h = unknown(h)
	} else {
		h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { // a fault may have changed r
			a.mux.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), instanceKey{}, in)))
		})
	}
	if fault := in.faults.of(name); fault != nil {
		h = fault(h)
	}
	if a == in.frontend && name != FrontendHandshake && name != FrontendSync {
		h = in.forScripts(h)
	}
	h.ServeHTTP(w, routed)
}

func (in *Instance) handler(a *api) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", in.now().UTC().Format(http.TimeFormat)) // so that there is only one clock
		in.serve(a, w, r)
	})
}

// withMethod gives r the method that Clerk's scripts mean: they send only GET and POST, for which browsers need no
// preflight, and name any other method in the query.
func withMethod(r *http.Request) *http.Request {
	switch meant := r.URL.Query().Get("_method"); meant {
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		if r.Method == http.MethodPost {
			r.Method = meant
		}
	}
	return r
}

// unknown answers requests without an endpoint with an error in Clerk's form, so that a script's user can read it.
func unknown(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refusal := httptest.NewRecorder()
		h.ServeHTTP(refusal, r)
		maps.Copy(w.Header(), refusal.Header())
		w.Header().Del("Content-Length")
		refuse(w, refusal.Code, "resource_not_found", "clerktest has no endpoint "+r.Method+" "+r.URL.Path)
	})
}

// URL is the address of an endpoint: on the listener after Start, otherwise Clerk's own. URLs of a session have "{id}" in
// place of its ID.
func (in *Instance) URL(name Endpoint) string {
	for _, a := range []*api{in.frontend, in.backend} {
		if path, ok := a.paths[name]; ok {
			return a.url + path
		}
	}
	panic("clerktest: no endpoint " + string(name))
}

// inProcess is the network of an instance made by New: two hosts and nothing else.
type inProcess struct{ in *Instance }

var errConnection = errors.New("clerktest: connection reset")

// RoundTrip answers in the caller's goroutine.
func (m inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(m.in.open, cancel)()
	return serveInMemory(ctx, r, func(w http.ResponseWriter, served *http.Request) error {
		return m.answer(r.URL, w, served)
	})
}

// serveInMemory calls answer with the request as a server would receive it.
func serveInMemory(ctx context.Context, r *http.Request, answer func(http.ResponseWriter, *http.Request) error) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	served := r.Clone(ctx)
	served.RequestURI, served.RemoteAddr = r.URL.RequestURI(), "192.0.2.1:1234"
	served.URL.Scheme, served.URL.Host = "", ""
	if served.Host == "" {
		served.Host = r.URL.Host
	}
	if served.Body == nil {
		served.Body = http.NoBody
	}
	if r.URL.Scheme == "https" {
		served.TLS = &tls.ConnectionState{}
	}
	w := httptest.NewRecorder()
	err := unlessAborted(w, served, answer)
	if gone := context.Cause(r.Context()); gone != nil {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// unlessAborted turns the panic with which a handler breaks its connection into an error.
func unlessAborted(w http.ResponseWriter, r *http.Request, answer func(http.ResponseWriter, *http.Request) error) (err error) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler:
			err = errConnection
		default:
			panic(p)
		}
	}()
	return answer(w, r)
}

func (m inProcess) answer(to *url.URL, w http.ResponseWriter, r *http.Request) error {
	if r.Context().Err() != nil || m.in.open.Err() != nil {
		return errConnection
	}
	switch origin := originOf(to); {
	case origin == m.in.frontend.url, origin == "https://"+sharedFrontend, slices.Contains(m.in.satellites, strings.TrimPrefix(origin, "https://clerk.")):
		m.in.serve(m.in.frontend, w, r)
	case origin == m.in.backend.url:
		m.in.serve(m.in.backend, w, r)
	default:
		m.in.requests.add(newRequest("", r, m.in.secretKey))
		return &net.DNSError{Err: "no such host", Name: to.Hostname(), IsNotFound: true}
	}
	return nil
}

// listen opens the two servers.
func (in *Instance) listen() error {
	for _, a := range []*api{in.frontend, in.backend} {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		server := &httptest.Server{
			Listener: l,
			Config: &http.Server{
				ReadHeaderTimeout: 10 * time.Second,
				Handler:           in.handler(a),
			},
		}
		// A client retries silently when a kept connection breaks: Down would then be recorded twice.
		server.Config.SetKeepAlivesEnabled(false)
		server.Start()
		a.url = server.URL
		in.servers = append(in.servers, server)
	}
	return nil
}
