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
	"testing"
	"time"

	"github.com/miekg/dns"
)

// nameServers are one that has all zones, one that resolves with it, and one that has the zones of
// testdata/stale, as resolvers have older answers. The first is the story's program, the others are
// BIND.
type nameServers struct{ authority, resolver, stale string }

// testTimeout is long enough on one machine, and short where a server is silent.
const testTimeout = 400 * time.Millisecond

// zoneHead is put before a zone file that has no SOA of its own.
const zoneHead = `@ SOA ns1.hoster.example. hostmaster.hoster.example. 1 7200 900 1209600 300
@ NS ns1.hoster.example.
@ NS ns2.hoster.example.
`

// programs are the name servers that the stories of DNS are run with.
var programs = []string{"named", "knotd"}

func startNameServers(t *testing.T, kind string) nameServers {
	t.Helper()
	program := installed(t, "named", "bind9")
	s := nameServers{stale: startNamed(t, program, "recursion no;", "", "testdata/stale")}
	if kind == "knotd" {
		s.authority = startKnot(t, installed(t, "knotd", "knot"), "testdata/zones")
	} else {
		s.authority = startNamed(t, program, "recursion no;", "", "testdata/zones")
	}
	_, port, err := net.SplitHostPort(s.authority)
	if err != nil {
		t.Fatal(err)
	}
	var anchors strings.Builder
	for zone, ds := range validated {
		fmt.Fprintf(&anchors, "%q static-ds %s; ", zone+".", ds)
	}
	s.resolver = startNamed(t, program,
		"recursion yes; forward only; forwarders { 127.0.0.1 port "+port+"; }; dnssec-validation yes; servfail-ttl 0;",
		"trust-anchors { "+anchors.String()+"};", "")
	return s
}

// installed copies a name server and returns the path. Debian's are not on every PATH, and its
// AppArmor profile, which applies to the original path, does not let named read a test's files.
func installed(t *testing.T, name, debian string) string {
	t.Helper()
	found, err := exec.LookPath(name)
	if err != nil {
		found = "/usr/sbin/" + name
	}
	program, err := os.ReadFile(found) //nolint:gosec // as found
	switch {
	case err != nil && os.Getenv("CI") != "":
		t.Fatalf("%s is not installed: Debian package %s", name, debian)
	case err != nil:
		t.Skipf("%s is not installed: Debian package %s", name, debian)
	}
	own := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(own, program, 0o700); err != nil { //nolint:gosec // must be executable
		t.Fatal(err)
	}
	return own
}

// startNamed starts named on a free port of this machine, with the zones in folder ("": none), and
// waits until it answers. It is stopped when the test ends.
func startNamed(t *testing.T, program, options, statements, folder string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // named may drop root and must read it
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
	awaitZones(t, address, log, zones)
	return address
}

// runUntilDone runs a program until the test is over, even if the test's process crashes: then the
// pipe that the shell reads is closed. It returns what the program writes to standard error.
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
	t.Cleanup(func() { _ = cmd.Wait() }) // it was killed
	return log
}

// validated are the zones that the resolver expects to be signed with a certain key. The first two
// have another key, or none. The next two have signatures that are expired or not yet valid.
var validated = map[string]string{
	signedZone:         `12345 13 2 "` + strings.Repeat("AB", 32) + `"`,
	"unsigned.example": `12345 13 2 "` + strings.Repeat("AB", 32) + `"`,
	"expired.example":  `43028 13 2 "09BCF7DD56D71CE85E82C6FF5777F9CBD5E02EF788ED9E752021FB512BF4F976"`,
	"signed.example":   `60795 13 2 "C409400CA4BF6D3E596D8FCB00184D04CB77C172F6D138BF95B8FE90454F7E7F"`,
	"early.example":    `1323 13 2 "1700E9397CCDA8A258940516A8C4D71AEF12A8ABB32C9C75CD1B5AFEA9F60618"`,
}

// signedZone is signed by its server.
const signedZone = "bogus.example"

// writeZones copies the zone files to named's directory and adds the zones to its configuration. It
// returns their names.
func writeZones(t *testing.T, conf *strings.Builder, dir, folder string) (names []string) {
	t.Helper()
	if folder == "" {
		return nil
	}
	for _, name := range copyZones(t, dir, folder) {
		sign := ""
		if name == signedZone {
			sign = " dnssec-policy default; inline-signing yes;"
		}
		fmt.Fprintf(conf, "zone %q { type primary; file %q;%s check-names ignore; };\n", name, zoneFile(name), sign)
		names = append(names, name)
	}
	return names
}

func zoneFile(name string) string {
	if name == "." {
		return "root.zone"
	}
	return name + ".zone"
}

// copyZones completes the zone files of folder and writes them to dir. It replaces $KEY in them by
// a key made for the test.
func copyZones(t *testing.T, dir, folder string) (names []string) {
	t.Helper()
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
		if err := os.WriteFile(filepath.Join(dir, base), append([]byte(head), text...), 0o644); err != nil { //nolint:gosec // read by the server
			t.Fatal(err)
		}
		name := strings.TrimSuffix(base, ".zone")
		if name == "root" {
			name = "."
		}
		names = append(names, name)
	}
	return names
}

// startKnot starts Knot DNS on a free port of this machine, with the zones in folder, and waits
// until it answers.
func startKnot(t *testing.T, program, folder string) string {
	t.Helper()
	dir := t.TempDir()
	address := freePort(t)
	var conf strings.Builder
	fmt.Fprintf(&conf, "server:\n  listen: %s\n  rundir: %s\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n", strings.Replace(address, ":", "@", 1), dir)
	fmt.Fprintf(&conf, "log:\n  - target: stderr\n    any: warning\ncontrol:\n  listen: %s/knot.sock\ndatabase:\n  storage: %s\ntemplate:\n  - id: default\n    storage: %s\n    zonefile-sync: -1\nzone:\n", dir, dir, dir)
	zones := copyZones(t, dir, folder)
	for _, name := range zones {
		fmt.Fprintf(&conf, "  - domain: %q\n    file: %s\n", name, zoneFile(name))
		if name == signedZone {
			conf.WriteString("    dnssec-signing: on\n")
		}
	}
	file := filepath.Join(dir, "knot.conf")
	if err := os.WriteFile(file, []byte(conf.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	log := runUntilDone(t, program, "-c", file)
	awaitZones(t, address, log, zones)
	return address
}

// awaitZones waits until a server has all zones.
func awaitZones(t *testing.T, address string, log *safeBuffer, zones []string) {
	t.Helper()
	for _, z := range zones {
		awaitReply(t, address, log, dns.Question{Name: dns.Fqdn(z), Qtype: dns.TypeSOA, Qclass: dns.ClassINET})
	}
	if slices.Contains(zones, signedZone) {
		awaitReply(t, address, log, dns.Question{Name: signedZone + ".", Qtype: dns.TypeDNSKEY, Qclass: dns.ClassINET})
	}
}

// awaitReply sends a query until there is an answer: servers listen before their zones are loaded.
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
		pause(t.Context(), 20*time.Millisecond) // a refused packet is reported at once
	}
	t.Fatalf("the name server does not answer %v:\n%s", q, log.String())
}

// freePort returns an address of this machine that is free for both UDP and TCP.
func freePort(t *testing.T) string {
	t.Helper()
	l, p := listenBoth(t)
	_, _ = l.Close(), p.Close()
	return l.Addr().String()
}
