package clerktest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// TestFaultsAnswer sets each fault on one endpoint and checks that the other endpoint stays honest
// and that nil removes the fault.
func TestFaultsAnswer(t *testing.T) {
	const elsewhere = "https://elsewhere.example/keys"
	tests := []struct {
		name  string
		fault clerktest.Fault
		check func(t *testing.T, honest, got answer)
	}{
		{"garbage", clerktest.Garbage, func(t *testing.T, _, got answer) {
			if got.status != http.StatusOK || json.Valid(got.body) || got.header.Get("Content-Type") != "text/html; charset=utf-8" {
				t.Errorf("got %d %s %q, want a page", got.status, got.header, got.body)
			}
		}},
		{"empty set", clerktest.EmptySet, func(t *testing.T, _, got answer) {
			if got.status != http.StatusOK || string(got.body) != `{"keys":[]}` {
				t.Errorf("got %d %q, want no keys", got.status, got.body)
			}
		}},
		{"huge body", clerktest.HugeBody, func(t *testing.T, honest, got answer) {
			if len(got.body) < 1<<20 || !bytes.Equal(bytes.TrimSpace(got.body), honest.body) || got.status != http.StatusOK {
				t.Errorf("got %d and %d bytes, want a MiB more than the honest %d, and nothing but white space", got.status, len(got.body), len(honest.body))
			}
		}},
		{"status", clerktest.Status(http.StatusTooManyRequests, http.Header{"Retry-After": {"7"}}), func(t *testing.T, _, got answer) {
			if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "7" || !bytes.Contains(got.body, []byte(`"errors"`)) {
				t.Errorf("got %d %s %q, want 429, Retry-After and errors", got.status, got.header, got.body)
			}
		}},
		{"redirect", clerktest.Redirect(elsewhere), func(t *testing.T, _, got answer) {
			if got.status != http.StatusFound || got.header.Get("Location") != elsewhere {
				t.Errorf("got %d to %q, want 302 to %q", got.status, got.header.Get("Location"), elsewhere)
			}
		}},
		{"one of the caller's own", func(http.Handler) http.Handler { return http.NotFoundHandler() }, func(t *testing.T, _, got answer) {
			if got.status != http.StatusNotFound {
				t.Errorf("got %d, want 404", got.status)
			}
		}},
	}
	both(t, func(t *testing.T, in *clerktest.Instance) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				for faulty, other := range map[clerktest.Endpoint]clerktest.Endpoint{
					clerktest.FrontendJWKS: clerktest.BackendJWKS, clerktest.BackendJWKS: clerktest.FrontendJWKS,
				} {
					honest := mustAsk(t, in, faulty)
					in.Fault(faulty, tt.fault)
					// A client that has the keys already gets the fault too.
					tt.check(t, honest, mustAsk(t, in, faulty, "If-None-Match", honest.header.Get("ETag")))
					published(t, mustAsk(t, in, other))
					in.Fault(faulty, nil)
					published(t, mustAsk(t, in, faulty))
				}
			})
		}
	})
}

func TestDownBreaksTheConnection(t *testing.T) {
	both(t, func(t *testing.T, in *clerktest.Instance) {
		for range 2 {
			in.Fault(clerktest.FrontendJWKS, clerktest.Down)
			in.ResetRequests()
			if a, err := ask(t, in, clerktest.FrontendJWKS); err == nil {
				t.Errorf("got status %d, want an error", a.status)
			}
			if n := len(in.Requests()); n != 1 {
				t.Errorf("%d requests seen, want 1", n)
			}
			in.Fault(clerktest.FrontendJWKS, nil)
			mustAsk(t, in, clerktest.FrontendJWKS)
		}
	})
}

func TestRedirectLeadsToTheOtherEndpoint(t *testing.T) {
	both(t, func(t *testing.T, in *clerktest.Instance) {
		in.Fault(clerktest.BackendJWKS, clerktest.Redirect(in.URL(clerktest.FrontendJWKS)))
		location := mustAsk(t, in, clerktest.BackendJWKS).header.Get("Location")
		if want := in.URL(clerktest.FrontendJWKS); location != want {
			t.Fatalf("Location %q, want %q", location, want)
		}
		published(t, mustAsk(t, in, clerktest.FrontendJWKS))
	})
}

