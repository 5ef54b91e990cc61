package clerkauth

import (
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/clerkauth/clerkauth/internal/backendapi"
)

// Parameters and URLs are put together from parts that are already what they say, never resolved: a path that
// begins with // would otherwise become a host.

// maxLocation is the length of the longest address that a browser is sent to, in bytes.
const maxLocation = 8 << 10

// handshakeLocation is where a handshake begins; empty: the instance's address is not known. byToken: its answer shall
// not be a nonce.
func (s *settings) handshakeLocation(e *evidence, o outcome, public, back string, byToken bool) string {
	if o.target != "" {
		return o.target
	}
	base := s.frontendAt(public)
	if base == "" || len(back) > maxLocation {
		return ""
	}
	q := make(url.Values, 8)
	q.Set("redirect_url", back)
	q.Set("__clerk_api_version", backendapi.Version)
	q.Set("suffixed_cookies", strconv.FormatBool(e.pair == suffixed))
	q.Set("__clerk_hs_reason", o.err().clerkReason())
	if s.secretKey != "" && !byToken {
		q.Set("format", "nonce")
	}
	if token := e.sentToken(); token != "" {
		q.Set("__session", token)
	}
	if browser := e.devBrowserToken(); !s.live && browser != "" {
		q.Set("__clerk_db_jwt", browser)
	}
	if target, ok := s.organizations.Target(e.page.path); ok {
		q.Set("organization_id", target.Parameter())
	}
	return base + "/v1/client/handshake?" + q.Encode()
}

// frontendAt is the Frontend API as a browser reaches it from an origin.
func (s *settings) frontendAt(public string) string {
	if s.proxyPath != "" {
		return public + strings.TrimRight(s.proxyPath, "/")
	}
	return s.browserFrontend
}

// returnQuery is the query to come back to, without what an earlier handshake left in it. In development an answer
// that did not hold would stand beside the next one, and of two none counts.
func (s *settings) returnQuery(query string) string {
	return queryWithout(query, func(name string) bool {
		switch name {
		case paramDevBrowser, paramLegacyDevBrowser, paramState, paramSent:
			return true
		case cookieHandshake, cookieNonce:
			return !s.live
		}
		return false
	})
}

// queryWithout is a query, with its question mark, written anew as a form without some parameters.
func queryWithout(query string, left func(name string) bool) string {
	return joinQuery(pairsWithout(query, left))
}

func pairsWithout(query string, left func(name string) bool) []string {
	var kept []string
	for name, value := range parameters(query) {
		if !left(name) {
			kept = append(kept, formEscape(name)+"="+formEscape(value))
		}
	}
	return kept
}

func joinQuery(pairs []string) string {
	if len(pairs) == 0 {
		return ""
	}
	return "?" + strings.Join(pairs, "&")
}

// sortedQuery tells pages apart, whatever order the Frontend API leaves their parameters in.
func sortedQuery(query string) string {
	pairs := pairsWithout(query, leftByHandshake)
	slices.Sort(pairs)
	return joinQuery(pairs)
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

// parameters are the pairs of a query in order, decoded as a form.
func parameters(query string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for pair := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(pair, "=")
			if pair != "" && !yield(formUnescape(name), formUnescape(value)) {
				return
			}
		}
	}
}

func formUnescape(s string) string {
	decoded, err := url.QueryUnescape(s)
	if err != nil {
		return s
	}
	return decoded
}

// formEscape is url.QueryEscape in the spelling of browsers (application/x-www-form-urlencoded): * stays, ~ does not.
func formEscape(s string) string { return formSpelling.Replace(url.QueryEscape(s)) }

var formSpelling = strings.NewReplacer("%2A", "*", "~", "%7E")

// withoutAnswer is the address of a document without what a handshake left in it.
func withoutAnswer(origin string, p page) string {
	return origin + p.path + queryWithout(p.query, func(name string) bool {
		return name != paramLegacyDevBrowser && leftByHandshake(name)
	})
}

// first is the first value of a parameter.
func first(query, parameter string) (string, bool) {
	for name, value := range parameters(query) {
		if name == parameter {
			return value, true
		}
	}
	return "", false
}

// signInTarget is where somebody signed out who asks for a page is sent; empty: nowhere.
func (a *Authenticator) signInTarget(r *http.Request, err *Error) string {
	signIn := a.settings.signIn
	if signIn == nil || err.StatusCode() != http.StatusUnauthorized || err.stuck != notStuck || !isDocument(r) || a.settings.proxied(r) {
		return ""
	}
	var f facts
	if reason := f.read(r, a.settings); reason != "" {
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
	if o, err := parseOrigin(there); err == nil && o.String() == public && max(signIn.EscapedPath(), "/") == path {
		return ""
	}
	values := signIn.Query()
	values.Set("redirect_url", public+path+withoutClerk(query))
	target := url.URL{Path: signIn.Path, RawPath: signIn.RawPath, RawQuery: values.Encode(), Fragment: signIn.Fragment, RawFragment: signIn.RawFragment}
	return there + target.String()
}

// clientTarget is the path and query that the client asked for. Handlers in front, such as http.StripPrefix,
// change r.URL; the request line stays.
func clientTarget(r *http.Request) (path, query string) {
	target := r.RequestURI
	if _, rest, absolute := strings.Cut(target, "://"); absolute && target[0] != '/' { // RFC 9112 section 3.2.2
		target = rest[max(strings.IndexAny(rest, "/?"), 0):]
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

// withoutClerk is query, with its question mark, without Clerk's own parameters: they belong to one round.
func withoutClerk(query string) string {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); pair != "" && (err != nil || !strings.HasPrefix(decoded, "__clerk_") && !leftByHandshake(decoded)) {
			kept = append(kept, pair)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return "?" + strings.Join(kept, "&")
}
