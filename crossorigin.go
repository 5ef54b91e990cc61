package clerkauth

import (
	"context"
	"net/http"
	"strings"
)

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
