// Package proxypath reads what a request asks for below the path of the Frontend API's proxy.
package proxypath

import (
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
)

// Methods are those of the Frontend API. TRACE would send the secret key back, CONNECT would leave the host open.
var Methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

// Private is where the answers of the Frontend API are one browser's; the other paths have keys and scripts.
const Private = "/v1/"

// forwarded are the paths of the Frontend API that browsers need.
var forwarded = []string{Private, "/.well-known/", "/npm/"}

// Forwarded reports whether a path below the proxy's is one that browsers need.
func Forwarded(path string) bool {
	return slices.ContainsFunc(forwarded, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}

// Passes reports whether a request is one that the proxy forwards, whatever handlers in front made of its URL: they may
// have cut off what stands before the last segment of prefix, and no more. What was cut further, or rewritten, may lead
// to another handler than the proxy.
func Passes(r *http.Request, prefix string) bool {
	below, ok := Under(r, prefix)
	if !ok || !Forwarded(below) || !slices.Contains(Methods, r.Method) {
		return false
	}
	whole, err := url.PathUnescape(prefix)
	return err == nil && strings.HasPrefix(r.URL.Path, "/") && strings.HasSuffix(r.URL.Path, "/"+path.Base(whole)+below)
}

// Under returns the path of a request below prefix, decoded: "/v1/client" of "/__clerk/v1/client". ok is false where the
// request is for something else, and where two readers could take its path for different ones.
//
// The request line tells, since handlers in front change the URL. They may have cut off its beginning; where they made
// another path of it, the request is for something else.
func Under(r *http.Request, prefix string) (path string, ok bool) {
	if prefix == "" {
		return "", false
	}
	target := r.RequestURI
	if target == "" { // the request was not read by a server
		target = r.URL.EscapedPath()
	}
	target, _, _ = strings.Cut(target, "?")
	if _, behind, absolute := strings.Cut(target, "://"); absolute && target[0] != '/' { // RFC 9112 section 3.2.2
		target = behind[max(strings.IndexByte(behind, '/'), 0):]
	}
	rest, ok := strings.CutPrefix(target, prefix)
	if !ok {
		return "", false
	}
	path, err := url.PathUnescape(rest)
	if err != nil || !plain(path) || strings.Count(path, "/") != strings.Count(rest, "/") {
		return "", false // among others, with a slash that was encoded
	}
	if whole, err := url.PathUnescape(prefix); err != nil || !strings.HasSuffix(whole+path, r.URL.Path) {
		return "", false
	}
	return path, true
}

// plain reports whether a path has only segments that mean themselves, to whatever decodes or cleans it once more.
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

// plainCharacters are those of Clerk's paths, and no others: not % and \, which another reader may decode or turn, nor
// the semicolon, behind which some find parameters.
const plainCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~@:+,=/"
