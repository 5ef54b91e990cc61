package main

import (
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
)

// ownInstance keeps the environment of whoever runs the tests out of them.
func ownInstance(t *testing.T) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "CLERK_") {
			t.Setenv(name, "")
		}
	}
}

// record is what was logged. It is safe for concurrent use.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// captureLog has the default logger's output until the test ends.
func captureLog(t *testing.T) *record {
	t.Helper()
	before, r := slog.Default(), &record{}
	slog.SetDefault(slog.New(slog.NewTextHandler(r, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return r
}

// serving is the app behind a real server, with the routes that of returns.
func serving(t *testing.T, of func(*app) http.Handler) *app {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	a, err := newApp(server.Listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	server.Config.Handler = of(a)
	server.Start()
	t.Cleanup(server.Close)
	return a
}

// reply is an answer that was read.
type reply struct {
	status  int
	header  http.Header
	body    string
	cookies int
}

func send(t *testing.T, client *http.Client, method, target string, header http.Header, form url.Values) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(r.Header, header)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(body), len(resp.Cookies())}
}

func get(t *testing.T, target string) reply {
	t.Helper()
	return send(t, http.DefaultClient, http.MethodGet, target, nil, nil)
}
