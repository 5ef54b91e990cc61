package harness

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
)

// Origin is the origin of an App.
const Origin = "https://example.com"

// Edit changes a request.
type Edit func(*http.Request)

// All applies edits one after the other.
func All(edits ...Edit) Edit {
	return func(r *http.Request) {
		for _, e := range edits {
			e(r)
		}
	}
}

// Request returns a request as httptest makes it, with edits.
func Request(method, target string, edits ...Edit) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), method, target, http.NoBody)
	All(edits...)(r)
	return r
}

// AsServer makes a request as a server receives it: the URL has neither scheme nor host.
func AsServer(r *http.Request) {
	r.URL.Scheme, r.URL.Host = "", ""
	r.RequestURI = r.URL.RequestURI()
}

// Host sets the Host header.
func Host(host string) Edit { return func(r *http.Request) { r.Host = host } }

// With sets a header to these values, or removes it if there are none.
func With(name string, values ...string) Edit {
	return func(r *http.Request) {
		r.Header.Del(name)
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
}

// Headers adds header lines, as "Name: value".
func Headers(lines ...string) Edit {
	return func(r *http.Request) {
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Add(name, value)
		}
	}
}

// WithBearer sets a bearer token.
func WithBearer(token string) Edit { return With("Authorization", "Bearer "+token) }

// Document makes a request a page load at https://example.com, as a server receives it.
var Document = All(AsServer, Host("example.com"), Headers("Accept: text/html", "Sec-Fetch-Dest: document"))
