package proxypath_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/proxypath"
)

func TestUnder(t *testing.T) {
	for _, tt := range []struct {
		prefix, target string
		want           string
		ok             bool
	}{
		{"/__clerk", "/__clerk/v1/client?a=/../", "/v1/client", true},
		{"/__clerk", "/__clerk", "", true},
		{"/__clerk", "/__clerk/", "/", true},
		{"/__clerk", "/__clerk/page", "/page", true},
		{"/a/b", "/a/b/v1/x", "/v1/x", true},
		{"/caf%C3%A9", "/caf%C3%A9/v1/x", "/v1/x", true},
		{"/__clerk", "/__clerkx/v1/client", "", false},
		{"/__clerk", "/__clerk.v1/client", "", false},
		{"/__clerk", "/__clerk@x/v1/client", "", false},
		{"/__clerk", "/__cler", "", false},
		{"/__clerk", "/__clerk/../admin", "", false},
		{"/__clerk", "/__clerk/v1%2fclient", "", false},
		{"/__clerk", "http://example.com/__clerk/v1/client", "/v1/client", true},
		{"/__clerk", "http://example.com/__clerk/../admin", "", false},
		{"/__clerk", "http://example.com", "", false},
		{"/__clerk", "/x://example.com/__clerk/v1/client", "", false},
		{"", "/v1/client", "", false},
	} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + tt.target + " HTTP/1.1\r\nHost: example.com\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		if path, ok := proxypath.Under(r, tt.prefix); path != tt.want || ok != tt.ok {
			t.Errorf("%s under %q: got %q, %t, want %q, %t", tt.target, tt.prefix, path, ok, tt.want, tt.ok)
		}
		if r.RequestURI = ""; r.URL.Host == "" { // of one that no server has read
			if path, ok := proxypath.Under(r, tt.prefix); path != tt.want || ok != tt.ok {
				t.Errorf("%s under %q, made by hand: got %q, %t, want %q, %t", tt.target, tt.prefix, path, ok, tt.want, tt.ok)
			}
		}
	}
}

// Handlers in front may strip the beginning of a path. Another path is another request.
func TestUnderAnotherPath(t *testing.T) {
	for path, want := range map[string]bool{
		"/__clerk/v1/client": true, "/v1/client": true, "v1/client": true, "client": true, "": true, "/admin": false, "/v1/clien": false, "/x/__clerk/v1/client": false,
	} {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET /__clerk/v1/client HTTP/1.1\r\nHost: example.com\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Path = path
		if _, ok := proxypath.Under(r, "/__clerk"); ok != want {
			t.Errorf("with the path %q: got %t, want %t", path, ok, want)
		}
	}
}
