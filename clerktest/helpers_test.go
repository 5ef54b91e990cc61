package clerktest_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// answer is a response with its whole body.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask calls an endpoint as the library would, with more headers given as pairs, and without
// following redirects.
func ask(t *testing.T, in *clerktest.Instance, e clerktest.Endpoint, header ...string) (answer, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, in.URL(e), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if e == clerktest.BackendJWKS {
		r.Header.Set("Authorization", "Bearer "+in.SecretKey())
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if c := in.Config().HTTPClient; c != nil {
		client.Transport = c.Transport
	}
	return tryRead(&client, r)
}

func tryRead(client *http.Client, r *http.Request) (answer, error) {
	resp, err := client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

func read(t *testing.T, client *http.Client, r *http.Request) answer {
	t.Helper()
	a, err := tryRead(client, r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func mustAsk(t *testing.T, in *clerktest.Instance, e clerktest.Endpoint, header ...string) answer {
	t.Helper()
	a, err := ask(t, in, e, header...)
	if err != nil {
		t.Fatalf("%s: %v", e, err)
	}
	return a
}

// send sends any request, and returns the status of its answer.
func send(t *testing.T, in *clerktest.Instance, method, target, body string, authorization ...string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header["Authorization"] = authorization
	client := in.Config().HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// published reads the keys of an answer, by kid.
func published(t *testing.T, a answer) map[string]*rsa.PublicKey {
	t.Helper()
	var set struct {
		Keys []struct{ Use, Kty, Kid, Alg, N, E string }
	}
	if err := json.NewDecoder(bytes.NewReader(a.body)).Decode(&set); err != nil {
		t.Fatalf("the answer %q is no JWKS: %v", a.body, err)
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		if k.Use != "sig" || k.Kty != "RSA" || k.Alg != "RS256" {
			t.Errorf("key %s is use %q kty %q alg %q, want sig RSA RS256", k.Kid, k.Use, k.Kty, k.Alg)
		}
		n, e := new(big.Int).SetBytes(unbase64(t, k.N)), new(big.Int).SetBytes(unbase64(t, k.E))
		keys[k.Kid] = &rsa.PublicKey{N: n, E: int(e.Int64())}
	}
	return keys
}

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return b
}

// parts returns the decoded header and payload of a token, and its signature.
func parts(t *testing.T, token string) (header, payload, signature string) {
	t.Helper()
	s := strings.Split(token, ".")
	if len(s) != 3 {
		t.Fatalf("token has %d segments, want 3", len(s))
	}
	return string(unbase64(t, s[0])), string(unbase64(t, s[1])), string(unbase64(t, s[2]))
}

func start(t *testing.T, opts clerktest.Options) *clerktest.Instance {
	t.Helper()
	in, err := clerktest.Start(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	return in
}

// both runs a test against an instance in memory and one on a listener.
func both(t *testing.T, test func(t *testing.T, in *clerktest.Instance)) {
	t.Helper()
	t.Run("memory", func(t *testing.T) { test(t, clerktest.New(t, clerktest.Options{})) })
	t.Run("listener", func(t *testing.T) { test(t, start(t, clerktest.Options{})) })
}
