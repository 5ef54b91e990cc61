package turbo

import (
	"fmt"
	"net/http"

	"github.com/clerkauth/clerkauth"
)

// Routes are a page for everybody, with a frame, a link and a form, all of which lead to /me, for signed-in people. Serve
// /turbo.js yourself.
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
	return Fragments(mux)
}
