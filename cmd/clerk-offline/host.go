package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/offline"
)

// host runs the instance: its servers, its log and its state.
type host struct {
	frontend, backend net.Listener
	apis              [2]http.Handler // the Frontend API and the Backend API
	log               *log.Logger

	clerk   *clerktest.Instance
	scripts http.Handler // nil: none are served
	control http.Handler

	dir     string // of the state; empty: it is not stored
	before  offline.State
	current func() offline.State
	saving  sync.Mutex
	saved   []byte

	cleanup []func()
	failure error
}

const stateFile = "clerk-offline.json"

func newHost(dir string, frontend, backend net.Listener, out io.Writer) (*host, error) {
	h := &host{frontend: frontend, backend: backend, log: log.New(out, "", log.Ltime), dir: dir}
	if dir == "" {
		return h, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("-state: %w", err)
	}
	content, err := os.ReadFile(filepath.Join(dir, stateFile)) //nolint:gosec // the user names the file
	if errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	if err == nil {
		err = json.Unmarshal(content, &h.before)
	}
	if err != nil {
		return nil, fmt.Errorf("-state: %s: %w", stateFile, err)
	}
	return h, nil
}

// Helper, Cleanup and Fatalf make it a clerktest.TB.
func (h *host) Helper()                           {}
func (h *host) Cleanup(f func())                  { h.cleanup = append(h.cleanup, f) }
func (h *host) Fatalf(format string, args ...any) { h.failure = fmt.Errorf(format, args...) }

// Serve, State and Keep make it an offline.Host.
func (h *host) Serve(frontend, backend http.Handler) (frontendURL, backendURL string) {
	h.apis = [2]http.Handler{frontend, backend}
	return "http://" + h.frontend.Addr().String(), "http://" + h.backend.Addr().String()
}

// State is the state of the last run.
func (h *host) State() offline.State { return h.before }

// Keep stores the function that returns the instance's state.
func (h *host) Keep(state func() offline.State) { h.current = state }

func (h *host) close() {
	for _, f := range h.cleanup {
		f()
	}
}

// save writes the state if it has changed; a crash leaves the old file or the new one.
func (h *host) save() error {
	if h.dir == "" {
		return nil
	}
	h.saving.Lock()
	defer h.saving.Unlock()
	content, err := json.Marshal(h.current())
	if err != nil || bytes.Equal(content, h.saved) {
		return err
	}
	name := filepath.Join(h.dir, stateFile)
	if err := os.WriteFile(name+".new", content, 0o600); err != nil {
		return err
	}
	if err := os.Rename(name+".new", name); err != nil {
		return err
	}
	h.saved = content
	return nil
}

// grace is how long requests in progress have to finish.
const grace = 2 * time.Second

// serve answers until ctx ends.
func (h *host) serve(ctx context.Context) error {
	frontend, backend := http.NewServeMux(), http.NewServeMux()
	frontend.Handle("/", h.apis[0])
	if h.scripts != nil {
		frontend.Handle("GET /npm/", h.scripts)
	}
	for _, path := range []string{"/v1/", "/api_keys", "/api_keys/", "/m2m_tokens/", "/oauth_applications/"} {
		backend.Handle(path, h.apis[1])
	}
	backend.Handle("/", h.control)
	servers := []*http.Server{newServer(h.logged(frontend)), newServer(h.logged(backend))}
	failed := make(chan error, 2)
	go func() { failed <- servers[0].Serve(h.frontend) }()
	go func() { failed <- servers[1].Serve(h.backend) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	for _, s := range servers {
		if s.Shutdown(ctx) != nil {
			_ = s.Close() // closes what did not end in time
		}
	}
	return err
}

// logged writes a line for each request, without its query and its headers, which have tokens, and saves the state.
func (h *host) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, status := time.Now(), &statusWriter{ResponseWriter: w, status: http.StatusOK}
		completed := false
		defer func() {
			h.clerk.ResetRequests() // they would use more and more memory
			h.write(r, status.status, completed, time.Since(start))
		}()
		next.ServeHTTP(status, r)
		completed = true
		if err := h.save(); err != nil {
			h.log.Println("the state could not be saved:", err)
		}
	})
}

func (h *host) write(r *http.Request, status int, completed bool, took time.Duration) {
	answer := fmt.Sprint(status)
	if !completed {
		answer = "---" // the connection was broken
	}
	method := r.Method
	switch meant := r.URL.Query().Get("_method"); meant {
	case http.MethodPut, http.MethodPatch, http.MethodDelete:
		method = meant
	}
	line := fmt.Sprintf("%s  %-6s %s", answer, method, r.URL.EscapedPath())
	if origin := r.Header.Get("Origin"); origin != "" {
		line += "  from " + origin
	}
	h.log.Printf("%s  %s", line, took.Round(100*time.Microsecond))
}

// statusWriter records the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
