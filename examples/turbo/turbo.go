// Package turbo leads to the sign-in page where a request of Hotwire's Turbo is refused because nobody is signed in. A plain
// 401 would be shown in the place of a page, or "Content missing" in the place of a frame.
package turbo

import (
	"fmt"
	"html"
	"net/http"
	"net/url"

	"github.com/clerkauth/clerkauth"
)

// ErrorHandler is for Config.ErrorHandler. signIn is the address of the sign-in page, which sends people back to a page of
// origin, "https://example.com": the one that they asked for, or where a frame or a form was refused, the one it is on.
//
// Turbo shows the answer as a page, whose refresh goes on. In the place of a frame it does so by the visit control, which in
// the place of a form would load the form's page again.
func ErrorHandler(origin, signIn string) clerkauth.ErrorHandler {
	return func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
		frame := r.Header.Get("Turbo-Frame") != ""
		target, parseErr := url.Parse(signIn)
		if !frame && r.Header.Get("X-Turbo-Request-Id") == "" || err.StatusCode() != http.StatusUnauthorized || parseErr != nil {
			clerkauth.DefaultErrorHandler(w, r, err)
			return
		}
		back := origin + r.URL.RequestURI()
		if frame || r.Method != http.MethodGet {
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
		if frame {
			fmt.Fprint(w, `<meta name="turbo-visit-control" content="reload">`)
		}
	}
}

// page is current, if that is a page of origin. A header is what anybody can write.
func page(origin, current string) string {
	u, err := url.Parse(current)
	if err != nil || u.User != nil || u.Scheme+"://"+u.Host != origin {
		return origin + "/"
	}
	return u.String()
}

// Routes are a page for everybody, with a frame, a link and a form, of which all lead to /me, for whoever is signed in.
// /turbo.js is yours to serve.
func Routes(auth *clerkauth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<!doctype html>
<title>turbo</title>
<script src="/turbo.js"></script>
<turbo-frame id="frame"><a id="in-frame" href="/me">Who am I, in a frame?</a></turbo-frame>
<a id="link" href="/me">Who am I?</a>
<form action="/me" method="post"><button id="button">Say that it is me</button></form>
`)
	})
	me := auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><title>me</title><turbo-frame id="frame"><b id="who">%s</b></turbo-frame>`, session.UserID)
	}))
	mux.Handle("GET /me", me)
	mux.Handle("POST /me", auth.Require(http.RedirectHandler("/me", http.StatusSeeOther)))
	return mux
}
