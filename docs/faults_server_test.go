package docs_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// fault is something wrong between an application and Clerk's Backend API.
type fault struct {
	name string
	dial dialing
	with clerktest.Fault // nil: the server is well
}

// dialing is how a connection is made. The zero dialing is the right way.
type dialing int

const (
	toServer dialing = iota
	refused
	unresolved
	underAnotherName // than that of the server's certificate
)

func faultsOfBoth() []fault {
	return []fault{
		{name: "connection refused", dial: refused},
		{name: "DNS failure", dial: unresolved},
		{name: "TLS with a wrong name", dial: underAnotherName},
		{name: "no answer", with: clerktest.Hang},
		{name: "a byte every 200 ms", with: drip},
		{name: "500", with: clerktest.Status(http.StatusInternalServerError, nil)},
		{name: "429, Retry-After: 30", with: clerktest.Status(http.StatusTooManyRequests, http.Header{"Retry-After": {"30"}})},
		{name: "a redirect", with: clerktest.Redirect("https://example.com/elsewhere")},
		{name: "`{}`", with: says("{}")},
		{name: "`null`", with: says("null")},
		{name: "a page of HTML", with: clerktest.Garbage},
		{name: "a body without an end", with: endless},
	}
}

// drip answers honestly, and takes minutes for it.
func drip(honest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := httptest.NewRecorder()
		honest.ServeHTTP(whole, r)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for _, b := range whole.Body.Bytes() {
			_, _ = w.Write([]byte{b})
			_ = http.NewResponseController(w).Flush() // the client may be gone, which the context says
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	})
}

func says(body string) clerktest.Fault {
	return func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, body)
		})
	}
}

func endless(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for block := bytes.Repeat([]byte{' '}, 64<<10); r.Context().Err() == nil; {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
}

// network is what is between an application and a server on this machine. It is the RoundTripper of the application.
type network struct {
	fault     atomic.Pointer[fault] // nil: nothing is wrong
	sent      atomic.Int64          // requests
	underWay  atomic.Int64
	transport *http.Transport
}

// serverURL is what the server's certificate is for.
const serverURL = "https://example.com"

// newNetwork starts a server.
func newNetwork(t *testing.T, honest http.Handler) *network {
	t.Helper()
	l := &network{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // or the server does not see when the client has gone
		r.Body = io.NopCloser(bytes.NewReader(body))
		if f := l.fault.Load(); f != nil && f.with != nil {
			f.with(honest).ServeHTTP(w, r)
			return
		}
		honest.ServeHTTP(w, r)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	nobody := httptest.NewServer(nil)
	nobody.Close() // its port refuses connections
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	l.transport = &http.Transport{
		DisableKeepAlives: true,
		DialTLSContext: func(ctx context.Context, kind, _ string) (net.Conn, error) {
			address, name := server.Listener.Addr(), "example.com"
			if f := l.fault.Load(); f != nil {
				switch f.dial {
				case refused:
					address = nobody.Listener.Addr()
				case unresolved:
					return nil, &net.DNSError{Err: "no such host", Name: "api.clerk.com", IsNotFound: true}
				case underAnotherName:
					name = "api.clerk.com"
				}
			}
			return (&tls.Dialer{Config: &tls.Config{RootCAs: roots, ServerName: name}}).DialContext(ctx, kind, address.String())
		},
	}
	return l
}

// RoundTrip implements http.RoundTripper.
func (l *network) RoundTrip(r *http.Request) (*http.Response, error) {
	l.sent.Add(1)
	l.underWay.Add(1)
	resp, err := l.transport.RoundTrip(r)
	if err != nil {
		l.underWay.Add(-1)
		return nil, err
	}
	resp.Body = &watched{ReadCloser: resp.Body, network: l}
	return resp, nil
}

// watched is a body whose end is seen.
type watched struct {
	io.ReadCloser

	network *network
	closed  bool
}

func (w *watched) Close() error {
	if !w.closed {
		w.closed = true
		w.network.underWay.Add(-1)
	}
	return w.ReadCloser.Close()
}

// questions waits until nothing is under way, and returns how many requests were sent since the last call.
func (l *network) questions() int {
	for quiet := 0; quiet < 5; quiet++ {
		before := l.sent.Load()
		<-time.After(50 * time.Millisecond) // what goes on in the background has no other end that shows
		if l.underWay.Load() > 0 || l.sent.Load() != before {
			quiet = -1
		}
	}
	return int(l.sent.Swap(0))
}

// times are how long the longest of each wave of requests took, to the second.
func times(waves ...time.Duration) string {
	var said []string
	for _, d := range waves {
		s := "no wait"
		if d >= 1500*time.Millisecond { // else it is the machine that is slow: the shortest limit is 2 s
			s = fmt.Sprintf("%.0f s", d.Seconds())
		}
		if len(said) == 0 || said[len(said)-1] != s {
			said = append(said, s)
		}
	}
	return strings.Join(said, ", then ")
}

// table is one of a page, which a test writes. A column whose name begins with "longest" has times, which are not compared.
type table struct {
	columns []string
	rows    [][]string
	racing  []string // rows that are not compared either: which of two limits in real time ends first is by chance
}

func (x table) text(withTimes bool) string {
	var s strings.Builder
	row := func(cells []string) {
		for i, c := range cells {
			if !withTimes && strings.HasPrefix(x.columns[i], "longest") {
				c = ""
			}
			s.WriteString("| " + c + " ")
		}
		s.WriteString("|\n")
	}
	row(x.columns)
	s.WriteString(strings.Repeat("|---", len(x.columns)) + "|\n")
	for _, cells := range x.rows {
		if !withTimes && slices.Contains(x.racing, cells[0]) {
			cells = cells[:1]
		}
		row(cells)
	}
	return s.String()
}

// parsed is the table that text is.
func parsed(text string) table {
	var x table
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		x.rows = append(x.rows, cells)
	}
	if len(x.rows) > 2 {
		x.columns, x.rows = x.rows[0], x.rows[2:]
	}
	return x
}

// compare compares the table below a heading of faults.md with x, or writes it.
func (x table) compare(t *testing.T, heading string) {
	t.Helper()
	page := read(t, "docs/faults.md")
	before, after, ok := strings.Cut(page, "\n"+heading+"\n")
	begin := strings.Index(after, "\n|")
	if !ok || begin < 0 {
		t.Fatalf("faults.md has no table below %q", heading)
	}
	end := begin + 1
	for line := range strings.Lines(after[end:]) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		end += len(line)
	}
	if *update {
		page = before + "\n" + heading + "\n" + after[:begin+1] + x.text(true) + after[end:]
		if err := os.WriteFile("faults.md", []byte(page), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	there := parsed(after[begin+1 : end])
	there.racing = x.racing
	if got, want := there.text(false), x.text(false); got != want {
		t.Errorf("faults.md, %s: the page has\n%s\nand it was\n%s\ngo test -run TestFaults ./docs -update writes it", heading, got, want)
	}
}
