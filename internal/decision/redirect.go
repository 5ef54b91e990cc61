package decision

import (
	"slices"
	"strconv"
	"strings"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/inbound"
)

// handshakeLocation is where a handshake begins; empty: the instance's address is not known, or the way there and back is
// too long. byToken: its answer shall not be a nonce.
func (s *Settings) handshakeLocation(e *Evidence, o Outcome, public, back string, byToken bool) string {
	if o.target != "" {
		return o.target
	}
	base := s.frontendAt(public)
	if base == "" || back == "" {
		return ""
	}
	var a address
	a.write(base, "/v1/client/handshake")
	a.add(paramReturn, back)
	a.add("__clerk_api_version", backendapi.Version)
	a.add("suffixed_cookies", strconv.FormatBool(e.pair == inbound.Suffixed))
	a.add("__clerk_hs_reason", ClerkReason(o.Reason, o.Refresh))
	if s.Secret && !byToken {
		a.add("format", "nonce")
	}
	if token := e.sentToken(); token != "" {
		a.add("__session", token)
	}
	if browser := e.devBrowserToken(); !s.Live && browser != "" {
		a.add(paramDevBrowser, browser)
	}
	if target, ok := s.Organizations.Target(e.Page.Path); ok {
		a.add("organization_id", target.Parameter())
	}
	return a.String()
}

// frontendAt is the Frontend API as a browser reaches it from an origin.
func (s *Settings) frontendAt(public string) string {
	if s.ProxyPath != "" {
		return public + strings.TrimRight(s.ProxyPath, "/")
	}
	return s.Frontend
}

// isHandshakeParameter reports whether a parameter is left out of the address to come back to. In development a refused
// answer would otherwise stand beside the next one, and of two answers none counts.
func (s *Settings) isHandshakeParameter(name string) bool {
	switch name {
	case paramDevBrowser, paramLegacyDevBrowser, inbound.ParamState, inbound.ParamSent:
		return true
	case inbound.CookieHandshake, inbound.CookieNonce:
		return !s.Live
	}
	return false
}

// sortedQuery is the query of a page in a fixed order, as the Frontend API may change the order of parameters. A query that
// is too long to come back to is left out: nobody is sent away from such a page.
func sortedQuery(query string) string {
	var kept address
	kept.addWithout(query, asForm, leftByHandshake)
	pairs := strings.Split(strings.TrimPrefix(kept.String(), "?"), "&")
	slices.Sort(pairs)
	return "?" + strings.Join(pairs, "&")
}

// leftByHandshake reports whether a parameter says something about a handshake, and nothing about the page.
func leftByHandshake(name string) bool {
	switch name {
	case inbound.CookieHandshake, inbound.CookieNonce, paramDevBrowser, paramLegacyDevBrowser, paramHelp, inbound.ParamState, inbound.ParamSent:
		return true
	}
	return false
}

// withParameter adds a parameter to an address that has no fragment.
func withParameter(address, name, value string) string {
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + name + "=" + formEscape(value)
}

// Clerk's own parameters.
const (
	paramDevBrowser       = "__clerk_db_jwt"
	paramLegacyDevBrowser = "__dev_session"
	paramHelp             = "__clerk_help"
	paramSynced           = "__clerk_synced"
	paramRedirect         = "__clerk_redirect_url"
	paramReturn           = "redirect_url"
)

// withoutAnswer is the address of a document without what a handshake left in it.
func withoutAnswer(public string, p inbound.Page) string {
	return addressWithout(public, &p, asForm, func(name string) bool {
		return name != paramLegacyDevBrowser && leftByHandshake(name)
	})
}
