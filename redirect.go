package clerkauth

import (
	"net/http"
	"net/url"
	"strings"
)

// signInTarget is where somebody signed out who asks for a page is sent; empty: nowhere.
func (a *Authenticator) signInTarget(r *http.Request, err *Error) string {
	signIn := a.settings.signIn
	if signIn == nil || err.StatusCode() != http.StatusUnauthorized || !isDocument(r) {
		return ""
	}
	f, reason := readFacts(r, a.settings)
	if reason != "" {
		return ""
	}
	public, ok := publicOrigin(r.Context(), &f, a.settings)
	if !ok {
		return ""
	}
	path, query := clientTarget(r)
	if o, err := parseOrigin(signIn.Scheme + "://" + signIn.Host); err == nil && o.String() == public && signIn.EscapedPath() == path {
		return ""
	}
	target := *signIn
	values := target.Query()
	values.Set("redirect_url", public+path+withoutClerk(query))
	target.RawQuery = values.Encode()
	return target.String()
}

// clientTarget is the path and query that the client asked for. Handlers in front, such as http.StripPrefix,
// change r.URL; the request line stays.
func clientTarget(r *http.Request) (path, query string) {
	if strings.HasPrefix(r.RequestURI, "/") {
		path, query, _ = strings.Cut(r.RequestURI, "?")
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
		if decoded, err := url.QueryUnescape(name); pair != "" && (err != nil || !strings.HasPrefix(decoded, "__clerk_")) {
			kept = append(kept, pair)
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return "?" + strings.Join(kept, "&")
}
