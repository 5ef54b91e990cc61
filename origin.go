package clerkauth

import (
	"context"
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth/internal/origin"
)

// clientHost is the host that the client named: the Host header or, where forwarded headers are trusted, a
// single X-Forwarded-Host. A host that is too long to be one is none.
func clientHost(r *http.Request, forwarded bool) string {
	host := r.Host
	if values := r.Header["X-Forwarded-Host"]; forwarded && len(values) > 0 {
		if host = values[0]; len(values) > 1 {
			return ""
		}
	}
	if len(host) > origin.MaxHost {
		return ""
	}
	return host
}

// host is the host as the client named it, in lower case, or "" when no browser names one like that.
func (f *facts) host() string {
	if _, ok := origin.At("http", f.rawHost); !ok {
		return ""
	}
	return strings.ToLower(f.rawHost)
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
	if p.any {
		return origin.At(f.scheme, f.rawHost)
	}
	schemes := [2]string{"https", "http"}
	if f.scheme == "http" && origin.Loopback(strings.ToLower(origin.Hostname(f.rawHost))) {
		schemes = [2]string{"http", "https"}
	}
	for _, scheme := range schemes {
		if o, ok := p.list.At(scheme, f.rawHost); ok {
			return o, true
		}
		if p.allow == nil {
			continue
		}
		if o, ok := origin.At(scheme, f.rawHost); ok && p.allow(ctx, o, f.host()) {
			return o, true
		}
	}
	return "", false
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
	return s.trusted.Match(origin) || s.policy.allows(ctx, origin, f)
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
