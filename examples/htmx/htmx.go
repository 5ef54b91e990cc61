// Package htmx redirects to the sign-in page when a request of htmx is refused because nobody is signed in. A plain 401
// would be shown in place of a fragment, or not at all.
package htmx

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/clerkauth/clerkauth"
)

// Fragments wraps Optional and Require. Requests of htmx are never page loads, but older browsers, and all of them on plain
// http, do not say so, and a script cannot follow a redirect to Clerk and back. Headers of writes are not changed:
// clerkauth needs them to check which page has sent a write.
func Fragments(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if read := r.Method == http.MethodGet || r.Method == http.MethodHead; read && ofHTMX(r) {
			r = r.Clone(r.Context())
			r.Header.Set("Sec-Fetch-Dest", "empty")
			r.Header.Del("Sec-Fetch-Mode")
		}
		next.ServeHTTP(w, r)
	})
}

func ofHTMX(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// ErrorHandler is for Config.ErrorHandler. signIn is the URL of the sign-in page, which redirects people back to the page
// that they were on, if it is at origin ("https://example.com"), or to the page of a boosted link that was refused.
func ErrorHandler(origin, signIn string) clerkauth.ErrorHandler {
	return func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
		target, parseErr := url.Parse(signIn)
		if !ofHTMX(r) || err.StatusCode() != http.StatusUnauthorized || parseErr != nil {
			clerkauth.DefaultErrorHandler(w, r, err)
			return
		}
		back := page(origin, r.Header.Get("HX-Current-URL"))
		if r.Method == http.MethodGet && r.Header.Get("HX-Boosted") == "true" {
			back = origin + originalURL(r)
		}
		query := target.Query()
		query.Set("redirect_url", back)
		target.RawQuery = query.Encode()
		w.Header().Set("HX-Redirect", target.String())
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("WWW-Authenticate", `Bearer realm="clerk"`)
		w.Header().Set("X-Clerk-Auth-Reason", string(err.Reason))
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// originalURL is the path and query that the browser requested: http.StripPrefix, and similar routers, change r.URL.
func originalURL(r *http.Request) string {
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil && strings.HasPrefix(u.Path, "/") {
		return u.RequestURI()
	}
	return "/"
}

// page is current, if that is a page of origin. Anybody can write a header.
func page(origin, current string) string {
	u, err := url.Parse(current)
	if err != nil || u.User != nil || u.Scheme+"://"+u.Host != origin {
		return origin + "/"
	}
	return u.String()
}

// Routes are a page for everybody, and a fragment of it for signed-in people. Serve /htmx.js yourself.
func Routes(auth *clerkauth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html>
<title>htmx</title>
<script src="/htmx.js"></script>
<button hx-get="/me" hx-target="#me">Who am I?</button>
<p id="me"></p>
`)
	})
	mux.Handle("GET /me", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<b>%s</b>", session.UserID)
	})))
	return Fragments(mux)
}
