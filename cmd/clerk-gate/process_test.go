package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// lastPort is below the ports that the system assigns by itself, so that none is used between
// freePort and the server's start.
var lastPort = func() *atomic.Int64 {
	first := new(atomic.Int64)
	first.Store(20000 + int64(os.Getpid()%1000)*10)
	return first
}()

// freePort returns an address of this machine on which nothing listens. It does not listen itself
// to find out: a process that another test starts at that moment would inherit the listener.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", lastPort.Add(1))
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			return addr
		}
		_ = conn.Close()
	}
	t.Fatal("no port is free")
	return ""
}

// program finds a program, which may not be on the PATH, or skips the test; with CI set it fails.
func program(t *testing.T, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal(name + " is not installed: Debian package " + debian)
	case err != nil:
		t.Skip(name + " is not installed: Debian package " + debian)
	}
	return path
}

// configuration is the one of a site's gateway.
func (s *site) configuration(t *testing.T, file string, replace map[string]string) string {
	t.Helper()
	maps.Copy(replace, s.edit)
	return shipped(t, file, replace)
}

// shipped returns a shipped configuration file with other addresses; it must have all that are
// replaced.
func shipped(t *testing.T, file string, replace map[string]string) string {
	t.Helper()
	content, err := os.ReadFile(file) //nolint:gosec // a file of this directory
	if err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for documented, here := range replace {
		if !strings.Contains(string(content), documented) {
			t.Fatalf("%s does not contain %q", file, documented)
		}
		pairs = append(pairs, documented, here)
	}
	return strings.NewReplacer(pairs...).Replace(string(content))
}

func writeFile(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// start runs a server until the test is over, even if the test's process crashes: then the pipe
// that the shell reads is closed. It listens at addr when start returns.
func start(t *testing.T, addr string, env []string, name string, args ...string) {
	t.Helper()
	const script = `"$0" "$@" & child=$!; cat >/dev/null; kill "$child"; wait "$child"`
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, name}, args...)...) //nolint:gosec // our own arguments
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = t.Output()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Cancel = stdin.Close
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // it was killed
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		if conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr); err == nil {
			_ = conn.Close()
			return
		}
	}
	t.Fatal(name + " does not listen")
}

// address returns the host and port of a test server.
func address(url string) string { return strings.TrimPrefix(url, "http://") }

// kinds are the gateways that are run. Traefik is imitated: see traefik_test.go.
var kinds = map[string]func(*testing.T, *site){"nginx": startNginx, "haproxy": startHAProxy, "caddy": startCaddy, "traefik": startImitatedTraefik}

func startNginx(t *testing.T, s *site) {
	t.Helper()
	dir := t.TempDir()
	var temporary strings.Builder
	for _, of := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary.WriteString(of + "_temp_path " + filepath.Join(dir, of) + ";\n")
	}
	conf := "daemon off; master_process off; pid " + filepath.Join(dir, "pid") + "; error_log stderr;\nevents { }\nhttp {\naccess_log off;\n" +
		temporary.String() + s.configuration(t, "nginx/clerk-gate.conf", map[string]string{
		"127.0.0.1:8080": s.addr, "127.0.0.1:4180": address(s.gate.URL), "127.0.0.1:3000": address(s.app.URL),
	}) + "}\n"
	start(t, s.addr, nil, program(t, "nginx", "nginx"), "-e", "stderr", "-p", dir, "-c", writeFile(t, dir, "nginx.conf", conf))
}

func startHAProxy(t *testing.T, s *site) {
	t.Helper()
	dir, inner := t.TempDir(), freePort(t)
	lua := writeFile(t, dir, "clerk-gate.lua", shipped(t, "haproxy/clerk-gate.lua", map[string]string{"127.0.0.1:4181": inner}))
	conf := s.configuration(t, "haproxy/haproxy.cfg", map[string]string{
		"127.0.0.1:8080": s.addr, "127.0.0.1:4181": inner, "127.0.0.1:4180": address(s.gate.URL), "127.0.0.1:3000": address(s.app.URL),
		"/etc/haproxy/clerk-gate.lua": lua,
	})
	start(t, s.addr, nil, program(t, "haproxy", "haproxy"), "-db", "-f", writeFile(t, dir, "haproxy.cfg", conf))
}

// startCaddy runs Caddy; $CADDY names another one than the PATH has.
func startCaddy(t *testing.T, s *site) {
	t.Helper()
	name := "caddy"
	if other := os.Getenv("CADDY"); other != "" {
		name = other
	}
	dir := t.TempDir()
	conf := "{\n\tadmin off\n}\n" + s.configuration(t, "caddy/Caddyfile", map[string]string{
		"127.0.0.1:8080": s.addr, "127.0.0.1:4180": address(s.gate.URL), "127.0.0.1:3000": address(s.app.URL),
	})
	start(t, s.addr, []string{"XDG_DATA_HOME=" + dir, "XDG_CONFIG_HOME=" + dir}, program(t, name, "caddy"),
		"run", "--adapter", "caddyfile", "--config", writeFile(t, dir, "Caddyfile", conf))
}

// forEachGateway runs a test behind every gateway.
func forEachGateway(t *testing.T, test func(*testing.T, *site)) {
	t.Helper()
	for kind, start := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, newSite(t, kind, start))
		})
	}
}

// handler is for site.fault.
func handler(h http.HandlerFunc) *http.Handler {
	var answers http.Handler = h
	return &answers
}
