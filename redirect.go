package clerkauth

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/clerkauth/clerkauth/internal/backendapi"
	"github.com/clerkauth/clerkauth/internal/origin"
)

// handshakeLocation is where a handshake begins; empty: the instance's address is not known, or the way there and back is
// too long. byToken: its answer shall not be a nonce.
func (s *settings) handshakeLocation(e *evidence, o outcome, public, back string, byToken bool) string {
	if o.target != "" {
		return o.target
	}
	base := s.frontendAt(public)
	if base == "" || back == "" {
		return ""
	}
	var a address
	a.write(base, "/v1/client/handshake")
	a.add("redirect_url", back)
	a.add("__clerk_api_version", backendapi.Version)
	a.add("suffixed_cookies", strconv.FormatBool(e.pair == suffixed))
	a.add("__clerk_hs_reason", o.err().clerkReason())
	if s.secretKey != "" && !byToken {
		a.add("format", "nonce")
	}
	if token := e.sentToken(); token != "" {
		a.add("__session", token)
	}
	if browser := e.devBrowserToken(); !s.live && browser != "" {
		a.add("__clerk_db_jwt", browser)
	}
	if target, ok := s.organizations.Target(e.page.path); ok {
		a.add("organization_id", target.Parameter())
	}
	return a.String()
}

// frontendAt is the Frontend API as a browser reaches it from an origin.
func (s *settings) frontendAt(public string) string {
	if s.proxyPath != "" {
		return public + strings.TrimRight(s.proxyPath, "/")
	}
	return s.browserFrontend
}

// leftBehind reports whether a parameter is left out of the address to come back to. In development an answer that did
// not hold would stand beside the next one, and of two none counts.
func (s *settings) leftBehind(name string) bool {
	switch name {
	case paramDevBrowser, paramLegacyDevBrowser, paramState, paramSent:
		return true
	case cookieHandshake, cookieNonce:
		return !s.live
	}
	return false
}

// sortedQuery tells pages apart, whatever order the Frontend API leaves their parameters in. Nobody is sent away from
// a page whose query is too long to come back to, so that it does not count.
func sortedQuery(query string) string {
	if len(query) > maxAddress {
		return ""
	}
	var kept [][2]string
	for name, value := range parameters(query) {
		if !leftByHandshake(name) {
			kept = append(kept, [2]string{name, value})
		}
	}
	slices.SortFunc(kept, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	var sorted strings.Builder
	sorted.Grow(len(query) + len(kept))
	for _, p := range kept {
		sorted.WriteByte('&')
		sorted.WriteString(formEscape(p[0]))
		sorted.WriteByte('=')
		sorted.WriteString(formEscape(p[1]))
	}
	return sorted.String()
}

// leftByHandshake reports whether a parameter says something about a handshake, and nothing about the page.
func leftByHandshake(name string) bool {
	switch name {
	case cookieHandshake, cookieNonce, paramDevBrowser, paramLegacyDevBrowser, paramHelp, paramState, paramSent:
		return true
	}
	return false
}

// withParameter is an address without fragment and one more parameter.
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
)

// withoutAnswer is the address of a document without what a handshake left in it.
func withoutAnswer(public string, p page) string {
	return addressWithout(public, p, func(name string) bool {
		return name != paramLegacyDevBrowser && leftByHandshake(name)
	})
}

// signInTarget is where somebody signed out who asks for a page is sent; empty: nowhere.
func (a *Authenticator) signInTarget(r *http.Request, err *Error) string {
	signIn := a.settings.signIn
	if signIn == nil || err.StatusCode() != http.StatusUnauthorized || err.stuck != notStuck {
		return ""
	}
	var f facts
	if reason := f.read(r, a.settings); reason != "" || !f.document {
		return ""
	}
	public, ok := publicOrigin(r.Context(), &f, &a.settings.policy)
	if !ok {
		return ""
	}
	path, query := clientTarget(r)
	there := public
	if signIn.Host != "" {
		there = signIn.Scheme + "://" + signIn.Host
	}
	if o, err := origin.Parse(there); err == nil && o.String() == public && max(signIn.EscapedPath(), "/") == path {
		return ""
	}
	back := withoutClerk(public, path, query)
	if back == "" {
		return ""
	}
	values := signIn.Query()
	values.Set("redirect_url", back)
	target := url.URL{Path: signIn.Path, RawPath: signIn.RawPath, RawQuery: values.Encode(), Fragment: signIn.Fragment, RawFragment: signIn.RawFragment}
	var address address
	address.write(there, target.String())
	return address.String()
}

// clientTarget is the path and query that the client asked for. Handlers in front, such as http.StripPrefix,
// change r.URL; the request line stays.
func clientTarget(r *http.Request) (path, query string) {
	target := r.RequestURI
	if target != "" && target[0] != '/' {
		if _, rest, absolute := strings.Cut(target, "://"); absolute { // RFC 9112 section 3.2.2
			target = rest[max(strings.IndexAny(rest, "/?"), 0):]
		}
	}
	if strings.HasPrefix(target, "/") {
		path, query, _ = strings.Cut(target, "?")
		return path, query
	}
	path = r.URL.EscapedPath()
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return path, r.URL.RawQuery
}

// withoutClerk is an address without Clerk's own parameters: they belong to one handshake. The others stay as they are.
func withoutClerk(public, path, query string) string {
	var a address
	a.write(public, path)
	for pair := range strings.SplitSeq(query, "&") {
		if a.tooLong {
			return ""
		}
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); pair != "" && (err != nil || !strings.HasPrefix(decoded, "__clerk_") && !leftByHandshake(decoded)) {
			a.pair(pair)
		}
	}
	return a.String()
}
