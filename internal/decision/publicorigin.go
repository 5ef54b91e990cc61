package decision

import (
	"context"
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/origin"
)

// publicOrigin is the origin to which the client sent this request, as far as the allowlist tells. https is tried before
// http, except on a loopback host without TLS, so a proxy that terminates TLS need not send a header.
func publicOrigin(ctx context.Context, f *inbound.Request, p *Policy) (string, bool) {
	if p.Any {
		if o, ok := origin.At(f.Scheme, f.RawHost); ok {
			return o, true
		}
		return "", false
	}
	schemes := [2]string{"https", "http"}
	if f.Scheme == "http" && origin.LoopbackAt(f.RawHost) {
		schemes = [2]string{"http", "https"}
	}
	for _, scheme := range schemes {
		if o, ok := p.List.At(scheme, f.RawHost); ok {
			return o, true
		}
		if p.Allow == nil {
			continue
		}
		if o, ok := origin.At(scheme, f.RawHost); ok && p.ask(ctx, o, f) {
			return o, true
		}
	}
	return "", false
}

// ownOrigin is the public origin of a request that is no page; empty: its host is not one of the application's own. Without a
// list nothing says whether TLS ended in front of this server: then an Origin or Referer of the same host with https does.
func (s *Settings) ownOrigin(ctx context.Context, f *inbound.Request) string {
	public, _ := publicOrigin(ctx, f, &s.Policy)
	if s.Policy.Any && f.Scheme == "http" && len(f.Lines.All(inbound.LineForwardedProto)) == 0 {
		if secure, ok := origin.At("https", f.RawHost); ok && secure == pageOrigin(f) {
			return secure
		}
	}
	return public
}

// pageOrigin is the origin of the page that a request comes from, as its browser says; empty: the browser does not say it,
// or more than once.
func pageOrigin(f *inbound.Request) string {
	origins, referrers := f.Lines.All(inbound.LineOrigin), f.Lines.All(inbound.LineReferer)
	switch {
	case len(origins) == 1 && origins[0] != "null":
		return origins[0]
	case len(origins) < 2 && len(referrers) == 1:
		return originOf(referrers[0])
	}
	return ""
}

// HostObstacle says why a browser's request, see Outcome.Browser, is not to an origin of the application's own; nil: it is.
// At another host nobody can be sent to sign in and back, and no write can be from a page of the application.
func (d *Decider) HostObstacle(r *http.Request) error {
	var f inbound.Request
	f.ReadHost(r, &d.Settings.Settings)
	if _, ok := publicOrigin(r.Context(), &f, &d.Policy); ok {
		return nil
	}
	return d.hostDetail(r, &f)
}

// browsersWrite reports whether a request is a browser's write: programs, which should send a token, send no such headers.
func browsersWrite(f *inbound.Request) bool {
	switch f.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions:
		return false
	}
	return len(f.Lines.All(inbound.LineOrigin))+len(f.Lines.All(inbound.LineSite))+len(f.Lines.All(inbound.LineCookie)) > 0 ||
		strings.HasPrefix(f.Lines.First(inbound.LineAccept), "text/html")
}
