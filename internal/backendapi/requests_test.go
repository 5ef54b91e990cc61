package backendapi_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/backendapi"
)

func TestWhatIsSent(t *testing.T) {
	nonce := func(nonce string) func(*testing.T, *backendapi.Client) error {
		return func(t *testing.T, c *backendapi.Client) error {
			_, err := c.HandshakePayload(t.Context(), nonce)
			return err
		}
	}
	refresh := func(q backendapi.RefreshRequest) func(*testing.T, *backendapi.Client) error {
		return func(t *testing.T, c *backendapi.Client) error {
			_, err := c.Refresh(t.Context(), q)
			return err
		}
	}
	whole := backendapi.RefreshRequest{
		Session: "sess_a", Suffixed: true, Format: "cookie", ExpiredToken: "a.b.c", RefreshToken: "rt_1", RequestOrigin: "https://example.com",
		RequestHeaders: map[string][]string{"user-agent": {"x"}},
	}
	for name, tt := range map[string]struct {
		ask                       func(*testing.T, *backendapi.Client) error
		method, url, body, format string
	}{
		"nonce":                 {nonce("nonce_1"), "GET", "/v1/clients/handshake_payload?nonce=nonce_1", "", ""},
		"a nonce of parameters": {nonce("a&b=c#d"), "GET", "/v1/clients/handshake_payload?nonce=a%26b%3Dc%23d", "", ""},
		"refresh": {
			refresh(whole), "POST", "/v1/sessions/sess_a/refresh?suffixed_cookies=true",
			`{"format":"cookie","expired_token":"a.b.c","refresh_token":"rt_1","request_origin":"https://example.com","request_headers":{"user-agent":["x"]}}`,
			"application/json",
		},
		"a session that is a path": {
			refresh(backendapi.RefreshRequest{Session: "sess_../../users?a#b"}), "POST", "/v1/sessions/sess_..%2F..%2Fusers%3Fa%23b/refresh",
			`{"format":"","expired_token":"","refresh_token":"","request_origin":"","request_headers":null}`,
			"application/json",
		},
	} {
		c, n := newClient(always(200, worked))
		if err := tt.ask(t, c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n.want(t, name, 1); t.Failed() {
			continue
		}
		r := n.requests[0]
		if got, want := r.Method+" "+r.URL.String(), tt.method+" "+base+tt.url; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
		if r.body != tt.body {
			t.Errorf("%s: got body %s, want %s", name, r.body, tt.body)
		}
		for header, want := range map[string]string{
			"Authorization": "Bearer " + secret, "Accept": "application/json", "Clerk-Api-Version": backendapi.Version, "Content-Type": tt.format,
		} {
			if got := strings.Join(r.Header[header], " and "); got != want {
				t.Errorf("%s: got %s %q, want %q", name, header, got, want)
			}
		}
	}
}

func TestAuthorize(t *testing.T) {
	for name, sent := range map[string]http.Header{
		"no header":       {},
		"one of its own":  {"Authorization": {"Bearer theirs"}},
		"two":             {"Authorization": {"Bearer theirs", "Basic theirs"}},
		"headers to keep": {"If-None-Match": {`"1"`}, "Cache-Control": {"no-cache"}},
	} {
		n := &network{answer: always(http.StatusNotModified, "")}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/jwks", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = sent.Clone()
		resp, err := backendapi.Authorize(&http.Client{Transport: n}, secret).Do(r)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = resp.Body.Close()
		if n.want(t, name, 1); resp.StatusCode != http.StatusNotModified || t.Failed() {
			t.Fatalf("%s: status %d, want the server's answer to one request", name, resp.StatusCode)
		}
		want := sent.Clone()
		want.Set("Authorization", "Bearer "+secret)
		for header := range want {
			if got, want := strings.Join(n.requests[0].Header[header], " and "), strings.Join(want[header], " and "); got != want {
				t.Errorf("%s: got %s %q, want %q", name, header, got, want)
			}
		}
	}
}

// The caller's function decides what the client's errors mean.
func TestAuthorizeFails(t *testing.T) {
	n := &network{answer: func(*http.Request) (int, string, error) { return 0, "", errNetwork }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/v1/jwks", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := backendapi.Authorize(&http.Client{Transport: n}, secret).Do(r)
	if err == nil {
		_ = resp.Body.Close()
	}
	if !errors.Is(err, errNetwork) {
		t.Errorf("got %v, want %v", err, errNetwork)
	}
}
