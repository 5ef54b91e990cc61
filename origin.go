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

// protection is net/http's own rule about what is cross-origin. It has no bypass and no trusted origin:
// whom we trust, our own matcher says.
var protection http.CrossOriginProtection

// crossOrigin reports whether a request that rides on a cookie comes from another origin than it may. Reads
// pass; a WebSocket upgrade is a GET only in name.
func crossOrigin(r *http.Request, f *facts, s *settings) bool {
	if s.skipOriginCheck {
		return false
	}
	asked := r
	if upgrade(r.Header) {
		post := *r
		post.Method = http.MethodPost
		asked = &post
	}
	switch asked.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	site, origins := r.Header["Sec-Fetch-Site"], r.Header["Origin"]
	byHost := strings.Join(site, "") == "" && strings.Join(origins, "") != ""
	switch {
	case len(site) > 1 || len(origins) > 1:
	case byHost:
		// Check compares hosts only, but http://example.com must not write to https://example.com.
		if public, ok := publicOrigin(r.Context(), f, &s.policy); ok && origins[0] == public {
			return false
		}
	case protection.Check(asked) == nil:
		return false
	}
	return len(origins) != 1 || !s.mayWrite(r.Context(), origins[0], f)
}

// mayWrite reports whether pages of origin may send writes here.
func (s *settings) mayWrite(ctx context.Context, origin string, f *facts) bool {
	return s.trusted.match(origin) || s.policy.allows(ctx, origin, f)
}

// upgrade reports whether h asks for a WebSocket (RFC 6455 section 4.1).
func upgrade(h http.Header) bool {
	if _, ok := h["Sec-Websocket-Key"]; ok {
		return true
	}
	for _, line := range h["Upgrade"] {
		for protocol := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(protocol, "/")
			if strings.EqualFold(strings.Trim(name, " \t"), "websocket") {
				return true
			}
		}
	}
	return false
}
