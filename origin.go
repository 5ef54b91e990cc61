package clerkauth

import (
	"context"
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth/internal/origin"
)

// clientHost is the host that the client named: the Host header or, where forwarded headers are trusted, a
// single X-Forwarded-Host, which is forwarded. A host that is too long to be one is none.
func clientHost(r *http.Request, forwarded []string) string {
	host := r.Host
	switch len(forwarded) {
	case 0:
	case 1:
		host = forwarded[0]
	default:
		return ""
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
func clientScheme(r *http.Request, forwarded []string) string {
	if len(forwarded) == 1 && (forwarded[0] == "http" || forwarded[0] == "https") {
		return forwarded[0]
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
