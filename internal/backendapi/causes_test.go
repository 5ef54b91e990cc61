package backendapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// The cause of an unanswered call is reported, without any part of the call. A client that
// disconnects is no outage.
func TestCauses(t *testing.T) {
	var told []string
	now := fixed()
	n := &network{answer: always(503, "")}
	c := backendapi.New(&http.Client{Transport: n}, "https://api.example", "sk_test_x", func() time.Time { return now }, func(e *transport.OutageError) {
		told = append(told, e.Error())
	})
	exchange := func(ctx context.Context) string {
		_, err := c.HandshakePayload(ctx, "nonce_hidden")
		return fmt.Sprint(backendapi.Cause(err))
	}
	for range 5 { // the breaker opens, and the cause is still known
		now = now.Add(time.Second)
		if got := exchange(t.Context()); !strings.Contains(got, "https://api.example/v1/clients/handshake_payload answered 503") {
			t.Errorf("cause %q, want the address and the status", got)
		}
	}
	if n.want(t, "while it fails", 3); len(told) != 3 {
		t.Errorf("%d failures were reported, want 3: %q", len(told), told)
	}
	now = now.Add(time.Minute)
	n.answers(func(*http.Request) (int, string, error) { return 0, "", errNetwork })
	if got := exchange(t.Context()); !strings.HasSuffix(got, "handshake_payload: connection reset") || strings.Contains(got, "hidden") {
		t.Errorf("cause %q, want the address and the error, and no nonce", got)
	}
	now, told = now.Add(time.Minute), nil
	gone, hangUp := context.WithCancel(t.Context())
	n.answers(func(r *http.Request) (int, string, error) {
		hangUp()
		return 0, "", r.Context().Err()
	})
	exchange(gone)
	if len(told) != 0 {
		t.Errorf("the failures %q were reported, want none as the client disconnected", told)
	}
	if cause := backendapi.Cause(errNetwork); cause != nil {
		t.Errorf("another error has the cause %v, want none", cause)
	}
}
