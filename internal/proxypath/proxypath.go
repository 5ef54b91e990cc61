// Package proxypath parses the paths of requests to the proxy of the Frontend API.
package proxypath

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Methods are those of the Frontend API. TRACE would return the secret key, and CONNECT would allow any host.
var Methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// Private is the path below which answers of the Frontend API are for one browser; other paths have keys and scripts.
const Private = "/v1/"

// forwarded are the paths of the Frontend API that browsers need.
var forwarded = []string{Private, "/.well-known/", "/npm/"}

// Forwarded reports whether browsers need a path below the proxy's.
func Forwarded(path string) bool {
	return slices.ContainsFunc(forwarded, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// Passes reports whether the proxy forwards a request, even if handlers in front changed its URL: they may have stripped
// the prefix up to its last segment, and no more. A path that was cut further, or rewritten, may lead to another handler
// than the proxy.
func Passes(r *http.Request, prefix string) bool {
	below, ok := Under(r, prefix)
	if !ok || !Forwarded(below) || !slices.Contains(Methods, r.Method) {
		return false
	}
	whole, err := url.PathUnescape(prefix)
	return err == nil && strings.HasPrefix(r.URL.Path, "/") && strings.HasSuffix(r.URL.Path, "/"+path.Base(whole)+below)
}

// Under returns the path of a request below prefix, decoded: "/v1/client" for "/__clerk/v1/client". ok is false if the
// request is for another path, or if two parsers could read its path differently.
//
// It reads the request line, since handlers in front may change the URL. They may have stripped its beginning; if they
// changed the path otherwise, the request is for another path.
func Under(r *http.Request, prefix string) (path string, ok bool) {
	if prefix == "" {
		return "", false
	}
	target := r.RequestURI
	if target == "" { // the request was not read by a server
		target = r.URL.EscapedPath()
	}
	target, _, _ = strings.Cut(target, "?")
	if scheme, behind, absolute := strings.Cut(target, "://"); absolute && target[0] != '/' { // RFC 9112 section 3.2.2
		if strings.Contains(scheme, ":") {
			return "", false // "http:x://…" has no path
		}
		target = behind[max(strings.IndexByte(behind, '/'), 0):]
	}
	rest, ok := strings.CutPrefix(target, prefix)
	if !ok {
		return "", false
	}
	path, err := url.PathUnescape(rest)
	if err != nil || !plain(path) || strings.Count(path, "/") != strings.Count(rest, "/") {
		return "", false // for example if a slash was encoded
	}
	if whole, err := url.PathUnescape(prefix); err != nil || !strings.HasSuffix(whole+path, r.URL.Path) {
		return "", false
	}
	return path, true
}

// plain reports whether a path has only plain segments, which do not change if they are decoded or cleaned again.
func plain(path string) bool {
	if path == "" {
		return true
	}
	if strings.Trim(path, plainCharacters) != "" || path[0] != '/' {
		return false
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		if s == "." || s == ".." || s == "" && i < len(segments)-1 {
			return false
		}
	}
	return true
}

// plainCharacters are those of Clerk's paths: without % and \, which another parser may decode or convert, and the
// semicolon, after which some read parameters.
const plainCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@:+,=/"
