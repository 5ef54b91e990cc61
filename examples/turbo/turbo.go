// Package turbo leads to the sign-in page where a request of Hotwire's Turbo is refused because nobody is signed in. A plain
// 401 would be shown in the place of a page, or "Content missing" in the place of a frame.
package turbo

import (
	"fmt"
	"io"
	"net/http"

	"github.com/clerkauth/clerkauth"
)

// ErrorHandler is for Config.ErrorHandler, beside Config.SignInURL. It has Turbo load the page itself, as a browser does
// without Turbo, which leads through Clerk or to the sign-in page, and back.
//
// The page is that of the address which was refused: what a frame shows, and a form in it sends to, should be a page too.
func ErrorHandler(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
	frame := r.Header.Get("Turbo-Frame") != ""
	if !frame && r.Header.Get("X-Turbo-Request-Id") == "" || err.StatusCode() != http.StatusUnauthorized {
		clerkauth.DefaultErrorHandler(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("WWW-Authenticate", `Bearer realm="clerk"`)
	w.Header().Set("X-Clerk-Auth-Reason", string(err.Reason))
	if !frame && r.Method == http.MethodGet { // of a visit Turbo shows any HTML, and what is none it leaves to the browser
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = io.WriteString(w, `<!doctype html><meta name="turbo-visit-control" content="reload"><title>Sign in</title>`)
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
