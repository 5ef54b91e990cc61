package main

import (
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestClerkDown(t *testing.T) {
	forEachGateway(t, func(t *testing.T, s *site) {
		s.newBrowser()
		s.clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
		r := s.send(http.MethodGet, "/data", "Authorization", "Bearer "+s.clerk.Token(clerktest.Claims{}))
		checkRefusal(t, "no keys", r, http.StatusServiceUnavailable)
		if r.header.Get("Retry-After") == "" || len(s.reached()) != 0 {
			t.Errorf("got the header %v, and %d requests reached the app, want Retry-After and none", r.header, len(s.reached()))
		}
	})
}

// An answer that is not the gate's own allows no request.
func TestGateThatDoesNotAnswer(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"breaks the connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"fails":                 func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"never answers":         func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"sends elsewhere":       func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"does not know /auth":   http.NotFound,
		"is another server":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) },
		"says nothing":          func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	}
	forEachGateway(t, func(t *testing.T, s *site) {
		s.as("user_2alice")
		s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for name, answer := range answers {
			switch name {
			case "never answers", "is another server", "says nothing":
				if s.kind == "traefik" {
					continue // it waits for 30 s and accepts any 2xx, and neither can be configured
				}
			}
			s.fault.Store(handler(answer))
			for _, path := range []string{"/data", "/admin", "/welcome"} {
				// What another server answers may reach the client.
				if r := s.send(http.MethodGet, path, script...); len(s.reached()) != 0 || r.status < 300 && name != "is another server" && name != "says nothing" {
					t.Errorf("a gate that %s, %s: got %d and %d requests at the app, want a refusal", name, path, r.status, len(s.reached()))
				}
				if name == "never answers" {
					break // each takes the 5 s of the configuration
				}
			}
		}
		s.fault.Store(nil)
		s.gate.CloseClientConnections()
		if r := s.send(http.MethodGet, "/data", script...); r.status != http.StatusOK {
			t.Errorf("the gate is back, and the gateway answers %d, want %d", r.status, http.StatusOK)
		}
		s.gate.CloseClientConnections()
		s.gate.Close()
		s.reset()
		if r := s.send(http.MethodGet, "/data", script...); r.status < 500 || len(s.reached()) != 0 {
			t.Errorf("without a gate: got %d and %d requests at the app, want 5xx and none", r.status, len(s.reached()))
		}
	})
}
