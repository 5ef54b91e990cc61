package decision

import (
	"net/http"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/origin"
)

// SignInLink is where somebody signed out can sign in: at the application's own page, or else at the account portal. From
// a page of the application's own origins they come back to it. Empty: not known, or the very page that was asked for.
func (s *Settings) SignInLink(r *http.Request) string {
	link, ok := s.signInPage()
	if !ok {
		return ""
	}
	var f inbound.Request
	if reason := f.Read(r, &s.Settings); reason != "" {
		return ""
	}
	path, _ := inbound.Target(r)
	public, ok := publicOrigin(r.Context(), &f, &s.Policy)
	there := public
	if link.Host != "" {
		there = link.Scheme + "://" + link.Host
	}
	if o, err := origin.Parse(there); err == nil && o.String() == public && samePage(link.EscapedPath(), path) {
		return ""
	}
	if ok && f.Document {
		if back := wayBack(public, &f.Page); back != "" {
			values := link.Query()
			values.Set(paramReturn, back)
			link.RawQuery = values.Encode()
		}
	}
	return link.String()
}
