// Package turbo redirects to the sign-in page when a request of Hotwire's Turbo is refused because nobody is signed in. A
// plain 401 would be shown in place of a page, or "Content missing" in place of a frame.
package turbo

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"

	"github.com/clerkauth/clerkauth"
)

// Fragments wraps Optional and Require. Requests of Turbo are a script's, but older browsers, and all of them on plain
// http, do not say so, and a script cannot follow a redirect to Clerk and back. Headers of writes are not changed:
// clerkauth needs them to check which page has sent a write.
func Fragments(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if read := r.Method == http.MethodGet || r.Method == http.MethodHead; read && (ofFrame(r) || ofTurbo(r)) {
			r = r.Clone(r.Context())
			r.Header.Set("Sec-Fetch-Dest", "empty")
			r.Header.Del("Sec-Fetch-Mode")
		}
		next.ServeHTTP(w, r)
	})
}

func ofFrame(r *http.Request) bool { return r.Header.Get("Turbo-Frame") != "" }
func ofTurbo(r *http.Request) bool { return r.Header.Get("X-Turbo-Request-Id") != "" }

// ErrorHandler is for Config.ErrorHandler. signIn is the URL of the sign-in page, which redirects people back to a page of
// origin, "https://example.com": the requested one or, if a frame or a form was refused, the current one.
//
// Turbo shows the response as a page, whose refresh continues. In place of a frame it does so because of the visit control,
// which in place of a form would load the form's page again.
func ErrorHandler(origin, signIn string) clerkauth.ErrorHandler {
	return func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
		target, parseErr := url.Parse(signIn)
		if !ofFrame(r) && !ofTurbo(r) || err.StatusCode() != http.StatusUnauthorized || parseErr != nil {
			clerkauth.DefaultErrorHandler(w, r, err)
			return
		}
		back := origin + originalURL(r)
		if ofFrame(r) || r.Method != http.MethodGet {
			back = page(origin, r.Referer())
		}
		query := target.Query()
		query.Set("redirect_url", back)
		target.RawQuery = query.Encode()
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("WWW-Authenticate", `Bearer realm="clerk"`)
		w.Header().Set("X-Clerk-Auth-Reason", string(err.Reason))
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `<!doctype html><title>Sign in</title><meta http-equiv="refresh" content="0;url=%s">`, html.EscapeString(target.String()))
		if ofFrame(r) {
			fmt.Fprint(w, `<meta name="turbo-visit-control" content="reload">`)
		}
	}
}

// originalURL is the path and query that the browser requested: http.StripPrefix, and similar routers, change r.URL.
func originalURL(r *http.Request) string {
	u, err := url.ParseRequestURI(r.RequestURI)
	if err != nil || !strings.HasPrefix(u.Path, "/") {
		return "/"
	}
	return u.RequestURI()
}

// page is current, if that is a page of origin. Anybody can write a header.
func page(origin, current string) string {
	u, err := url.Parse(current)
	if err != nil || u.User != nil || u.Scheme+"://"+u.Host != origin {
		return origin + "/"
	}
	return u.String()
}
