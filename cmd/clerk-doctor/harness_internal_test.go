package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

var (
	update     = flag.Bool("update", false, "write the golden files anew")
	discardLog = log.New(io.Discard, "", 0)
)

const secretKey = "sk_live_KeepThisOutOfEveryReport"

func publishable(host string) string {
	return "pk_live_" + base64.RawStdEncoding.EncodeToString([]byte(host+"$"))
}

// internet is the network in which a story runs.
type internet struct {
	nameServers
	ca authority
}

func newInternet(t *testing.T, program string) internet {
	t.Helper()
	return internet{
		nameServers: startNameServers(t, program),
		ca:          newAuthority(t, pkix.Name{Organization: []string{"Let's Encrypt"}, CommonName: "R11"}),
	}
}

// story is one run of the command, and its expected output.
type story struct {
	name   string
	args   []string
	domain string // whose site is served; "": the last argument's, or else example.com
	env    map[string]string
	stdin  string
	exit   int
	tty    bool                                // both outputs are terminals
	width  int                                 // columns; 0: not known
	conf   string                              // resolv.conf; "": one name server
	site   func(*testing.T, internet, *site)   // changes to a correct site; nil: none
	leads  func(*testing.T, internet) []string // further host=address; later ones win
	pause  func(*site)                         // what happens between two runs of the checks
	token  func(*site) string                  // is on standard input; nil: stdin is
}

func (st story) domainOf() string {
	if st.domain != "" || len(st.args) == 0 {
		return cmp.Or(st.domain, "example.com")
	}
	last := strings.TrimPrefix(st.args[len(st.args)-1], "https://")
	if !strings.Contains(last, ".") || strings.HasPrefix(last, "pk_") {
		return "example.com"
	}
	return last
}

func (st story) run(t *testing.T, in internet) {
	t.Helper()
	s := newSite(t, in.ca, st.domainOf())
	if st.site != nil {
		st.site(t, in, s)
	}
	leads := hoster(in.authority)
	leads = append(leads, "ns1.lamehost.example="+in.stale)
	for _, h := range []string{"192.0.2.53", "1.1.1.1", "8.8.8.8"} {
		leads = append(leads, h+"="+in.resolver)
	}
	address := s.listen(t)
	for _, h := range s.hosts() {
		leads = append(leads, h+"="+address)
	}
	if s.other != nil {
		leads = append(leads, "api.clerk.com="+address)
	}
	if st.leads != nil {
		leads = append(leads, st.leads(t, in)...)
	}
	if st.token != nil {
		st.stdin = st.token(s)
	}
	args := slices.Clone(st.args)
	for _, l := range leads {
		args = append(args, "-connect-to", l)
	}
	args = append(args, "-ca-bundle", in.ca.file)

	var stdout, stderr bytes.Buffer
	env := environment{
		stdin: strings.NewReader(st.stdin), stdout: &stdout, stderr: &stderr, colour: st.tty, live: st.tty, width: st.width,
		getenv: func(name string) string { return st.env[name] }, now: atNoon,
		pause:      func(context.Context, time.Duration) { st.pause(s) },
		dialer:     loopbackOnly(t),
		dnsTimeout: testTimeout,
		resolvConf: resolvConf(t, st.conf),
	}
	code := run(t.Context(), env, args)
	if code != st.exit {
		t.Errorf("exit status %d, want %d", code, st.exit)
	}
	if slices.Contains(st.args, "-json") && !json.Valid(stdout.Bytes()) {
		t.Errorf("standard output is not JSON: %s", &stdout)
	}
	for what, secret := range map[string]string{"secret key": st.env["CLERK_SECRET_KEY"], "token": strings.TrimSpace(st.stdin)} {
		if len(secret) > 20 && strings.Contains(stdout.String()+stderr.String(), secret) {
			t.Errorf("the output contains the %s", what)
		}
	}
	golden(t, st.name, st.transcript(stdout.String(), stderr.String(), code))
}

// transcript is what a terminal would show. The program's name replaces the flags that connect it
// to the test's internet.
func (st story) transcript(stdout, stderr string, code int) string {
	var b strings.Builder
	b.WriteString("$ ")
	for _, name := range slices.Sorted(maps.Keys(st.env)) {
		value := st.env[name]
		if name == "CLERK_SECRET_KEY" {
			value = "sk_…"
		}
		fmt.Fprintf(&b, "%s=%s ", name, value)
	}
	b.WriteString("clerk-doctor")
	for _, a := range st.args {
		if strings.HasPrefix(a, "sk_") {
			a = "sk_…"
		}
		b.WriteString(" " + a)
	}
	if slices.Contains(st.args, "-token") {
		b.WriteString(" <token")
	}
	b.WriteString("\n" + stderr + stdout)
	fmt.Fprintf(&b, "$ echo $?\n%d\n", code)
	return b.String()
}

// golden compares with testdata/golden/<name>.golden, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", strings.NewReplacer(" ", "-", "'", "", ",", "").Replace(name)+".golden") // no module may have an apostrophe in a name
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file) //nolint:gosec // of testdata
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the output is not as in %s.\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

var errElsewhere = errors.New("a test may not leave this machine")

// loopbackOnly fails the test when another address is dialled.
func loopbackOnly(t *testing.T) net.Dialer {
	return net.Dialer{ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		switch host, _, _ := net.SplitHostPort(address); {
		case strings.HasPrefix(host, "127.0.0."):
			return nil
		case strings.HasPrefix(host, "2001:db8:"): // as without IPv6
			return os.NewSyscallError("connect", syscall.ENETUNREACH)
		}
		t.Errorf("the command dials %s, want only this machine", address)
		return errElsewhere
	}}
}

func resolvConf(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(file, []byte(cmp.Or(text, "nameserver 192.0.2.53\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
