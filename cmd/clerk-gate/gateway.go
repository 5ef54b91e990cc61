package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// gateway is how a kind of gateway describes the original request, and gets its answer.
type gateway struct {
	name string
	// target returns the original host, path with query, and scheme; "" if it is missing.
	target func(http.Header) (host, uri, scheme string, err error)
	method string // the header that has the original method
	send   func(http.ResponseWriter, *answer)
	replay func(string) (*answer, error) // decodes for /answer what send packed; nil: there is no /answer
}

var gateways = []gateway{
	{name: "nginx", target: fromURL, method: "X-Original-Method", send: sendPacked, replay: unpack},
	{name: "haproxy", target: fromForwarded, method: "X-Forwarded-Method", send: sendPlain},
	{name: "caddy", target: fromForwarded, method: "X-Forwarded-Method", send: sendPlain},
	{name: "traefik", target: fromForwarded, method: "X-Forwarded-Method", send: sendPlain},
}

func gatewayNames() []string {
	var names []string
	for _, g := range gateways {
		names = append(names, g.name)
	}
	return names
}

func gatewayNamed(name string) (gateway, error) {
	for _, g := range gateways {
		if g.name == name {
			return g, nil
		}
	}
	return gateway{}, fmt.Errorf("-gateway %q is not one of %s", name, strings.Join(gatewayNames(), ", "))
}

// reply answers the gateway, which takes any 2xx as permission: only one that pass wrote is sent.
func (g gateway) reply(w http.ResponseWriter, a *answer) {
	a.finish()
	g.send(w, a)
}

// original is the request that the gateway asks about, as a server would have read it. It has the headers of the gateway's
// request, but not its method: a gateway asks about a POST with a GET. Without a method it counts as a write.
func (g gateway) original(r *http.Request) (*http.Request, *problem) {
	method, err := single(r.Header, g.method)
	host, uri, scheme, targetErr := g.target(r.Header)
	if err = errors.Join(err, targetErr); err != nil {
		return nil, &problem{http.StatusInternalServerError, "gateway-not-configured", "The gateway does not say which request is to be decided.", err}
	}
	u, err := url.ParseRequestURI(uri)
	if err != nil || !strings.HasPrefix(uri, "/") {
		return nil, &problem{http.StatusBadRequest, "target-invalid", "The request has no path.", nil} // err would show all of it
	}
	original := *r
	original.Method, original.Host, original.URL, original.RequestURI = method, host, u, uri
	if method == "" {
		original.Method = http.MethodPost
	}
	switch scheme {
	case "https", "wss":
		original.TLS = &tls.ConnectionState{}
	case "http", "ws", "":
	default:
		return nil, &problem{http.StatusBadRequest, "target-invalid", "The request has an unknown scheme.", nil}
	}
	return &original, nil
}

// fromURL reads X-Original-URL: "https://app.example.com/path?query".
func fromURL(h http.Header) (host, uri, scheme string, err error) {
	address, err := single(h, "X-Original-Url")
	if err != nil {
		return "", "", "", err
	}
	scheme, rest, found := strings.Cut(address, "://")
	host, path, slash := strings.Cut(rest, "/")
	if !found || host == "" || !slash {
		return "", "", "", errors.New("X-Original-URL is not a scheme, a host and a path")
	}
	return host, "/" + path, scheme, nil
}

// fromForwarded reads X-Forwarded-Host, X-Forwarded-Uri and X-Forwarded-Proto.
func fromForwarded(h http.Header) (host, uri, scheme string, err error) {
	host, e1 := single(h, "X-Forwarded-Host")
	uri, e2 := single(h, "X-Forwarded-Uri")
	scheme, e3 := single(h, "X-Forwarded-Proto")
	if err = errors.Join(e1, e2, e3); err == nil && (host == "" || uri == "") {
		err = errors.New("X-Forwarded-Host and X-Forwarded-Uri must both be there")
	}
	return host, uri, scheme, err
}

// single is the value of a header, "" if there is none. If there are two, one is the client's.
func single(h http.Header, name string) (string, error) {
	switch values := h[name]; len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	default:
		return "", fmt.Errorf("%d values of %s: the gateway must overwrite what clients send", len(values), name)
	}
}
