package backendapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/transport"
)

// The cause of an unanswered call is reported, without any part of the call.
func TestCauses(t *testing.T) {
	var told []string
	now := fixed()
	n := &network{answer: always(503, "")}
	c := backendapi.New(&http.Client{Transport: n}, "https://api.example", "sk_test_x", func() time.Time { return now }, func(e *transport.OutageError) {
		told = append(told, e.Error())
	})
	exchange := func() string {
		_, err := c.HandshakePayload(t.Context(), "nonce_hidden")
		return fmt.Sprint(backendapi.Cause(err))
	}
	for range 5 { // the breaker opens, and the cause is still known
		now = now.Add(time.Second)
		if got := exchange(); !strings.Contains(got, "https://api.example/v1/clients/handshake_payload answered 503") {
			t.Errorf("cause %q, want the address and the status", got)
		}
	}
	if n.want(t, "while it fails", 3); len(told) != 3 {
		t.Errorf("%d failures were reported, want 3: %q", len(told), told)
	}
	now = now.Add(time.Minute)
	n.answers(func(*http.Request) (int, string, error) { return 0, "", errNetwork })
	if got := exchange(); !strings.HasSuffix(got, "handshake_payload: connection reset") || strings.Contains(got, "hidden") {
		t.Errorf("cause %q, want the address and the error, and no nonce", got)
	}
	if cause := backendapi.Cause(errNetwork); cause != nil {
		t.Errorf("another error has the cause %v, want none", cause)
	}
}
