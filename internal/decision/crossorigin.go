package decision

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// protection is net/http's own rule about what is cross-origin. It has no bypass and no trusted origins: those
// are matched here.
var protection http.CrossOriginProtection

// crossOrigin reports whether a request whose credential the browser attached by itself, such as a cookie, comes from an
// origin that may not send it. Reads pass, but a WebSocket upgrade is a GET only in name.
func crossOrigin(r *http.Request, f *inbound.Request, s *Settings) bool {
	checked := r
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		if !f.Upgrade() {
			return false
		}
		post := *r
		post.Method = http.MethodPost
		checked = &post
	}
	ctx, origins, sites := r.Context(), f.Lines.All(inbound.LineOrigin), f.Lines.All(inbound.LineSite)
	origin, site := f.Lines.First(inbound.LineOrigin), strings.Join(sites, "")
	switch {
	case s.SkipOriginCheck:
		return false
	case len(origins) > 1, len(f.Lines.All(inbound.LineReferer)) > 1, (origin != "" || site != "") && s.contradicted(ctx, f):
		return true
	case s.mayWrite(ctx, origin, f):
		return false
	case len(sites) > 1:
		return true
	case origin != "" && site == "":
		// Check compares hosts only, but http://example.com must not write to https://example.com.
		public := s.ownOrigin(ctx, f)
		return public == "" || origin != public
	}
	return protection.Check(checked) != nil
}

// contradicted reports whether the headers of a browser's write speak of an origin that may not write here,
// whatever Sec-Fetch-Site says: a service worker that answers with respondWith(fetch(event.request)) passes on the
// form of another site. In Firefox and WebKit Sec-Fetch-Site is same-origin then, and the form's page is left in
// Origin or Referer, or Origin is null beside a mode that no form has. Without a list there is nothing to compare
// with: a proxy may have changed Host.
func (s *Settings) contradicted(ctx context.Context, f *inbound.Request) bool {
	if s.Policy.Any {
		return false
	}
	if referrer := f.Lines.First(inbound.LineReferer); referrer != "" && !s.mayWrite(ctx, originOf(referrer), f) {
		return true
	}
	switch origin := f.Lines.First(inbound.LineOrigin); origin {
	case "":
		return false
	case "null":
		return slices.Contains(f.Lines.All(inbound.LineMode), "same-origin")
	default:
		return !s.mayWrite(ctx, origin, f)
	}
}

// ownWrite reports whether the headers show that a write, or a WebSocket upgrade, comes from a page of the same origin.
// Only for those is an expired session refreshed: other origins that may write here need a session that has not expired.
func (s *Settings) ownWrite(ctx context.Context, f *inbound.Request) bool {
	switch f.Method {
	case http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodConnect:
		return false
	}
	public := s.ownOrigin(ctx, f)
	if public == "" || f.ThroughWorker() {
		return false
	}
	referrers, referrer := f.Lines.All(inbound.LineReferer), f.Lines.First(inbound.LineReferer)
	if len(referrers) > 1 || referrer != "" && originOf(referrer) != public {
		return false
	}
	origins, sites := f.Lines.All(inbound.LineOrigin), f.Lines.All(inbound.LineSite)
	if len(sites) == 0 {
		return len(origins) == 1 && origins[0] == public
	}
	// A form is sent with the origin null where the page's Referrer-Policy is no-referrer.
	return len(sites) == 1 && sites[0] == "same-origin" && (len(origins) == 0 || len(origins) == 1 && (origins[0] == public || origins[0] == "null"))
}

// claimsOwn reports whether a write claims to come from a page of the host that it is sent to, listed or not.
func claimsOwn(f *inbound.Request) bool {
	return f.OwnSite() && (len(f.Lines.All(inbound.LineSite)) == 1 || len(f.Lines.All(inbound.LineOrigin)) == 1)
}

// mayWrite reports whether pages of origin may send writes here.
func (s *Settings) mayWrite(ctx context.Context, origin string, f *inbound.Request) bool {
	return s.Trusted.Match(origin) || s.Policy.allows(ctx, origin, f)
}

// originOf is the origin of an address as browsers write addresses (RFC 6454 section 6.2), or "" when it has none.
func originOf(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		return ""
	}
	host := len(rest)
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		host = i
	}
	return address[:len(scheme)+len("://")+host]
}
