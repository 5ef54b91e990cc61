package clerktest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"
)

// Endpoint names one thing that Clerk is asked.
type Endpoint string

// The endpoints.
const (
	FrontendJWKS      Endpoint = "frontend-jwks"      // the Frontend API's /.well-known/jwks.json, open to everybody
	FrontendHandshake Endpoint = "frontend-handshake" // the Frontend API's /v1/client/handshake, for browsers
	SignInPage        Endpoint = "sign-in-page"       // the account portal's /sign-in: its URL suits Config.SignInURL
	SignOutPage       Endpoint = "sign-out-page"      // the account portal's /sign-out

	// Of the Backend API, for the secret key only.
	BackendJWKS      Endpoint = "backend-jwks"      // /v1/jwks
	BackendHandshake Endpoint = "backend-handshake" // /v1/clients/handshake_payload, what a nonce stands for
	BackendRefresh   Endpoint = "backend-refresh"   // /v1/sessions/{id}/refresh
)

// api is one of the two hosts of an instance.
type api struct {
	url       string
	mux       *http.ServeMux
	endpoints map[string]endpoint // by pattern
}

type endpoint struct {
	name Endpoint
	path string
}

func newAPI() *api {
	return &api{mux: http.NewServeMux(), endpoints: map[string]endpoint{}}
}

func (a *api) handle(name Endpoint, method, path string, h http.HandlerFunc) {
	pattern := method + " " + path
	a.endpoints[pattern] = endpoint{name: name, path: path}
	a.mux.Handle(pattern, h)
}

// serve answers one request: it is seen first, then the endpoint's fault has it, then the endpoint.
func (in *Instance) serve(a *api, w http.ResponseWriter, r *http.Request) {
	_, pattern := a.mux.Handler(r)
	name, h := a.endpoints[pattern].name, http.Handler(a.mux)
	in.requests.add(newRequest(name, r, in.secretKey))
	if fault := in.faults.of(name); fault != nil {
		h = fault(h)
	}
	h.ServeHTTP(w, r)
}

// URL is where an endpoint is reached: on the listener after Start, else at the address that Clerk has. That of
// BackendRefresh has "{id}" where the ID of the session belongs.
func (in *Instance) URL(name Endpoint) string {
	for _, a := range []*api{in.frontend, in.backend} {
		for _, e := range a.endpoints {
			if e.name == name {
				return a.url + e.path
			}
		}
	}
	panic("clerktest: no endpoint " + string(name))
}

// memory is the network of an instance made by New: two hosts and nothing else.
type memory struct{ in *Instance }

var errConnection = errors.New("clerktest: connection reset")

// RoundTrip answers in the caller's goroutine.
func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(m.in.open, cancel)()
	return serveInMemory(ctx, r, func(w http.ResponseWriter, served *http.Request) error {
		return m.answer(r.URL, w, served)
	})
}

// serveInMemory lets answer have the request as a server would see it.
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

// unlessAborted makes an error of the panic by which a handler breaks its connection.
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

func (m memory) answer(to *url.URL, w http.ResponseWriter, r *http.Request) error {
	if r.Context().Err() != nil || m.in.open.Err() != nil {
		return errConnection
	}
	switch to.Scheme + "://" + to.Host {
	case m.in.frontend.url:
		m.in.serve(m.in.frontend, w, r)
	case m.in.backend.url:
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
				Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { in.serve(a, w, r) }),
			},
		}
		// A client retries silently when a kept connection breaks: Down would be seen twice.
		server.Config.SetKeepAlivesEnabled(false)
		server.Start()
		a.url = server.URL
		in.servers = append(in.servers, server)
	}
	return nil
}
