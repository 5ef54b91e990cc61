package clerkauth

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/clerkauth/clerkauth/internal/publishable"
)

// clientHost is the host that the client named: the Host header or, where forwarded headers are trusted, a
// single X-Forwarded-Host.
func clientHost(r *http.Request, forwarded bool) string {
	if forwarded {
		switch values := r.Header["X-Forwarded-Host"]; {
		case len(values) == 1:
			return values[0]
		case len(values) > 1:
			return ""
		}
	}
	return r.Host
}

// host is the host as the client named it, in lower case, or "" when it cannot be one.
func (f *facts) host() string {
	if !wellFormedHost(f.rawHost) {
		return ""
	}
	return strings.ToLower(f.rawHost)
}

// wellFormedHost reports whether host is a name or address and perhaps a port, and nothing around it.
func wellFormedHost(host string) bool {
	if host == "" || strings.ContainsAny(host, ",*") {
		return false
	}
	u, err := url.Parse("//" + host)
	return err == nil && u.Host == host && u.Hostname() != ""
}

// clientScheme is "https" or "http" where no allowlist tells.
func clientScheme(r *http.Request, forwarded bool) string {
	if values := r.Header["X-Forwarded-Proto"]; forwarded && len(values) == 1 && (values[0] == "http" || values[0] == "https") {
		return values[0]
	}
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// publicOrigin is the origin under which the client sees this request, as far as the allowlist vouches for it.
// https wins over http, except in development on this machine. So TLS that ends before this server needs no
// header at all.
func publicOrigin(ctx context.Context, f *facts, p *policy) (string, bool) {
	host := f.host()
	if host == "" {
		return "", false
	}
	if p.any {
		o, err := parseOrigin(f.scheme + "://" + host)
		return o.String(), err == nil
	}
	schemes := [2]string{"https", "http"}
	if f.scheme == "http" && publishable.Loopback(hostname(host)) {
		schemes = [2]string{"http", "https"}
	}
	for _, scheme := range schemes {
		o, err := parseOrigin(scheme + "://" + host)
		if err == nil && p.allows(ctx, o.String(), f) {
			return o.String(), true
		}
	}
	return "", false
}

// hostname is host without its port.
func hostname(host string) string {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		return host
	}
	return name
}
