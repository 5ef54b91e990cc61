package backendapi_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// quiet is for tests that ignore warnings.
func quiet(*transport.OutageError) {}

const (
	base   = "https://api.example"
	secret = "sk_test_ThisIsTheSecretKey"
	worked = `{"cookies":["__session=x"],"directives":["__session=x"]}`
)

var errNetwork = errors.New("connection reset")

// answers returns a network's answer to a request.
type answers func(r *http.Request) (status int, body string, err error)

// always returns the same answer to every request.
func always(status int, body string) answers {
	return func(*http.Request) (int, string, error) { return status, body, nil }
}

// hang does not answer.
func hang(r *http.Request) (int, string, error) {
	<-r.Context().Done()
	return 0, "", r.Context().Err()
}

// drain waits for calls that continue after their requests: a bubble must not end before they do.
func drain() { time.Sleep(5 * time.Second) }

// named returns the body of an error with a code.
func named(code string) string { return `{"errors":[{"code":"` + code + `"}]}` }

// received is a request, with its body.
type received struct {
	*http.Request
	body string
}

// network is a network in memory, which records the requests.
type network struct {
	mu       sync.Mutex // guards the fields below
	answer   answers
	requests []received
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	body := ""
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		body = string(b)
	}
	n.mu.Lock()
	n.requests = append(n.requests, received{r, body})
	answer := n.answer
	n.mu.Unlock()
	status, text, err := answer(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(text)), Header: http.Header{}, Request: r}, nil
}

// answers changes the network's answers from now on.
func (n *network) answers(a answers) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answer = a
}

// count is the number of requests.
func (n *network) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.requests)
}

// want compares the number of requests.
func (n *network) want(t *testing.T, when string, want int) {
	t.Helper()
	if got := n.count(); got != want {
		t.Errorf("%s: asked %d times, want %d", when, got, want)
	}
}

func newClient(a answers) (*backendapi.Client, *network) { return newClientAt(time.Now, a) }

func newClientAt(now func() time.Time, a answers) (*backendapi.Client, *network) {
	n := &network{answer: a}
	return backendapi.New(&http.Client{Transport: n}, base, secret, now, quiet), n
}

// question makes a call of either kind, the nth: no two are shared.
type question func(t *testing.T, c *backendapi.Client, n int) ([]string, error)

func askNonce(t *testing.T, c *backendapi.Client, _ int) ([]string, error) {
	t.Helper()
	return c.HandshakePayload(t.Context(), "nonce_nonce")
}

func askRefresh(t *testing.T, c *backendapi.Client, n int) ([]string, error) {
	t.Helper()
	return c.Refresh(t.Context(), backendapi.RefreshRequest{Session: "sess_" + string(rune('a'+n%26)) + strings.Repeat("x", n/26)})
}

// bothKinds runs a test for each kind of call, in a synctest bubble whose clock is the client's.
func bothKinds(t *testing.T, test func(t *testing.T, ask question)) {
	t.Helper()
	for kind, ask := range map[string]question{"nonce": askNonce, "refresh": askRefresh} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, ask) })
		})
	}
}
