package bench

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestWrongAnswersAreReported(t *testing.T) {
	for want, wrong := range map[int]bool{http.StatusNoContent: false, http.StatusOK: true, http.StatusUnauthorized: true} {
		r := contestant("x", "y", http.HandlerFunc(Handler), want, script).Runner()
		r.Run(3)
		if err := r.Check(); (err != nil) != wrong {
			t.Errorf("204 where %d is wanted: %v", want, err)
		}
	}
}

// Two runners, one after the other, send every line before one is sent again.
func TestLinesAreSentInTurn(t *testing.T) {
	lines := make([]string, 4*block)
	for i := range lines {
		lines[i] = strings.Repeat("x", i)
	}
	sent := map[string]int{}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent[r.Header.Get("Authorization")]++
		w.WriteHeader(http.StatusNoContent)
	})
	k := contestant("x", "y", h, http.StatusNoContent, script).sending("Authorization", lines)
	k.Runner().Run(2 * block)
	k.Runner().Run(2 * block)
	if len(sent) != len(lines) {
		t.Errorf("%d lines were sent, want %d", len(sent), len(lines))
	}
}

func TestRateIn(t *testing.T) {
	const good = "  3 requests in 1.00s, 1MB read\nRequests/sec:  12345.67\nTransfer/sec: 1MB\n"
	for out, want := range map[string]float64{
		good:                                     12345.67,
		"":                                       0,
		"  Non-2xx or 3xx responses: 7\n" + good: 0,
		"  Socket errors: connect 0, read 9, write 0, timeout 0\n" + good: 0,
	} {
		if got, err := rateIn([]byte(out)); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: got %v, %v, want %v", out, got, err, want)
		}
	}
}

// Servers admit what the load tool sends, in another process than the one that made the party cookie, and end with stdin.
func TestServedRequestsAreAdmitted(t *testing.T) {
	c, err := NewCourse(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	addresses := map[string]string{}
	for _, row := range ServedRequests() {
		if addresses[row.Server] == "" {
			addresses[row.Server] = serve(t, row.Server)
		}
		r, err := row.send(c)
		if err != nil {
			t.Fatal(err)
		}
		r.RequestURI, r.URL.Scheme, r.URL.Host = "", "http", addresses[row.Server]
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if set := answer.Header.Values("Set-Cookie"); answer.StatusCode != http.StatusNoContent || set != nil {
			t.Errorf("%s, %s: got %d, cookies %q, want 204 and none", row.Request, row.Server, answer.StatusCode, set)
		}
	}
	if len(addresses) != 5 {
		t.Errorf("%d servers, want 5", len(addresses))
	}
}

// serve is a server that ends with the test.
func serve(t *testing.T, server string) (address string) {
	t.Helper()
	stdin, end := io.Pipe()
	printed, stdout := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- Serve(server, stdin, stdout) }()
	t.Cleanup(func() {
		end.Close() //nolint:errcheck // a pipe in memory
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(printed).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}
