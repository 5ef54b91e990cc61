package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// nameServers are three of BIND: one that has all zones, one that resolves by asking it, and one that has the zones of
// testdata/stale, as resolvers have what was there before.
type nameServers struct{ authority, resolver, stale string }

// zoneHead is put before a zone file that has no SOA of its own.
const zoneHead = `@ SOA ns1.hoster.example. hostmaster.hoster.example. 1 7200 900 1209600 300
@ NS ns1.hoster.example.
@ NS ns2.hoster.example.
`

func startNameServers(t *testing.T) nameServers {
	t.Helper()
	program := named(t)
	s := nameServers{
		authority: startNamed(t, program, "recursion no;", "", "testdata/zones"),
		stale:     startNamed(t, program, "recursion no;", "", "testdata/stale"),
	}
	_, port, err := net.SplitHostPort(s.authority)
	if err != nil {
		t.Fatal(err)
	}
	s.resolver = startNamed(t, program,
		"recursion yes; forward only; forwarders { 127.0.0.1 port "+port+"; }; dnssec-validation yes;",
		`trust-anchors { "`+signedZone+`." static-ds 12345 13 2 "`+strings.Repeat("AB", 32)+`"; };`, "")
	return s
}

// named is a copy of BIND's server. Debian's is not on everybody's PATH, and AppArmor lets it read nothing of a test's: its
// profile goes by the path.
func named(t *testing.T) string {
	t.Helper()
	installed, err := exec.LookPath("named")
	if err != nil {
		installed = "/usr/sbin/named"
	}
	program, err := os.ReadFile(installed) //nolint:gosec // as found
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatal("named is not installed: Debian package bind9")
	case err != nil:
		t.Skip("named is not installed: Debian package bind9")
	}
	own := filepath.Join(t.TempDir(), "named")
	if err := os.WriteFile(own, program, 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	return own
}

// startNamed starts one on a free port of this machine, with the zones in folder ("": none), and waits until it answers.
// It is stopped when the test ends.
func startNamed(t *testing.T, program, options, statements, folder string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // named may give up root and has to read it
		t.Fatal(err)
	}
	address := freePort(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, "options { directory %q; listen-on port %s { %s; }; listen-on-v6 { none; }; pid-file none; session-keyfile none;\n", dir, port, host)
	fmt.Fprintf(&conf, "  empty-zones-enable no; notify no; allow-query { any; }; %s };\ncontrols { };\n%s\n", options, statements)
	zones := writeZones(t, &conf, dir, folder)
	if err := os.WriteFile(filepath.Join(dir, "named.conf"), []byte(conf.String()), 0o644); err != nil { //nolint:gosec // as above
		t.Fatal(err)
	}
	log := runUntilDone(t, program, "-g", "-n", "1", "-c", filepath.Join(dir, "named.conf"))
	awaitReply(t, address, log, dns.Question{Name: "version.bind.", Qtype: dns.TypeTXT, Qclass: dns.ClassCHAOS})
	for _, z := range zones {
		awaitReply(t, address, log, dns.Question{Name: dns.Fqdn(z), Qtype: dns.TypeSOA, Qclass: dns.ClassINET})
	}
	if slices.Contains(zones, signedZone) {
		awaitReply(t, address, log, dns.Question{Name: signedZone + ".", Qtype: dns.TypeDNSKEY, Qclass: dns.ClassINET})
	}
	return address
}

// runUntilDone runs a program until the test is over, even if the test's process crashes: then the pipe that the shell reads
// breaks. It returns what the program writes to standard error.
func runUntilDone(t *testing.T, program string, args ...string) *safeBuffer {
	t.Helper()
	const script = `"$0" "$@" & child=$!; cat >/dev/null; kill -9 "$child"; wait "$child"`
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, program}, args...)...) //nolint:gosec // our own arguments
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	log := new(safeBuffer)
	cmd.Stderr = log
	cmd.Cancel = stdin.Close
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed, as it should be
	return log
}

// signedZone is signed by its server, and the resolver trusts another key.
const signedZone = "bogus.example"

// writeZones copies the zone files to where named runs and adds the zones to its configuration. It returns their names.
func writeZones(t *testing.T, conf *strings.Builder, dir, folder string) (names []string) {
	t.Helper()
	if folder == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.zone"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no zone files in %s: %v", folder, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // of testdata
		if err != nil {
			t.Fatal(err)
		}
		head := "$TTL 3600\n"
		if !bytes.Contains(text, []byte(" SOA ")) {
			head += zoneHead
		}
		base := filepath.Base(file)
		if err := os.WriteFile(filepath.Join(dir, base), append([]byte(head), text...), 0o644); err != nil { //nolint:gosec // as above
			t.Fatal(err)
		}
		name := strings.TrimSuffix(base, ".zone")
		if name == "root" {
			name = "."
		}
		sign := ""
		if name == signedZone {
			sign = " dnssec-policy default; inline-signing yes;"
		}
		fmt.Fprintf(conf, "zone %q { type primary; file %q;%s };\n", name, base, sign)
		names = append(names, name)
	}
	return names
}

// awaitReply asks until there is an answer: named listens before its zones are loaded.
func awaitReply(t *testing.T, address string, log *safeBuffer, q dns.Question) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	m := new(dns.Msg)
	m.Id, m.Question = dns.Id(), []dns.Question{q}
	for time.Now().Before(deadline) {
		c := dns.Client{Timeout: 200 * time.Millisecond}
		in, _, err := c.ExchangeContext(t.Context(), m, address)
		if err == nil && len(in.Answer) > 0 {
			return
		}
		pause(t.Context(), 20*time.Millisecond) // a refused packet comes back at once
	}
	t.Fatalf("named does not answer %v:\n%s", q, log.String())
}

// freePort is an address of this machine that is free for both UDP and TCP, a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	for range 20 {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := l.Addr().String()
		p, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", address)
		_ = l.Close()
		if err == nil {
			_ = p.Close()
			return address
		}
	}
	t.Fatal("no port is free for both UDP and TCP")
	return ""
}

// safeBuffer is a bytes.Buffer for writers that run at once.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// laxServer answers from a list of records, and with a CNAME beside others: no careful server does that, so the test plays it.
func laxServer(t *testing.T, records ...string) string {
	t.Helper()
	var rrs []dns.RR
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err != nil {
			t.Fatal(err)
		}
		rrs = append(rrs, rr)
	}
	return serveDNS(t, func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.Authoritative = true
		for _, rr := range rrs {
			if rr.Header().Name == q.Question[0].Name && rr.Header().Rrtype == q.Question[0].Qtype {
				m.Answer = append(m.Answer, rr)
			}
		}
		_ = w.WriteMsg(m)
	})
}

// serveDNS runs a name server of the test's own, over UDP and TCP.
func serveDNS(t *testing.T, handle dns.HandlerFunc) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{Listener: l, Handler: handle}, {PacketConn: p, Handler: handle}} {
		started := make(chan struct{})
		s.NotifyStartedFunc = func() { close(started) }
		done := make(chan error, 1)
		go func() { done <- s.ActivateAndServe() }()
		<-started
		t.Cleanup(func() {
			_ = s.Shutdown()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	return l.Addr().String()
}
