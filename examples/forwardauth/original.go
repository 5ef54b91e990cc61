package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// The request that a proxy asks about has the header of the one that asks, and another method, host and address. It is
// judged by its own method: the proxy asks about a POST with a GET, to which another site may send a browser.

// fromNginx reads X-Original-Method and X-Original-URL.
func fromNginx(r *http.Request) (*http.Request, error) {
	said, err := only(r.Header, "X-Original-Method", "X-Original-Url")
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(said[1], "://")
	host, path, _ := strings.Cut(rest, "/")
	return about(r, said[0], host, "/"+path)
}

// fromTraefik reads X-Forwarded-Method, X-Forwarded-Host and X-Forwarded-Uri.
func fromTraefik(r *http.Request) (*http.Request, error) {
	said, err := only(r.Header, "X-Forwarded-Method", "X-Forwarded-Host", "X-Forwarded-Uri")
	if err != nil {
		return nil, err
	}
	return about(r, said[0], said[1], said[2])
}

// only are the values of headers that are there once each, by their canonical names: of two, one is the client's.
func only(h http.Header, names ...string) ([]string, error) {
	values := make([]string, len(names))
	for i, name := range names {
		if len(h[name]) != 1 || h[name][0] == "" {
			return nil, fmt.Errorf("%d values of %s", len(h[name]), name)
		}
		values[i] = h[name][0]
	}
	return values, nil
}

// about is the request with this method, host and address, as a server would have read it.
func about(r *http.Request, method, host, uri string) (*http.Request, error) {
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return nil, err
	}
	if host == "" || !strings.HasPrefix(uri, "/") {
		return nil, fmt.Errorf("%q at host %q is not what a request asks for", uri, host)
	}
	asked := r.Clone(r.Context())
	asked.Method, asked.Host, asked.URL, asked.RequestURI = method, host, u, uri
	return asked, nil
}
