package clerktest_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestOptionsChooseTheInstance(t *testing.T) {
	tests := []struct {
		name    string
		opts    clerktest.Options
		host    string
		prefix  string
		origins []string
	}{
		{"zero", clerktest.Options{}, "clerk.example.com", "live_", []string{"https://example.com"}},
		{"own domain", clerktest.Options{Domain: "acme.example"}, "clerk.acme.example", "live_", []string{"https://acme.example"}},
		{"own origins", clerktest.Options{Origins: []string{"https://a.example", "https://b.example"}}, "clerk.example.com", "live_", []string{"https://a.example", "https://b.example"}},
		{"development", clerktest.Options{Development: true}, "able-owl-7.clerk.accounts.dev", "test_", []string{"http://localhost:3000", "http://example.com"}},
		{"own development", clerktest.Options{Development: true, Domain: "x.clerk.accounts.dev", Origins: []string{}}, "x.clerk.accounts.dev", "test_", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := clerktest.New(t, tt.opts)
			cfg := in.Config()
			if want := "pk_" + tt.prefix + base64.StdEncoding.EncodeToString([]byte(tt.host+"$")); cfg.PublishableKey != want || in.PublishableKey() != want {
				t.Errorf("PublishableKey %q and %q, want %q", cfg.PublishableKey, in.PublishableKey(), want)
			}
			if !strings.HasPrefix(cfg.SecretKey, "sk_"+tt.prefix) || cfg.SecretKey != in.SecretKey() {
				t.Errorf("SecretKey %q and %q, want sk_%s…", cfg.SecretKey, in.SecretKey(), tt.prefix)
			}
			if want := "https://" + tt.host; in.Issuer() != want {
				t.Errorf("Issuer %q, want %q", in.Issuer(), want)
			}
			if !slices.Equal(cfg.AuthorizedParties, tt.origins) {
				t.Errorf("AuthorizedParties %q, want %q", cfg.AuthorizedParties, tt.origins)
			}
			if cfg.HTTPClient == nil || cfg.Now == nil || cfg.FrontendAPIURL != "" || cfg.BackendAPIURL != "" {
				t.Errorf("Config %+v: want a client, a clock and no URLs", cfg)
			}
			_, payload, _ := parts(t, in.Token(clerktest.Claims{}))
			if got, want := strings.Contains(payload, `"azp":`), len(tt.origins) > 0; got != want {
				t.Errorf("azp in %s: got %t, want %t", payload, got, want)
			}
		})
	}
}

func TestConfigIsTheCallersToChange(t *testing.T) {
	origins := []string{"https://example.com"}
	in := clerktest.New(t, clerktest.Options{Origins: origins})
	origins[0] = "https://evil.example"
	in.Config().AuthorizedParties[0] = "https://evil.example"
	if got := in.Config().AuthorizedParties[0]; got != "https://example.com" {
		t.Errorf("after a change to a copy: got AuthorizedParties[0] %q, want https://example.com", got)
	}
}

func TestDomainMustBeAHost(t *testing.T) {
	for _, domain := range []string{"https://example.com", "example.com/", "example.com:443", "a b", "a$"} {
		if in, err := clerktest.Start(clerktest.Options{Domain: domain}); err == nil {
			in.Close()
			t.Errorf("Start accepts the domain %q", domain)
		}
		tb := &recorder{}
		if in := clerktest.New(tb, clerktest.Options{Domain: domain}); in != nil || tb.fatal == "" {
			t.Errorf("New accepts the domain %q", domain)
		}
	}
}

// recorder is a test that continues after Fatalf.
type recorder struct {
	fatal   string
	cleanup []func()
}

func (r *recorder) Helper()                   {}
func (r *recorder) Cleanup(f func())          { r.cleanup = append(r.cleanup, f) }
func (r *recorder) Fatalf(f string, a ...any) { r.fatal = fmt.Sprintf(f, a...) }

func TestNewClosesWithItsTest(t *testing.T) {
	tb := &recorder{}
	in := clerktest.New(tb, clerktest.Options{})
	mustAsk(t, in, clerktest.FrontendJWKS)
	if len(tb.cleanup) != 1 {
		t.Fatalf("%d cleanups, want 1", len(tb.cleanup))
	}
	tb.cleanup[0]()
	in.Close() // a second call does nothing
	if a, err := ask(t, in, clerktest.FrontendJWKS); err == nil {
		t.Errorf("got %d after the end of the instance's test, want an error", a.status)
	}
}