// askWithin sends one GET for the Frontend API's keys that ends with its context.
func askWithin(ctx context.Context, t *testing.T, in *clerktest.Instance) (status int, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, in.URL(clerktest.FrontendJWKS), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := in.Config().HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func TestHangAndSlowLastAsLongAsTheySay(t *testing.T) {
	tests := []struct {
		name    string
		fault   clerktest.Fault
		patient time.Duration
		lasts   time.Duration
		ok      bool
	}{
		{"hang", clerktest.Hang, 3 * time.Second, 3 * time.Second, false},
		{"slow", clerktest.Slow(2 * time.Second), 3 * time.Second, 2 * time.Second, true},
		{"too slow", clerktest.Slow(time.Hour), 3 * time.Second, 3 * time.Second, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in := clerktest.New(t, clerktest.Options{})
				in.Fault(clerktest.FrontendJWKS, tt.fault)
				ctx, cancel := context.WithTimeout(t.Context(), tt.patient)
				defer cancel()
				began := time.Now()
				status, err := askWithin(ctx, t, in)
				if lasted := time.Since(began); lasted != tt.lasts {
					t.Errorf("lasted %s, want %s", lasted, tt.lasts)
				}
				if ok := err == nil && status == http.StatusOK; ok != tt.ok {
					t.Errorf("got %d, %v; want success %t", status, err, tt.ok)
				}
				if !tt.ok && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want the context's error", err)
				}
			})
		})
	}
}

// TestHangOnTheListenerEndsWithItsClientOrTheInstance uses no clock: if it fails, it exceeds the
// time limit of the test binary.
func TestHangOnTheListenerEndsWithItsClientOrTheInstance(t *testing.T) {
	for _, name := range []string{"client", "instance"} {
		t.Run(name, func(t *testing.T) {
			in := start(t, clerktest.Options{})
			received := make(chan struct{})
			in.Fault(clerktest.FrontendJWKS, func(honest http.Handler) http.Handler {
				close(received)
				return clerktest.Hang(honest)
			})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				<-received
				if name == "client" {
					cancel()
				} else {
					in.Close()
				}
			}()
			if status, err := askWithin(ctx, t, in); err == nil {
				t.Errorf("got %d, want an error", status)
			}
			in.Close() // waits for the handler
		})
	}
}

func TestCloseEndsAHangInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := clerktest.New(t, clerktest.Options{})
		in.Fault(clerktest.FrontendJWKS, clerktest.Hang)
		go func() {
			synctest.Wait()
			in.Close()
		}()
		if status, err := askWithin(t.Context(), t, in); err == nil {
			t.Errorf("got %d, want an error", status)
		}
	})
}

func TestFaultOnAnUnknownEndpointPanics(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	defer func() {
		if recover() == nil {
			t.Error("no panic, want one")
		}
	}()
	in.Fault("jwks", clerktest.Down)
}

func TestConcurrentUse(t *testing.T) {
	both(t, func(t *testing.T, in *clerktest.Instance) {
		var users sync.WaitGroup
		for i := range 8 {
			users.Go(func() {
				if i%4 == 0 {
					in.Fault(clerktest.BackendJWKS, clerktest.EmptySet)
					in.RotateKey()
				}
				in.Fault(clerktest.BackendJWKS, nil)
				if strings.Count(in.Token(clerktest.Claims{}), ".") != 2 {
					t.Error("got no token after the fault was removed")
				}
				if _, err := ask(t, in, clerktest.BackendJWKS); err != nil {
					t.Error(err)
				}
				in.Requests()
			})
		}
		users.Wait()
		if n := len(in.Requests()); n != 8 {
			t.Errorf("%d requests seen, want 8", n)
		}
	})
}
