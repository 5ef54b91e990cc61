package requests_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
	"github.com/clerkauth/clerkauth/examples/frameworks/requests"
)

// counted is a Transport that counts what requests are for.
type counted struct {
	base http.RoundTripper
	by   map[string]int
}

func (c counted) RoundTrip(r *http.Request) (*http.Response, error) {
	c.by[requests.For(r)]++
	return c.base.RoundTrip(r)
}

func count(by map[string]int) func(*clerkauth.Config) {
	return func(cfg *clerkauth.Config) {
		client := *cfg.HTTPClient
		client.Transport = counted{client.Transport, by}
		cfg.HTTPClient = &client
	}
}

func TestWhatClerkauthAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		by := map[string]int{}
		clerk, auth := contract.App(t, count(by))
		app := contract.Routes(auth)
		browser := clerk.Browser(app)
		clerk.SignIn(browser.Jar, clerktest.Person{Claims: contract.Ada})
		for range 2 { // a handshake, and a refresh
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/me", http.NoBody)
			r.RequestURI = ""
			resp, err := browser.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			time.Sleep(2 * time.Minute) // of the bubble
		}
		contract.Get(t.Context(), auth.Accept(clerkauth.APIKeys())(http.NotFoundHandler()), "/", clerk.APIKey(clerktest.MachineClaims{}))
		if want := map[string]int{"keys": 1, "handshake": 1, "refresh": 1, "machine": 1}; !maps.Equal(by, want) {
			t.Errorf("asked for %v, want %v", by, want)
		}
	})
	by := map[string]int{}
	clerk, auth := contract.App(t, func(cfg *clerkauth.Config) {
		count(by)(cfg)
		cfg.SecretKey = "" // keys come from the Frontend API
	})
	if w := contract.Get(t.Context(), contract.Routes(auth), "/me", clerk.Token(contract.Ada)); w.Code != http.StatusOK || by["keys"] != 1 || len(by) != 1 {
		t.Errorf("got %d and the requests %v, want 200 and only one, for keys", w.Code, by)
	}
}

// Requests that visitors send through FrontendAPIProxy are proxy, whatever their paths and headers.
func TestWhatVisitorsAskFor(t *testing.T) {
	by := map[string]int{}
	_, auth := contract.App(t, func(cfg *clerkauth.Config) {
		count(by)(cfg)
		cfg.ProxyURL = "https://example.com/__clerk"
	})
	proxy := auth.FrontendAPIProxy()
	paths := []string{
		"/v1/client", "/v1/jwks", "/.well-known/jwks.json", "/v1/client/sessions/sess_1/refresh", "/v1/clients/handshake_payload", "/v1/api_keys/verify", "/npm/a", "/v1/made-up",
	}
	for _, path := range paths {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/__clerk"+path, http.NoBody)
		r.Header.Set("Connection", "Clerk-Proxy-Url")
		r.Header["Clerk-Proxy-Url"] = []string{""}
		proxy.ServeHTTP(httptest.NewRecorder(), r)
	}
	if by["proxy"] != len(paths) || len(by) != 1 {
		t.Errorf("asked for %v, want proxy %d times", by, len(paths))
	}
}

// New endpoints of Clerk add only one value.
func TestOtherRequests(t *testing.T) {
	for _, path := range []string{"", "/", "/v1/users", "/jwks", "/v1/jwks/x", "/v1/a%2Fjwks"} {
		if got := requests.For(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.clerk.com"+path, http.NoBody)); got != "other" {
			t.Errorf("%q is for %q, want other", path, got)
		}
	}
}

func TestHasKeys(t *testing.T) {
	keys := jwks(t)
	for _, tt := range []struct {
		name   string
		status int
		etag   string // sent
		body   io.Reader
		want   bool
	}{
		{"keys", http.StatusOK, "", strings.NewReader(keys), true},
		{"the same keys as before", http.StatusNotModified, `"1"`, http.NoBody, true},
		{"the same as nothing", http.StatusNotModified, "", http.NoBody, false},
		{"a page", http.StatusOK, "", strings.NewReader("<!doctype html><title>Maintenance</title>"), false},
		{"nothing", http.StatusOK, "", http.NoBody, false},
		{"no keys", http.StatusOK, "", strings.NewReader(`{"keys":[]}`), false},
		{"an object", http.StatusOK, "", strings.NewReader(`{}`), false},
		{"unusable keys", http.StatusOK, "", strings.NewReader(strings.ReplaceAll(keys, `"RSA"`, `"EC"`)), false},
		{"half of it", http.StatusOK, "", strings.NewReader(keys[:len(keys)/2]), false},
		{"keys, and an error", http.StatusOK, "", io.MultiReader(strings.NewReader(keys), iotest.ErrReader(errors.New("broken"))), false},
		{"too much", http.StatusOK, "", strings.NewReader(keys + strings.Repeat(" ", 2<<20)), false},
		{"an error with keys", http.StatusInternalServerError, "", strings.NewReader(keys), false},
		{"a redirect", http.StatusFound, "", strings.NewReader(keys), false},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://api.clerk.com/v1/jwks", http.NoBody)
		if tt.etag != "" {
			r.Header.Set("If-None-Match", tt.etag)
		}
		var read bytes.Buffer
		resp := &http.Response{StatusCode: tt.status, Body: io.NopCloser(io.TeeReader(tt.body, &read))}
		if got := requests.HasKeys(r, resp); got != tt.want {
			t.Errorf("%s: got %t, want %t", tt.name, got, tt.want)
		}
		if read.Len() > 1<<20 {
			t.Errorf("%s: %d bytes are read, want at most %d", tt.name, read.Len(), 1<<20)
		}
		after, _ := io.ReadAll(resp.Body)
		if !bytes.Equal(after, read.Bytes()) {
			t.Errorf("%s: %d bytes are left to read, want the same %d that were read", tt.name, len(after), read.Len())
		}
	}
}

// jwks is what an instance answers with.
func jwks(t *testing.T) string {
	t.Helper()
	clerk := clerktest.New(t, clerktest.Options{})
	resp, err := clerk.Config().HTTPClient.Get("https://clerk.example.com/.well-known/jwks.json") //nolint:noctx // in memory
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
