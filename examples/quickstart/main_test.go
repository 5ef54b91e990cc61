package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestSmokeAgrees(t *testing.T) {
	ownInstance(t)
	var out bytes.Buffer
	logged := captureLog(t)
	if err := run(t.Context(), []string{"-smoke"}, &out, io.Discard); err != nil || logged.String() != "" {
		t.Fatalf("run -smoke: got %v, want no error and an empty log\n%s\nlogged: %s", err, &out, logged.String())
	}
	rows := regexp.MustCompile(`(?m) ok$`).FindAllString(out.String(), -1)
	if want := len(trials(true)) + len(journey()); len(rows) != want || want < 15 {
		t.Errorf("got %d rows that are ok, want %d, and that at least 15:\n%s", len(rows), want, &out)
	}
}

func TestSmokeFailsWhereAnAnswerIsNotTheExpectedOne(t *testing.T) {
	ownInstance(t)
	open := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	a := serving(t, func(*app) http.Handler { return open })
	var out bytes.Buffer
	if err := a.smoke(t.Context(), &out); !errors.Is(err, errDisagree) {
		t.Errorf("smoke of a server that lets everybody in: got %v, want %v\n%s", err, errDisagree, &out)
	}
	if !strings.Contains(out.String(), "3 of 17 as expected") {
		t.Errorf("the table does not count what failed:\n%s", &out)
	}
}

// A correct journey can still fail in one of its legs.
func TestSmokeNoticesWhatABrowserMisses(t *testing.T) {
	for name, tt := range map[string]struct {
		broken clerktest.Endpoint
		ok     string
	}{
		"no handshakes": {clerktest.FrontendHandshake, "10 of 17 as expected"},
		"no refreshes":  {clerktest.BackendRefresh, "15 of 17 as expected"},
		"no sign-in":    {clerktest.SignInPage, "10 of 17 as expected"},
	} {
		t.Run(name, func(t *testing.T) {
			ownInstance(t)
			a := serving(t, (*app).routes)
			a.clerk.Fault(tt.broken, clerktest.Status(http.StatusBadGateway, nil))
			var out bytes.Buffer
			if err := a.smoke(t.Context(), &out); !errors.Is(err, errDisagree) || !strings.Contains(out.String(), tt.ok) {
				t.Errorf("smoke: got %v, want %v and %s\n%s", err, errDisagree, tt.ok, &out)
			}
		})
	}
}

func TestSmokeFailsWhereNothingAnswers(t *testing.T) {
	ownInstance(t)
	a := serving(t, (*app).routes)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.smoke(ctx, io.Discard); !errors.Is(err, errDisagree) {
		t.Errorf("smoke without an answer: got %v, want %v", err, errDisagree)
	}
}

func TestTakenPortIsAClearError(t *testing.T) {
	ownInstance(t)
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	err = run(t.Context(), []string{"-addr", taken.Addr().String()}, io.Discard, io.Discard)
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Fatalf("run on a taken port: got %v, want %v", err, syscall.EADDRINUSE)
	}
	for _, word := range []string{taken.Addr().String(), "taken", "-addr"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %q: %v", word, err)
		}
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	ownInstance(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // whoever serves in spite of a mistake ends at once
	for name, args := range map[string][]string{
		"unknown flag": {"-port", "8080"},
		"argument":     {"serve"},
		"address":      {"-addr", "nowhere"},
	} {
		if err := run(ctx, args, io.Discard, io.Discard); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
	var usage bytes.Buffer
	if err := run(t.Context(), []string{"-help"}, io.Discard, &usage); !errors.Is(err, flag.ErrHelp) || !strings.Contains(usage.String(), defaultAddr) {
		t.Errorf("-help: got %v, want %v and a usage with %s\n%s", err, flag.ErrHelp, defaultAddr, &usage)
	}
}

func TestBadConfigurationIsReported(t *testing.T) {
	ownInstance(t)
	t.Setenv("CLERK_PUBLISHABLE_KEY", "pk_test_nonsense")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, []string{"-addr", "127.0.0.1:0"}, io.Discard, io.Discard); err == nil {
		t.Error("a malformed CLERK_PUBLISHABLE_KEY: got no error, want one")
	}
}

// With a secret key and no publishable key, people would see an instance that is not theirs.
func TestKeysWithoutAPublishableKey(t *testing.T) {
	for variable, value := range map[string]string{"CLERK_SECRET_KEY": "sk_test_x", "CLERK_JWT_KEY": "x"} {
		t.Run(variable, func(t *testing.T) {
			ownInstance(t)
			t.Setenv(variable, value)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := run(ctx, []string{"-addr", "127.0.0.1:0"}, io.Discard, io.Discard); !errors.Is(err, errNoPublishableKey) {
				t.Errorf("got %v, want %v", err, errNoPublishableKey)
			}
		})
	}
}

// The whole program: it prints its address, its curl line works, and an interrupt ends it, after the requests in progress.
func TestServesUntilInterrupted(t *testing.T) {
	ownInstance(t)
	ctx, interrupt := context.WithCancel(t.Context())
	printed, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, []string{"-addr", "127.0.0.1:0"}, out, io.Discard)
		_ = out.Close()
		ended <- err
	}()
	base, curl := readGreeting(t, printed)

	token, target, ok := strings.Cut(strings.TrimPrefix(curl, `curl -i -H "Authorization: Bearer `), `" `)
	if !ok || target != base+"/me" {
		t.Fatalf("not a curl line for %s/me: %s", base, curl)
	}
	resp := send(t, http.DefaultClient, http.MethodGet, target, http.Header{"Authorization": {"Bearer " + token}}, nil)
	var me identity
	if err := json.Unmarshal([]byte(resp.body), &me); resp.status != http.StatusOK || err != nil {
		t.Errorf("the curl line: got %d %s, want 200", resp.status, resp.body)
	}
	if left := time.Until(me.Expires); left < 9*time.Minute || left > curlLifetime {
		t.Errorf("the token of the curl line lives for another %v, want 9m to %v", left, curlLifetime)
	}
	if resp := get(t, target); resp.status != http.StatusUnauthorized {
		t.Errorf("the curl line without its token: got %d, want 401", resp.status)
	}

	// Browsers open connections before they need them.
	idle, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = idle.Close() }()
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("run after an interrupt, with idle connections: %v", err)
	}
	if _, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(base, "http://")); err == nil {
		t.Error("something still listens after the end")
	}
}

func TestShutdownFinishesRequestsUnderWay(t *testing.T) {
	listener, err := listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	slow := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		interrupt()
		// The listener is closed before requests under way are waited for.
		for ctx.Err() == nil || dials(listener.Addr()) {
			continue
		}
		_, _ = io.WriteString(w, "done")
	})
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, slow) }()
	resp := get(t, "http://"+listener.Addr().String())
	if body := resp.body; body != "done" {
		t.Errorf("the request under way: got %q, want done", body)
	}
	http.DefaultClient.CloseIdleConnections()
	if err := <-ended; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func dials(addr net.Addr) bool {
	conn, err := new(net.Dialer).DialContext(context.Background(), addr.Network(), addr.String())
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

// readGreeting reads what the program prints at its start.
func readGreeting(t *testing.T, printed io.Reader) (base, curl string) {
	t.Helper()
	lines := bufio.NewScanner(printed)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case strings.HasPrefix(line, "http://"):
			base = line
		case strings.HasPrefix(line, "curl "):
			curl = line
		case strings.HasPrefix(line, "Ctrl-C"):
			return base, curl
		}
	}
	t.Fatalf("the greeting ends early: %v", lines.Err())
	return "", ""
}
