package backendapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
)

// transport answers every question with what ask says.
type transport struct {
	mu    sync.Mutex
	asked []string
	ask   func(r *http.Request) (int, string, error)
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	t.asked = append(t.asked, r.URL.Path)
	t.mu.Unlock()
	status, body, err := t.ask(r)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}, nil
}

func (t *transport) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.asked)
}

func newClient(ask func(r *http.Request) (int, string, error)) (*backendapi.Client, *transport, *time.Time) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	tr := &transport{ask: ask}
	return backendapi.New(&http.Client{Transport: tr}, "https://api.example", "sk_test_x", func() time.Time { return now }, func(*backendapi.OutageError) {}), tr, &now
}

var errNetwork = errors.New("connection reset")

// What an answer leaves open, of a nonce and of a refresh.
func TestUnanswered(t *testing.T) {
	named := func(code string) string { return `{"errors":[{"code":"` + code + `"}]}` }
	for _, tt := range []struct {
		status         int
		body           string
		err            error
		nonce, refresh bool
	}{
		{err: errNetwork, nonce: true, refresh: true},
		{status: 500, body: named("internal_error"), nonce: true, refresh: true},
		{status: 503, nonce: true, refresh: true},
		{status: 429, body: named("too_many_requests"), nonce: true, refresh: true},
		{status: 408, nonce: true, refresh: true},
		{status: 401, body: named("clerk_key_invalid"), nonce: true, refresh: true},
		{status: 401, nonce: true, refresh: true},
		{status: 403, body: named("authorization_invalid"), nonce: true, refresh: true},
		{status: 302, nonce: true, refresh: true},
		{status: 204, nonce: true, refresh: true},
		{status: 200, body: "<html>", nonce: true, refresh: true},
		{status: 200, body: `{}`, nonce: true, refresh: true},
		{status: 404, body: named("resource_not_found"), nonce: false, refresh: false},
		{status: 404, body: "<html>", nonce: false, refresh: false},
		{status: 422, body: named("form_param_invalid"), nonce: false, refresh: false},
		{status: 401, body: named("invalid_session_token"), nonce: false, refresh: false},
		{status: 401, body: named("refresh_token_expired"), nonce: false, refresh: false},
	} {
		ask := func(*http.Request) (int, string, error) { return tt.status, tt.body, tt.err }
		c, _, _ := newClient(ask)
		_, err := c.HandshakePayload(t.Context(), "nonce_nonce")
		if err == nil || backendapi.Unanswered(err) != tt.nonce {
			t.Errorf("nonce, %d %s: %v, want unanswered %t", tt.status, tt.body, err, tt.nonce)
		}
		_, err = c.Refresh(t.Context(), backendapi.RefreshRequest{Session: "sess_a", RefreshToken: "rt"})
		if err == nil || backendapi.Unanswered(err) != tt.refresh {
			t.Errorf("refresh, %d %s: %v, want unanswered %t", tt.status, tt.body, err, tt.refresh)
		}
	}
}

// One kind of question cannot use up the places, nor open the breaker, of the other.
func TestKindsAreApart(t *testing.T) {
	failing := "/v1/clients/"
	c, _, _ := newClient(func(r *http.Request) (int, string, error) {
		if strings.HasPrefix(r.URL.Path, failing) {
			return 0, "", errNetwork
		}
		return 200, `{"cookies":["__session=x"],"directives":["__session=x"]}`, nil
	})
	for range 5 {
		if _, err := c.HandshakePayload(t.Context(), "nonce_nonce"); err == nil {
			t.Fatal("it does not fail")
		}
	}
	if _, err := c.Refresh(t.Context(), backendapi.RefreshRequest{Session: "sess_a"}); err != nil {
		t.Errorf("a refresh: %v", err)
	}
	c, _, _ = newClient(func(r *http.Request) (int, string, error) {
		if !strings.HasPrefix(r.URL.Path, failing) {
			return 0, "", errNetwork
		}
		return 200, `{"directives":["__session=x"]}`, nil
	})
	for i := range 5 {
		if _, err := c.Refresh(t.Context(), backendapi.RefreshRequest{Session: fmt.Sprintf("sess_%d", i)}); err == nil {
			t.Fatal("it does not fail")
		}
	}
	if _, err := c.HandshakePayload(t.Context(), "nonce_nonce"); err != nil {
		t.Errorf("a nonce: %v", err)
	}
}

