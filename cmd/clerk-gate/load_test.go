package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// TestLoad prints the table of README.md:
//
//	LOAD=1 go test -v -run TestLoad .
//
// wrk (Debian package wrk) sends GETs with a session's cookies through each gateway, with the gate
// and without, by turns. Gateway and gate are processes of their own; the app is in the test's.
func TestLoad(t *testing.T) {
	if os.Getenv("LOAD") == "" {
		t.Skip("LOAD is not set")
	}
	wrk := program(t, "wrk", "wrk")
	// These replacements remove the requests to the gate.
	without := map[string]map[string]string{
		"nginx":   {"auth_request /.clerk-gate/signed-in;": "", "auth_request /.clerk-gate/admin;": "", "auth_request /.clerk-gate/anybody;": "", "default clerk_nowhere;": "default clerk_app;"},
		"haproxy": {"http-request lua.clerk-gate /auth if": "# ", " unless { var(txn.clerk_passed) -m bool }": " if { always_false }", "http-response lua": "# "},
		"caddy":   {"import clerk \"\"": ""},
	}
	fmt.Println("| gateway | requests/s without | with | ratio | CPU per request without, µs | with: gateway | with: gate |\n|---|---|---|---|---|---|---|")
	for _, kind := range slices.Sorted(maps.Keys(without)) {
		t.Run(kind, func(t *testing.T) {
			gated, bare := newLoad(t, kind, nil), newLoad(t, kind, without[kind])
			var with, plain []sample
			for range 7 {
				plain = append(plain, bare.run(wrk))
				with = append(with, gated.run(wrk))
			}
			p, g := median(plain), median(with)
			fmt.Printf("| %s | %.0f | %.0f | %.2f | %.0f | %.0f | %.0f |\n", kind, p.rate, g.rate, g.rate/p.rate, p.gateway, g.gateway, g.gate)
		})
	}
}

// sample is one run: requests a second, and microseconds of CPU for each.
type sample struct{ rate, gateway, gate float64 }

func median(samples []sample) sample {
	slices.SortFunc(samples, func(a, b sample) int { return cmp.Compare(a.rate, b.rate) })
	return samples[len(samples)/2]
}

type load struct {
	t             *testing.T
	site          *site
	gateway, gate int // process IDs
}

func newLoad(t *testing.T, kind string, edit map[string]string) *load {
	t.Helper()
	l := &load{t: t}
	l.site = newSite(t, kind, func(t *testing.T, s *site) {
		t.Helper()
		addr := freePort(t)
		api := strings.TrimSuffix(s.clerk.URL(clerktest.BackendJWKS), "/v1/jwks")
		before := children()
		start(t, addr, []string{
			"BE_CLERK_GATE=1", "CLERK_PUBLISHABLE_KEY=" + s.clerk.PublishableKey(), "CLERK_SECRET_KEY=" + s.clerk.SecretKey(),
			"CLERK_API_URL=" + api, "CLERK_AUTHORIZED_PARTIES=" + s.base,
		}, os.Args[0], "-gateway", kind, "-listen", addr)
		l.gate = added(before)
		s.gate.URL = "http://" + addr
		s.quiet, s.edit, before = true, edit, children()
		kinds[kind](t, s)
		l.gateway = added(before)
	})
	l.site.as("user_2alice")
	return l
}

// run sends requests for two seconds.
func (l *load) run(wrk string) sample {
	l.t.Helper()
	l.site.client.Jar.SetCookies(l.site.url(), l.site.clerk.BrowserSessions()[0].Cookies())
	cookies := strings.TrimSpace(l.site.cookieLine())
	gateway, gate := cpu(l.gateway), cpu(l.gate)
	out, err := exec.CommandContext(l.t.Context(), wrk, "-t1", "-c16", "-d2s", "-H", cookies, "-H", "Sec-Fetch-Site: same-origin", l.site.base+"/data").CombinedOutput() //nolint:gosec // ours
	found := regexp.MustCompile(`(\d+) requests in ([0-9.]+)s`).FindStringSubmatch(string(out))
	if err != nil || found == nil || strings.Contains(string(out), "Non-2xx") {
		l.t.Fatalf("wrk: got %v, want a result without Non-2xx\n%s", err, out)
	}
	n, _ := strconv.ParseFloat(found[1], 64)
	seconds, _ := strconv.ParseFloat(found[2], 64)
	each := func(d time.Duration) float64 { return float64(d.Microseconds()) / n }
	return sample{n / seconds, each(cpu(l.gateway) - gateway), each(cpu(l.gate) - gate)}
}

// children returns the processes started by start: those whose parent is a shell of this process.
func children() map[int]bool {
	found := map[int]bool{}
	self := strconv.Itoa(os.Getpid())
	shells, _ := filepath.Glob("/proc/" + self + "/task/*/children")
	for _, file := range shells {
		list, _ := os.ReadFile(file) //nolint:gosec // of /proc
		for shell := range strings.FieldsSeq(string(list)) {
			grand, _ := os.ReadFile("/proc/" + shell + "/task/" + shell + "/children") //nolint:gosec // of /proc
			for field := range strings.FieldsSeq(string(grand)) {
				if pid, err := strconv.Atoi(field); err == nil {
					found[pid] = true
				}
			}
		}
	}
	return found
}

// added returns the server that is new; its shell also has a cat.
func added(before map[int]bool) int {
	for pid := range children() {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if !before[pid] && strings.TrimSpace(string(name)) != "cat" {
			return pid
		}
	}
	return 0
}

// cpu returns the time that a process has used, in steps of 10 ms.
func cpu(pid int) time.Duration {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}
