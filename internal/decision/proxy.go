package decision

import (
	"net/http"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// ProxyAddress is where the client of a request reaches the proxied Frontend API; empty: the request's host is not one
// of the application's own.
func (s *Settings) ProxyAddress(r *http.Request) string {
	var f inbound.Request
	f.Read(r, &s.Settings) // whatever else it carries is the Frontend API's
	if s.ProxyOrigin != "" {
		if !s.AtProxy(f.RawHost) {
			return ""
		}
		return s.Frontend
	}
	public, ok := publicOrigin(r.Context(), &f, &s.Policy)
	if !ok {
		return ""
	}
	return s.frontendAt(public)
}
