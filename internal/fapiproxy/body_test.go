package fapiproxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth/internal/fapiproxy"
)

// endless is a body without end that counts what was read.
type endless struct{ read int }

func (e *endless) Read(p []byte) (int, error) {
	e.read += len(p)
	return len(p), nil
}

func TestBodySize(t *testing.T) {
	for _, tt := range []struct {
		name          string
		size, length  int64 // -1: it is unknown
		want, reached int
	}{
		{"the largest", fapiproxy.MaxBody, fapiproxy.MaxBody, http.StatusOK, 1},
		{"the largest, in chunks", fapiproxy.MaxBody, -1, http.StatusOK, 1},
		{"one byte more", fapiproxy.MaxBody + 1, fapiproxy.MaxBody + 1, http.StatusRequestEntityTooLarge, 0},
		{"one byte more, in chunks", fapiproxy.MaxBody + 1, -1, http.StatusRequestEntityTooLarge, 0},
		{"a lot, announced", 10, 1 << 50, http.StatusRequestEntityTooLarge, 0},
	} {
		s := newSite(t, nil)
		r := httptest.NewRequest(http.MethodPost, "/__clerk/v1/me/profile_image", io.LimitReader(&endless{}, tt.size))
		r.ContentLength = tt.length
		w := s.serve(t, r)
		if w.Code != tt.want || len(s.received) != tt.reached || len(s.failed) != 0 {
			t.Errorf("%s: got %d after %d requests with the failures %v, want %d after %d", tt.name, w.Code, len(s.received), s.failed, tt.want, tt.reached)
		}
		if tt.reached == 1 && int64(len(s.bodies[0])) != tt.size {
			t.Errorf("%s: Clerk got %d bytes, want %d", tt.name, len(s.bodies[0]), tt.size)
		}
	}
	s, body := newSite(t, nil), &endless{}
	r := httptest.NewRequest(http.MethodPost, "/__clerk/v1/client", body)
	if w := s.serve(t, r); w.Code != http.StatusRequestEntityTooLarge || body.read > fapiproxy.MaxBody+1<<20 {
		t.Errorf("a body without end: got %d after %d bytes, want 413 after the limit", w.Code, body.read)
	}
}

// The errors of an application's transport may contain anything. They are for the caller's log,
// which hides the key.
func TestFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		want int
	}{
		"nobody there":    {err: errRefused, want: http.StatusBadGateway},
		"a telling error": {err: fmt.Errorf("send %s: %w", secret, errRefused), want: http.StatusBadGateway},
		"too slow":        {err: fmt.Errorf("send: %w", context.DeadlineExceeded), want: http.StatusGatewayTimeout},
	} {
		s := newSite(t, nil)
		s.answer = func(*http.Request) (*http.Response, error) { return nil, tt.err }
		w := s.send(t, "GET /__clerk/v1/client")
		if w.Code != tt.want || len(s.failed) != 1 || !errors.Is(s.failed[0], tt.err) {
			t.Errorf("%s: got %d with the failures %v, want %d with %v", name, w.Code, s.failed, tt.want, tt.err)
		}
		checkRefusal(t, w)
	}
}

// The proxy requests no other protocol from Clerk, and no client of this host gets one.
func TestSwitchingProtocols(t *testing.T) {
	s := newSite(t, nil)
	s.answer = func(*http.Request) (*http.Response, error) {
		return answer(http.StatusSwitchingProtocols, http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}, ""), nil
	}
	if w := s.send(t, "GET /__clerk/v1/client"); w.Code != http.StatusBadGateway || len(s.failed) != 1 || w.Header().Get("Upgrade") != "" {
		t.Errorf("got %d %v with the failures %v, want 502 with one", w.Code, w.Header(), s.failed)
	}
}

// A Frontend API that never answers costs a request two minutes, or nothing if its client disconnects.
func TestSlow(t *testing.T) {
	hang := func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		s.answer = hang
		begin := time.Now()
		w := s.send(t, "GET /__clerk/v1/client")
		if took := time.Since(begin); w.Code != http.StatusGatewayTimeout || len(s.failed) != 1 || took != 2*time.Minute {
			t.Errorf("got %d after %v with the failures %v, want 504 after 2m with one", w.Code, took, s.failed)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		s.answer = hang
		ctx, hangUp := context.WithTimeout(t.Context(), time.Second)
		time.AfterFunc(500*time.Millisecond, hangUp)
		s.serve(t, read(t, "GET /__clerk/v1/client HTTP/1.1\nHost: example.com\n\n").WithContext(ctx))
		if len(s.failed) != 0 {
			t.Errorf("a client that disconnects: got the failures %v, want none", s.failed)
		}
	})
}

// Bodies pass unchanged, and neither side waits for the end of one.
func TestStreams(t *testing.T) {
	received, proceed := make(chan string, 1), make(chan struct{})
	upstream := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := make([]byte, 5)
		_, _ = io.ReadFull(r.Body, begin)
		received <- string(begin)
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = w.Write([]byte("first"))
		_ = http.NewResponseController(w).Flush()
		<-proceed
		_, _ = w.Write([]byte("later"))
	}))
	defer upstream.Close()
	front := serveFront(t, upstream.URL, nil)
	body, write := io.Pipe()
	go func() {
		_, _ = io.WriteString(write, "begin")
		if got := <-received; got != "begin" {
			t.Errorf("Clerk read %q, want \"begin\"", got)
		}
		_ = write.Close()
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, front.URL+"/__clerk/v1/client", body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "first" {
		t.Fatalf("read %q and %v, want \"first\" before the rest is sent", first, err)
	}
	close(proceed)
	if later, err := io.ReadAll(resp.Body); err != nil || string(later) != "later" {
		t.Errorf("read %q and %v, want \"later\"", later, err)
	}
}