func TestClosedInstancesHandTheirKeysOn(t *testing.T) {
	first := clerktest.New(&recorder{}, clerktest.Options{})
	key, kid := first.JWTKey(), first.KeyID()
	first.Close()
	second := clerktest.New(t, clerktest.Options{})
	if second.JWTKey() != key {
		t.Error("a new key was made, want the one of the closed instance")
	}
	if second.KeyID() == kid {
		t.Error("the second instance has the first one's kid")
	}
}

func TestClosedListenerIsGone(t *testing.T) {
	in := start(t, clerktest.Options{})
	in.Close()
	in.Close()
	for _, e := range []clerktest.Endpoint{clerktest.FrontendJWKS, clerktest.BackendJWKS} {
		if a, err := ask(t, in, e); err == nil {
			t.Errorf("%s: got %d after Close, want an error", e, a.status)
		}
	}
}

func TestListenerIsOnLoopback(t *testing.T) {
	cfg := start(t, clerktest.Options{}).Config()
	if cfg.HTTPClient != nil {
		t.Error("HTTPClient is set, want the network")
	}
	for _, raw := range []string{cfg.FrontendAPIURL, cfg.BackendAPIURL} {
		u, err := url.Parse(raw)
		if err != nil || u.Scheme != "http" || u.Hostname() != "127.0.0.1" || u.Path != "" {
			t.Errorf("URL %q, %v; want http://127.0.0.1 and a port", raw, err)
		}
	}
	if cfg.FrontendAPIURL == cfg.BackendAPIURL {
		t.Error("both APIs have one address, so that a secret key sent to the wrong one would not be noticed")
	}
}

func TestBackendWantsExactlyTheSecretKey(t *testing.T) {
	both(t, func(t *testing.T, in *clerktest.Instance) {
		for _, value := range []string{"", "Bearer", "Bearer sk_live_other", in.SecretKey(), "bearer " + in.SecretKey(), "Bearer " + in.SecretKey() + "x"} {
			a := mustAsk(t, in, clerktest.BackendJWKS, "Authorization", value)
			if a.status != http.StatusUnauthorized || !bytes.Contains(a.body, []byte(`"clerk_key_invalid"`)) {
				t.Errorf("Authorization %q: got %d %s, want 401 clerk_key_invalid", value, a.status, a.body)
			}
			if bytes.Contains(a.body, []byte(`"keys"`)) {
				t.Errorf("Authorization %q: the answer has the keys, want none", value)
			}
		}
		if a := mustAsk(t, in, clerktest.BackendJWKS); a.status != http.StatusOK {
			t.Errorf("with the secret key: got %d %s, want 200", a.status, a.body)
		}
		value := "Bearer " + in.SecretKey()
		if got := send(t, in, http.MethodGet, in.URL(clerktest.BackendJWKS), "", value, value); got != http.StatusUnauthorized {
			t.Errorf("with the secret key twice: got %d, want 401", got)
		}
	})
}

func TestFrontendRefusesTheSecretKey(t *testing.T) {
	both(t, func(t *testing.T, in *clerktest.Instance) {
		if a := mustAsk(t, in, clerktest.FrontendJWKS); a.status != http.StatusOK || in.Requests()[0].SecretKey {
			t.Errorf("without a secret: got %d, SecretKey %t; want 200, false", a.status, in.Requests()[0].SecretKey)
		}
		if got := send(t, in, http.MethodGet, in.URL(clerktest.FrontendJWKS)+"?key="+in.SecretKey(), ""); got != http.StatusBadRequest {
			t.Errorf("in the query: got %d, want 400", got)
		}
		for _, name := range []string{"Authorization", "X-Anything"} {
			in.ResetRequests()
			a := mustAsk(t, in, clerktest.FrontendJWKS, name, "Bearer "+in.SecretKey())
			if a.status != http.StatusBadRequest {
				t.Errorf("%s: got %d, want 400", name, a.status)
			}
			got := in.Requests()[0]
			if !got.SecretKey {
				t.Errorf("%s: the secret key in the request was not recorded", name)
			}
			if v := got.Header.Get(name); v != "Bearer sk_…" {
				t.Errorf("%s is recorded as %q, want \"Bearer sk_…\"", name, v)
			}
		}
	})
}

