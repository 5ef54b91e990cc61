package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
)

func tellChangeDomainStories(t *testing.T, in internet) {
	for _, st := range []story{
		{name: "change of domain printed", args: []string{"change-domain", "https://www.missing.example"}, exit: exitFails, site: lost},
		{name: "change of domain as JSON", args: []string{"-json", "change-domain", "https://example.com"}, exit: exitGood},
		{name: "change of domain to a name in another script", args: []string{"change-domain", "https://bücher.missing.example/"}, domain: "missing.example", exit: exitFails, site: lost},
		{name: "change of domain for a secondary application", args: []string{"change-domain", "-secondary", "https://app.apps.example"}, exit: exitGood},
		{
			name: "change of domain sent", args: []string{"change-domain", "-send", "https://example.com"}, exit: exitGood,
			env: map[string]string{"CLERK_SECRET_KEY": secretKey}, stdin: "example.com\n", site: backend(http.StatusAccepted),
		},
		{
			name: "change of domain refused by Clerk", args: []string{"change-domain", "-send", "https://example.com"}, exit: exitFails,
			env: map[string]string{"CLERK_SECRET_KEY": secretKey}, stdin: "example.com\n", site: backend(http.StatusUnprocessableEntity),
		},
		{
			name: "change of domain with a broken gateway", args: []string{"-send", "change-domain", "https://example.com"}, exit: exitUnknown,
			env: map[string]string{"CLERK_SECRET_KEY": secretKey}, stdin: "example.com", site: backend(http.StatusBadGateway),
		},
		{
			name: "change of domain redirected", args: []string{"change-domain", "-send", "https://example.com"}, exit: exitUnknown,
			env: map[string]string{"CLERK_SECRET_KEY": secretKey}, stdin: "example.com\n", site: backend(http.StatusTemporaryRedirect),
		},
		{
			name: "change of domain with too many requests", args: []string{"change-domain", "-send", "https://example.com"}, exit: exitFails,
			env: map[string]string{"CLERK_SECRET_KEY": secretKey}, stdin: "EXAMPLE.com\n", site: backend(http.StatusTooManyRequests),
		},
		{
			name: "change of domain unanswered", args: []string{"change-domain", "-send", "https://example.com"}, exit: exitUnknown,
			env: map[string]string{"CLERK_SECRET_KEY": secretKey}, stdin: "example.com\n",
			leads: func(t *testing.T, _ internet) []string { return []string{"api.clerk.com=" + freePort(t)} },
		},
		{
			name: "change of domain not confirmed", args: []string{"change-domain", "-send", "https://example.com"}, exit: exitUnknown,
			env: map[string]string{"CLERK_SECRET_KEY": secretKey}, stdin: "yes\n", site: backend(http.StatusTeapot),
		},
		{
			name: "change of domain without a key", args: []string{"change-domain", "-send", "https://example.com"}, exit: exitUnknown,
			env: map[string]string{"CLERK_SECRET_KEY": "sk_test_KeepThisOutOfEveryReport"}, stdin: "example.com\n", site: backend(http.StatusTeapot),
		},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.run(t, in)
		})
	}
}

// backend is a Backend API that expects one request, or with http.StatusTeapot none.
func backend(status int) func(*testing.T, internet, *site) {
	return func(t *testing.T, in internet, s *site) {
		calls := 0
		s.certs["api.clerk.com"] = in.ca.issue(t, noon.AddDate(0, 0, 60), "api.clerk.com")
		s.other = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls++
			body := make([]byte, 100)
			n, _ := r.Body.Read(body)
			got := fmt.Sprintf("%s %s %s %s", r.Method, r.URL, r.Header.Get("Authorization"), body[:n])
			if want := `POST /v1/instance/change_domain Bearer ` + secretKey + ` {"home_url":"https://example.com"}`; got != want {
				t.Errorf("the request is %s, want %s", got, want)
			}
			w.Header().Set("Location", "https://api.clerk.com/elsewhere")
			w.WriteHeader(status)
			if status == http.StatusBadGateway {
				_, _ = io.WriteString(w, "<html>")
				return
			}
			_, _ = io.WriteString(w, `{"errors":[{"code":"home_url_taken","message":"sent with `+secretKey+`"},{"code":"Bad Code \u001b[2J"}]}`)
		})
		t.Cleanup(func() {
			want := 1
			if status == http.StatusTeapot {
				want = 0
			}
			if calls != want {
				t.Errorf("the Backend API was asked %d times, want %d", calls, want)
			}
		})
	}
}

