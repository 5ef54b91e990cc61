package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// TestMain makes the test program clerk-gate itself where a test needs that.
func TestMain(m *testing.M) {
	if os.Getenv("BE_CLERK_GATE") != "" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// environment sets the variables of a valid configuration.
func environment(t *testing.T) *clerktest.Instance {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{})
	t.Setenv("CLERK_PUBLISHABLE_KEY", clerk.PublishableKey())
	t.Setenv("CLERK_SECRET_KEY", clerk.SecretKey())
	t.Setenv("CLERK_AUTHORIZED_PARTIES", "https://example.com")
	return clerk
}

func runWith(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(t.Context(), args, &out, &err)
	return status, out.String(), err.String()
}

func TestCheck(t *testing.T) {
	environment(t)
	if status, out, _ := runWith(t, "-check", "-gateway", "nginx"); status != 0 || !strings.Contains(out, "valid") {
		t.Errorf("-check: got %d %q, want 0 and \"valid\"", status, out)
	}
	if status, out, _ := runWith(t, "-version"); status != 0 || !strings.HasPrefix(out, "clerk-gate ") {
		t.Errorf("-version: got %d %q, want 0 and \"clerk-gate …\"", status, out)
	}
	if status, out, _ := runWith(t, "-help"); status != 0 || !strings.Contains(out, "-trusted") || !strings.Contains(out, "CLERK_PUBLISHABLE_KEY") {
		t.Errorf("-help: got %d %q, want 0, flags and variables", status, out)
	}
	for _, args := range [][]string{
		{},
		{"-gateway", "squid"},
		{"-gateway", "nginx", "extra"},
		{"-gateway", "nginx", "-unknown"},
		{"-gateway", "nginx", "-listen", "nowhere"},
		{"-gateway", "nginx", "-listen", "127.0.0.1:"},
		{"-gateway", "nginx", "-trusted", ""},
		{"-gateway", "nginx", "-trusted", "localhost"},
		{"-gateway", "nginx", "-trusted", "10.0.0.1/8"},
		{"-gateway", "nginx", "-trusted", "127.0.0.1,"},
		{"-gateway", "nginx", "-trusted", "::ffff:10.0.0.1"},
		{"-gateway", "nginx", "-trusted", "fe80::1%eth0"},
		{"-gateway", "nginx", "-preflights", "maybe"},
		{"-gateway", "nginx", "-paths", "maybe"},
		{"-gateway", "nginx", "-log-level", "loud"},
	} {
		if status, out, err := runWith(t, append([]string{"-check"}, args...)...); status != 2 || out != "" || err == "" {
			t.Errorf("%q: got %d %q %q, want 2 and a mistake", args, status, out, err)
		}
	}
	// All mistakes are reported at once.
	_, _, stderr := runWith(t, "-gateway", "squid", "-trusted", "here", "-paths", "maybe")
	for _, mistake := range []string{"-gateway", "-trusted", "-paths"} {
		if !strings.Contains(stderr, mistake) {
			t.Errorf("standard error %q does not name %s", stderr, mistake)
		}
	}
	t.Setenv("CLERK_GATE_GATEWAY", "caddy")
	t.Setenv("CLERK_GATE_LOG_LEVEL", "debug")
	if status, _, _ := runWith(t, "-check"); status != 0 {
		t.Errorf("the environment: got %d, want 0", status)
	}
	t.Setenv("CLERK_GATE_TRUSTED", "here")
	if status, _, _ := runWith(t, "-check"); status != 2 {
		t.Errorf("a mistake in the environment: got %d, want 2", status)
	}
	t.Setenv("CLERK_GATE_TRUSTED", "10.0.0.0/8")
	t.Setenv("CLERK_AUTHORIZED_PARTIES", "")
	if status, _, err := runWith(t, "-check"); status != 2 || !strings.Contains(err, "AuthorizedParties") {
		t.Errorf("no allowlist: got %d %q, want 2 and AuthorizedParties", status, err)
	}
}

func TestAddressThatIsTaken(t *testing.T) {
	environment(t)
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if status, _, stderr := runWith(t, "-gateway", "nginx", "-listen", listener.Addr().String()); status != 1 || !strings.Contains(stderr, "in use") {
		t.Errorf("an address in use: got %d %q, want 1 and \"in use\"", status, stderr)
	}
}

// A signal ends the program after it has answered the requests in progress.
func TestDrain(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			var ahead atomic.Int64
			clerk, err := clerktest.Start(clerktest.Options{
				Development: true, Now: func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer clerk.Close()
			ahead.Store(-int64(2 * time.Minute))
			expired := clerk.SignIn(nil, clerktest.Person{}).Cookies()
			ahead.Store(0)
			received, release := make(chan struct{}, 1), make(chan struct{})
			clerk.Fault(clerktest.BackendRefresh, func(honest http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					received <- struct{}{}
					<-release
					honest.ServeHTTP(w, r)
				})
			})
			addr := freePort(t)
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-gateway", "caddy", "-listen", addr) //nolint:gosec // this program
			api := strings.TrimSuffix(clerk.URL(clerktest.BackendJWKS), "/v1/jwks")
			cmd.Env = append(os.Environ(), "BE_CLERK_GATE=1", "CLERK_PUBLISHABLE_KEY="+clerk.PublishableKey(), "CLERK_SECRET_KEY="+clerk.SecretKey(),
				"CLERK_API_URL="+api, "CLERK_AUTHORIZED_PARTIES=http://localhost:3000")
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			log := bufio.NewScanner(stderr)
			waitForLine(t, log, "listening")
			status := make(chan int, 1)
			go func() { status <- get(t, "http://"+addr+"/auth", expired) }()
			<-received
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			waitForLine(t, log, "draining")
			close(release)
			if status := <-status; status != http.StatusNoContent {
				t.Errorf("the request under way got %d, want %d", status, http.StatusNoContent)
			}
			_, _ = io.Copy(io.Discard, stderr)
			if err := cmd.Wait(); err != nil {
				t.Errorf("the program ended with %v, want success", err)
			}
		})
	}
}

