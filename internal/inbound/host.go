package inbound

import (
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth/internal/origin"
	"github.com/clerkauth/clerkauth/internal/proxypath"
)

// clientHost is the host that the client named: the Host header or, where forwarded headers are trusted, a single
// X-Forwarded-Host. forwarded has the values of the latter. Of several, and of a host that is too long, it is "".
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

// Host is the host as the client named it, in lower case, or "" when no browser names one like that.
func (f *Request) Host() string {
	if _, ok := origin.At("http", f.RawHost); !ok {
		return ""
	}
	return strings.ToLower(f.RawHost)
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

// Target is the path and query that the client asked for. Handlers in front, such as http.StripPrefix,
// change r.URL; the request line stays.
func Target(r *http.Request) (path, query string) {
	path, query, _ = strings.Cut(target(r), "?")
	return path, query
}

// target is Target as one string.
func target(r *http.Request) string {
	line := r.RequestURI
	if line != "" && line[0] != '/' {
		_, rest, _ := strings.Cut(line, "://") // RFC 9112 section 3.2.2
		line = rest[max(strings.IndexAny(rest, "/?"), 0):]
	}
	if strings.HasPrefix(line, "/") {
		return line
	}
	path := r.URL.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	return path
}

// Passes reports whether a request is one that the proxy of the Frontend API forwards to Clerk.
func (s *Settings) Passes(r *http.Request) bool {
	if !proxypath.Passes(r, s.ProxyPrefix) {
		return false
	}
	var lines Lines
	lines.Of(r.Header, s.Forwarded)
	return s.AtProxy(clientHost(r, lines.All(LineForwardedHost)))
}

func (s *Settings) underProxy(r *http.Request) bool {
	_, under := proxypath.Under(r, s.ProxyPrefix)
	return under
}

// AtProxy reports whether host is that of the proxy. A proxy that is configured as a path alone is at every host.
func (s *Settings) AtProxy(host string) bool {
	if s.ProxyOrigin == "" {
		return true
	}
	scheme, _, _ := strings.Cut(s.ProxyOrigin, "://")
	self, ok := origin.At(scheme, host)
	return ok && self == s.ProxyOrigin
}

// Upgrade reports whether a request asks for a WebSocket (RFC 6455 section 4.1).
func (f *Request) Upgrade() bool {
	if f.Lines.All(LineWebSocketKey) != nil {
		return true
	}
	for _, line := range f.Lines.All(LineUpgrade) {
		for protocol := range strings.SplitSeq(line, ",") {
			name, _, _ := strings.Cut(protocol, "/")
			if strings.EqualFold(strings.Trim(name, " \t"), "websocket") {
				return true
			}
		}
	}
	return false
}

// ThroughWorker reports whether a service worker may have passed on the form of another site, although no header names that
// site any more. A worker fetches for its own origin: the destination is empty then, and the mode is still navigate, or
// same-origin. If the worker puts the form into a request of its own, the Referer is the worker's address.
func (f *Request) ThroughWorker() bool {
	mode := f.Lines.First(LineMode)
	return f.Lines.First(LineDest) == "empty" && (mode == "navigate" || mode == "same-origin")
}