// A Backend API that hangs delays one request of a session, by two seconds, and is not asked again for a while.
func TestHangDelaysOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, tr, now := newClient(func(r *http.Request) (int, string, error) {
			<-r.Context().Done()
			return 0, "", r.Context().Err()
		})
		start := time.Now()
		for i := range 10 {
			_, err := c.Refresh(t.Context(), backendapi.RefreshRequest{Session: "sess_a"})
			if !backendapi.Unanswered(err) {
				t.Errorf("request %d: %v", i, err)
			}
			if took := time.Since(start); took != 2*time.Second {
				t.Errorf("after request %d %s were spent, want 2s", i, took)
			}
		}
		time.Sleep(4 * time.Second) // the question has ended without an answer
		*now = now.Add(4 * time.Second)
		start = time.Now()
		if _, err := c.Refresh(t.Context(), backendapi.RefreshRequest{Session: "sess_a", RefreshToken: "another"}); !backendapi.Unanswered(err) || time.Since(start) != 0 {
			t.Errorf("later: %v after %s", err, time.Since(start))
		}
		if n := tr.count(); n != 1 {
			t.Errorf("asked %d times, want 1", n)
		}
	})
}

// A slow answer is there for the next request.
func TestSlowRefreshIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, tr, _ := newClient(func(*http.Request) (int, string, error) {
			time.Sleep(3 * time.Second)
			return 200, `{"cookies":["__session=x"]}`, nil
		})
		q := backendapi.RefreshRequest{Session: "sess_a"}
		if _, err := c.Refresh(t.Context(), q); err == nil {
			t.Error("the first did not give up")
		}
		time.Sleep(2 * time.Second)
		if cookies, err := c.Refresh(t.Context(), q); err != nil || len(cookies) != 1 {
			t.Errorf("the second got %q, %v", cookies, err)
		}
		if n := tr.count(); n != 1 {
			t.Errorf("asked %d times, want 1", n)
		}
	})
}

// Refreshes under way count towards the failures of a session: they may fail.
func TestRefreshesUnderWayCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, tr, _ := newClient(func(*http.Request) (int, string, error) {
			time.Sleep(time.Second)
			return 404, "", nil
		})
		var strangers sync.WaitGroup
		for i := range 30 {
			strangers.Go(func() {
				_, _ = c.Refresh(context.Background(), backendapi.RefreshRequest{Session: "sess_a", RefreshToken: fmt.Sprint(i)})
			})
		}
		strangers.Wait()
		if n := tr.count(); n != 5 {
			t.Errorf("asked %d times, want 5", n)
		}
	})
}

// What is remembered of refreshes is bounded.
func TestMemoryOfRefreshesIsBounded(t *testing.T) {
	c, _, now := newClient(func(*http.Request) (int, string, error) { return 200, `{"cookies":["__session=x"]}`, nil })
	for i := range 10_000 {
		if _, err := c.Refresh(t.Context(), backendapi.RefreshRequest{Session: fmt.Sprintf("sess_%d", i)}); err != nil {
			t.Fatal(err)
		}
		*now = now.Add(time.Millisecond)
	}
	if n := c.Remembered(); n > 4096+1 {
		t.Errorf("%d are remembered", n)
	}
}

// What came instead of an answer is told, and nothing of the question with it. A client that hangs up is no outage.
func TestCauses(t *testing.T) {
	var told []string
	ask := func(*http.Request) (int, string, error) { return 503, "", nil }
	tr := &transport{ask: func(r *http.Request) (int, string, error) { return ask(r) }}
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	c := backendapi.New(&http.Client{Transport: tr}, "https://api.example", "sk_test_x", func() time.Time { return now }, func(e *backendapi.OutageError) {
		told = append(told, e.Error())
	})
	exchange := func(ctx context.Context) string {
		_, err := c.HandshakePayload(ctx, "nonce_hidden")
		return fmt.Sprint(backendapi.Cause(err))
	}
	for range 5 { // the breaker opens, and the cause stays known
		now = now.Add(time.Second)
		if got := exchange(t.Context()); !strings.Contains(got, "https://api.example/v1/clients/handshake_payload answered 503") {
			t.Errorf("cause %q, want the address and the status", got)
		}
	}
	if tr.count() != 3 || len(told) != 3 {
		t.Errorf("asked %d times, told of %q", tr.count(), told)
	}
	now = now.Add(time.Minute)
	ask = func(*http.Request) (int, string, error) { return 0, "", errNetwork }
	if got := exchange(t.Context()); !strings.HasSuffix(got, "handshake_payload: connection reset") || strings.Contains(got, "hidden") {
		t.Errorf("cause %q, want the address and the error, and no nonce", got)
	}
	now, told = now.Add(time.Minute), nil
	gone, hangUp := context.WithCancel(t.Context())
	ask = func(r *http.Request) (int, string, error) {
		hangUp()
		return 0, "", r.Context().Err()
	}
	exchange(gone)
	if len(told) != 0 {
		t.Errorf("told of %q though the client hung up", told)
	}
	if cause := backendapi.Cause(errNetwork); cause != nil {
		t.Errorf("cause %v of another error", cause)
	}
}