func TestETag(t *testing.T) {
	both(t, func(t *testing.T, in *clerktest.Instance) {
		for _, e := range []clerktest.Endpoint{clerktest.FrontendJWKS, clerktest.BackendJWKS} {
			first := mustAsk(t, in, e)
			tag := first.header.Get("ETag")
			if tag == "" || first.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: header %s, want an ETag and JSON", e, first.header)
			}
			if a := mustAsk(t, in, e, "If-None-Match", tag); a.status != http.StatusNotModified || len(a.body) > 0 {
				t.Errorf("%s unchanged: got %d and %d bytes, want 304", e, a.status, len(a.body))
			}
			in.RotateKey()
			a := mustAsk(t, in, e, "If-None-Match", tag)
			if a.status != http.StatusOK || len(published(t, a)) != len(published(t, first))+1 {
				t.Errorf("%s changed: got %d %s, want the new set", e, a.status, a.body)
			}
		}
	})
}

func TestRequestsAreSeen(t *testing.T) {
	both(t, func(t *testing.T, in *clerktest.Instance) {
		keys := in.URL(clerktest.FrontendJWKS)
		if got := send(t, in, http.MethodPost, keys+"?a=1&a=2", "secret="+in.SecretKey()); got != http.StatusMethodNotAllowed {
			t.Errorf("POST: got %d, want 405", got)
		}
		if got := send(t, in, http.MethodGet, strings.Replace(keys, ".well-known", "nowhere", 1), ""); got != http.StatusNotFound {
			t.Errorf("GET elsewhere: got %d, want 404", got)
		}
		mustAsk(t, in, clerktest.FrontendJWKS, "X-Test", "1")
		seen := in.Requests()
		if len(seen) != 3 {
			t.Fatalf("%d requests seen, want 3", len(seen))
		}
		u, err := url.Parse(keys)
		if err != nil {
			t.Fatal(err)
		}
		post := seen[0]
		if post.Method != http.MethodPost || post.Host != u.Host || post.Path != u.Path || post.Endpoint != "" ||
			!slices.Equal(post.Query["a"], []string{"1", "2"}) || !post.SecretKey || !strings.HasPrefix(string(post.Body), "secret=") {
			t.Errorf("the POST is recorded as %+v, want a=1 and a=2, a secret key and the body secret=…", post)
		}
		if seen[1].Path != "/nowhere/jwks.json" || seen[1].Endpoint != "" || seen[1].SecretKey {
			t.Errorf("the GET of another path is recorded as %+v, want /nowhere/jwks.json, no endpoint and no secret key", seen[1])
		}
		if seen[2].Endpoint != clerktest.FrontendJWKS || seen[2].Header.Get("X-Test") != "1" {
			t.Errorf("the last request is recorded as %+v, want %s with X-Test: 1", seen[2], clerktest.FrontendJWKS)
		}
		in.ResetRequests()
		if n := len(in.Requests()); n != 0 {
			t.Errorf("%d requests are recorded after ResetRequests, want none", n)
		}
	})
}

func TestMemoryHasNoOtherHosts(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	for _, target := range []string{"https://elsewhere.example/x", "http://clerk.example.com/.well-known/jwks.json"} {
		in.ResetRequests()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := in.Config().HTTPClient.Do(r)
		if err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s: got %d, want an error", target, resp.StatusCode)
		}
		if seen := in.Requests(); len(seen) != 1 || seen[0].Endpoint != "" || seen[0].Host != r.URL.Host {
			t.Errorf("%s: recorded %+v, want one request to %s without an endpoint", target, seen, r.URL.Host)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		tb := &recorder{}
		clerktest.New(tb, clerktest.Options{})
		tb.cleanup[0]()
	}
}

// TestNewIsCheap: every test calls it.
func TestNewIsCheap(t *testing.T) {
	tb := &recorder{}
	clerktest.New(tb, clerktest.Options{}) // generates a key, which the next instances reuse
	tb.cleanup[0]()
	made := testing.AllocsPerRun(20, func() {
		tb := &recorder{}
		clerktest.New(tb, clerktest.Options{})
		tb.cleanup[0]()
	})
	if made > mostAllocations {
		t.Errorf("New and Close make %.0f allocations, want at most %d", made, mostAllocations)
	}
}

const mostAllocations = 100