func waitForLine(t *testing.T, log *bufio.Scanner, message string) {
	t.Helper()
	for log.Scan() {
		var line struct{ Msg string }
		if err := json.Unmarshal(log.Bytes(), &line); err != nil {
			t.Errorf("a log line is not JSON: %q", log.Text())
		}
		if line.Msg == message {
			return
		}
	}
	t.Fatalf("the log ended without the message %q", message)
}

// get asks about a script's request with these cookies, and returns the status.
func get(t *testing.T, target string, cookies []*http.Cookie) int {
	r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, target, http.NoBody)
	if err != nil {
		t.Error(err)
		return -1
	}
	r.Header = with(gatewayHeader("caddy", http.MethodGet, "/"), script...)
	r.Header.Set("X-Forwarded-Host", "localhost:3000")
	r.Header.Set("X-Forwarded-Proto", "http")
	for _, c := range cookies {
		r.AddCookie(c)
	}
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Error(err)
		return -1
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestMetrics(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	var log bytes.Buffer
	o, err := parseOptions([]string{"-gateway", "caddy", "-log-level", "debug"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	o.clerk = clerk.Config()
	o.clerk.Now = func() time.Time { return time.Now().Add(30 * time.Second) }
	g, err := newGate(o, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: o.logLevel})))
	if err != nil {
		t.Fatal(err)
	}
	page := func() string { return askBy(t, g, http.MethodGet, "10.0.0.1:1", "/metrics", nil).Body.String() }
	if !strings.Contains(page(), "clerk_gate_key_age_seconds NaN\n") {
		t.Error("before the first fetch the age of the keys is a number, want NaN")
	}
	token := clerk.Token(clerktest.Claims{Subject: "user_secret", SessionID: "sess_secret"})
	header := with(gatewayHeader("caddy", http.MethodGet, "/path-secret"), "Authorization", "Bearer "+token)
	for range 2 {
		ask(t, g, "/auth", header)
	}
	ask(t, g, "/auth?role=org:admin", header)
	ask(t, g, "/auth?x=path-secret&"+token, header)
	ask(t, g, "/auth", gatewayHeader("caddy", http.MethodGet, "/"))
	ask(t, g, "/auth", gatewayHeader("caddy", http.MethodGet, "//"))
	ask(t, g, "/auth", gatewayHeader("caddy", http.MethodGet, "/%zz?path-secret"))
	ask(t, g, "/auth", with(gatewayHeader("caddy", http.MethodOptions, "/"), append([]string{"Access-Control-Request-Method", "PUT"}, elsewhere...)...))
	askBy(t, g, http.MethodGet, "10.0.0.1:1", "/auth", header)
	got := page()
	for _, want := range []string{
		`clerk_gate_decisions_total{reason="",source="header",status="signed-in"} 2`,
		`clerk_gate_decisions_total{reason="session-check-failed",source="header",status="signed-in"} 1`,
		`clerk_gate_decisions_total{reason="session-token-and-uat-missing",source="",status="signed-out"} 1`,
		`clerk_gate_decisions_total{reason="requirement-invalid",source="",status="refused"} 1`,
		`clerk_gate_decisions_total{reason="ambiguous-path",source="",status="refused"} 1`,
		`clerk_gate_decisions_total{reason="target-invalid",source="",status="refused"} 1`,
		`clerk_gate_decisions_total{reason="peer-not-trusted",source="",status="refused"} 1`,
		`clerk_gate_decisions_total{reason="",source="",status="preflight"} 1`,
		`clerk_gate_token_cache_hits_total 2`,
		`clerk_gate_decision_seconds_count 9`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("/metrics does not say %s", want)
		}
	}
	if strings.Contains(got, "clerk_gate_key_age_seconds NaN") {
		t.Error("after a fetch the age of the keys is NaN")
	}
	if n := strings.Count(log.String(), `"msg":"decision"`); n != 9 {
		t.Errorf("the log has %d decisions, want 9", n)
	}
	if !strings.Contains(log.String(), `"requirement":"role=org:admin"`) {
		t.Error("the log does not name the requirement role=org:admin")
	}
	for _, secret := range []string{token, "user_secret", "sess_secret", "path-secret", clerk.SecretKey()} {
		if strings.Contains(got, secret) || strings.Contains(log.String(), secret) {
			t.Errorf("the metrics or the log show %q", secret)
		}
	}
}

// The unit starts a program with valid options, and does not stop it before it has drained.
func TestSystemdUnit(t *testing.T) {
	environment(t)
	t.Setenv("CLERK_GATE_GATEWAY", "nginx")
	unit := shipped(t, "systemd/clerk-gate.service", nil)
	checked := 0
	for line := range strings.Lines(unit) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "ExecStart", "ExecStartPre":
			if _, err := parseOptions(strings.Fields(value)[1:], io.Discard); err != nil {
				t.Errorf("%s: %v", line, err)
			}
			checked++
		case "TimeoutStopSec":
			if stop, err := time.ParseDuration(value + "s"); err != nil || stop <= drainTime {
				t.Errorf("%s: want longer than draining, which takes up to %s", line, drainTime)
			}
			checked++
		}
	}
	if checked != 3 {
		t.Errorf("%d lines of the unit were checked, want 3", checked)
	}
}
