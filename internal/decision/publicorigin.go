package decision

import (
	"context"
	"net/http"
	"strings"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/origin"
)

// publicOrigin is the origin under which the client sees this request, as far as the allowlist tells.
// https wins over http, except in development on this machine. So TLS that ends before this server needs no
// header at all.
func publicOrigin(ctx context.Context, f *inbound.Request, p *Policy) (string, bool) {
	if p.Any {
		return origin.At(f.Scheme, f.RawHost)
	}
	schemes := [2]string{"https", "http"}
	if f.Scheme == "http" && origin.Loopback(strings.ToLower(origin.Hostname(f.RawHost))) {
		schemes = [2]string{"http", "https"}
	}
	for _, scheme := range schemes {
		if o, ok := p.List.At(scheme, f.RawHost); ok {
			return o, true
		}
		if p.Allow == nil {
			continue
		}
		if o, ok := origin.At(scheme, f.RawHost); ok && p.Allow(ctx, o, f.Host()) {
			return o, true
		}
	}
	return "", false
}

// HostObstacle says why a request for a page came to no origin of the application's own, where nobody can be sent to sign
// in and back; nil: it did, or it is no such request.
func (d *Decider) HostObstacle(r *http.Request) error {
	var f inbound.Request
	if f.ReadBearer(r, &d.Settings.Settings) != "" || f.HasBearer {
		return nil
	}
	if f.ReadPage(r, &d.Settings.Settings); !f.Document {
		return nil
	}
	if _, ok := publicOrigin(r.Context(), &f, &d.Policy); ok {
		return nil
	}
	return d.hostDetail(r, &f)
}
