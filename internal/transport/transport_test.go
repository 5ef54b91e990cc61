package transport_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/transport"
)

// tripper is a transport of an application's own.
type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// body is the body of an answer that panics.
type body struct{ read, close bool }

func (b body) Read([]byte) (int, error) {
	if b.read {
		panic("read with " + secret)
	}
	return 0, io.EOF
}

func (b body) Close() error {
	if b.close {
		panic("close with " + secret)
	}
	return nil
}

const secret = "sk_test_0123456789abcdef"

var errBroken = errors.New("the wire is broken for " + secret)

// A failure of an application's transport is an error of one fetch, without the secret that was sent.
func TestClient(t *testing.T) {
	answer := func(b io.ReadCloser) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: b}, nil
	}
	for name, tc := range map[string]struct {
		trip tripper
		is   error // nil: nothing to compare with
		fine bool
	}{
		"an answer":         {func(*http.Request) (*http.Response, error) { return answer(body{}) }, nil, true},
		"an error":          {func(*http.Request) (*http.Response, error) { return nil, errBroken }, errBroken, false},
		"a panic":           {func(*http.Request) (*http.Response, error) { panic("with " + secret) }, nil, false},
		"neither":           {func(*http.Request) (*http.Response, error) { return nil, nil }, nil, false},
		"a panicking body":  {func(*http.Request) (*http.Response, error) { return answer(body{read: true}) }, nil, false},
		"a panicking close": {func(*http.Request) (*http.Response, error) { return answer(body{close: true}) }, nil, false},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+secret)
		resp, err := transport.Client(&http.Client{Transport: tc.trip}).Do(r)
		if err == nil {
			_, readErr := io.ReadAll(resp.Body)
			err = errors.Join(readErr, resp.Body.Close())
		}
		if (err == nil) != tc.fine || tc.is != nil && !errors.Is(err, tc.is) {
			t.Errorf("%s: got %v, want success: %t, or the error %v", name, err, tc.fine, tc.is)
		}
		if err != nil && strings.Contains(err.Error(), strings.TrimPrefix(secret, "sk_test_")) {
			t.Errorf("%s: the error %v contains the secret", name, err)
		}
	}
}

// A secret is sent to one URL only. The application's own client follows redirects as before.
func TestNoRedirects(t *testing.T) {
	calls := 0
	own := &http.Client{Transport: tripper(func(*http.Request) (*http.Response, error) {
		calls++
		return &http.Response{StatusCode: http.StatusFound, Header: http.Header{"Location": {"https://elsewhere.example"}}, Body: http.NoBody}, nil
	})}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.example", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.Client(own).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if calls != 1 || resp.StatusCode != http.StatusFound || own.CheckRedirect != nil {
		t.Errorf("got %d requests, status %d, a rule of ours in the application's client: %t, want 1, 302, false", calls, resp.StatusCode, own.CheckRedirect != nil)
	}
}
