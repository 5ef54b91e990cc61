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