func tellWaitStories(t *testing.T, in internet) {
	var caughtUp atomic.Bool
	late := func(s *site) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.certs["clerk.example.com"] = s.spare
	}
	missing := func(_ *testing.T, _ internet, s *site) {
		s.spare = s.certs["clerk.example.com"]
		delete(s.certs, "clerk.example.com")
	}
	for _, st := range []story{
		{name: "waiting until all is well", args: []string{"-wait", "example.com"}, exit: exitGood, site: missing, pause: late},
		{name: "waiting on a terminal", args: []string{"-wait", "example.com"}, exit: exitGood, tty: true, site: missing, pause: late},
		{name: "waiting for what is on its way", args: []string{"-wait", "moving.example"}, exit: exitGood, leads: func(t *testing.T, in internet) []string {
			old := about("moving.example", from(t, in.stale))
			return []string{"1.1.1.1=" + faulty(t, in.resolver, func(q dns.Question, m *dns.Msg) fault {
				if caughtUp.Load() {
					return nil
				}
				return old(q, m)
			})}
		}, pause: func(*site) { caughtUp.Store(true) }},
		{name: "not waiting for what time does not change", args: []string{"-wait", "missing.example"}, exit: exitFails, site: lost},
		{name: "at 60 columns", args: []string{"missing.example"}, exit: exitFails, site: lost, width: 60},
		{name: "at 60 columns with wrong targets", args: []string{"targets.example"}, exit: exitFails, width: 60},
		{name: "everything listed", args: []string{"-v", "half.example"}, exit: exitGood},
		{name: "as JSON for DNSSEC", args: []string{"-json", "bogus.example"}, exit: exitFails},
		{name: "as JSON", args: []string{"blocked.example", "-json"}, exit: exitFails, domain: "blocked.example"},
	} {
		t.Run(st.name, func(t *testing.T) {
			t.Parallel()
			st.run(t, in)
		})
	}
}

func TestInterruptedWaitReportsTheLastWholeLook(t *testing.T) {
	for _, tt := range []struct {
		name   string
		during bool // during the second run of the checks; false: after it
		waits  int
	}{{"between two", false, 2}, {"during the second", true, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var stdout, stderr bytes.Buffer
			var waits atomic.Int64
			env := environment{
				stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }, now: atNoon,
				dialer: net.Dialer{ControlContext: func(context.Context, string, string, syscall.RawConn) error {
					if tt.during && waits.Load() == 1 {
						cancel()
						return context.Canceled
					}
					return syscall.ECONNREFUSED
				}},
				pause: func(context.Context, time.Duration) {
					if waits.Add(1) == 2 {
						cancel()
					}
				},
			}
			if code := run(ctx, env, []string{"-wait", "-resolver", "192.0.2.53", "example.com"}); code != exitUnknown {
				t.Errorf("exit status %d, want %d", code, exitUnknown)
			}
			if got := int(waits.Load()); got != tt.waits {
				t.Errorf("waited %d times, want %d: %s", got, tt.waits, &stderr)
			}
			if got := strings.Count(stderr.String(), "waiting for"); got != 1 {
				t.Errorf("said %d times what it waits for, want once, as it stays the same: %s", got, &stderr)
			}
			if s := stdout.String(); !strings.Contains(s, "no resolver answers") || strings.Contains(s, "canceled") {
				t.Errorf("the report is not of a complete run:\n%s", s)
			}
		})
	}
}

func TestInterruptedFirstLookReportsNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	env := environment{
		stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, getenv: func(string) string { return "" }, now: atNoon,
		dialer: net.Dialer{ControlContext: func(context.Context, string, string, syscall.RawConn) error {
			cancel()
			return context.Canceled
		}},
	}
	if code := run(ctx, env, []string{"example.com"}); code != exitStopped {
		t.Errorf("exit status %d, want %d", code, exitStopped)
	}
	if stdout.Len() > 0 || stderr.String() != "clerk-doctor: interrupted\n" {
		t.Errorf("output %q, errors %q; want only that it was interrupted", &stdout, &stderr)
	}
}

func TestVersion(t *testing.T) {
	var stdout bytes.Buffer
	env := environment{stdin: strings.NewReader(""), stdout: &stdout, stderr: io.Discard, getenv: func(string) string { return "" }}
	if code := run(t.Context(), env, []string{"-version"}); code != exitGood || !strings.HasPrefix(stdout.String(), "clerk-doctor ") {
		t.Errorf("exit status %d and output %q, want a version", code, &stdout)
	}
}
