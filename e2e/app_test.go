package e2e_test

import (
	"html/template"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/coder/websocket"

	"github.com/clerkauth/clerkauth"
)

// app is the app under test, and the requests that it got.
type app struct {
	signIn string       // the address of the sign-in page
	writes atomic.Int64 // writes that reached a handler

	mu      sync.Mutex // guards the fields below
	seen    []exchange
	headers map[string]http.Header // of the last request for each path
}

// exchange is one request and its answer.
type exchange struct {
	method, path, origin string
	status               int
	reason               string
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{{.Path}}</title>
<link rel="icon" href="data:,">
<style>body{font:1.2rem/1.5 system-ui,sans-serif;margin:3rem}</style>
<h1 id="who" data-expires="{{.Expires}}">{{.Who}}</h1>
<p>This is {{.Path}}.</p>
{{if eq .Who "nobody"}}<p><a id="sign-in" href="{{.SignIn}}">Sign in</a></p>{{end}}
</html>
`))

// handler is all of the app, inside Optional, and inside Require where needed.
func (a *app) handler(auth *clerkauth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", http.HandlerFunc(a.page))
	mux.Handle("GET /private", auth.Require(http.HandlerFunc(a.page)))
	mux.Handle("POST /write", auth.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { a.writes.Add(1) })))
	mux.Handle("GET /worker.js", http.HandlerFunc(worker))
	mux.Handle("GET /ws", auth.Require(http.HandlerFunc(a.open)))
	return a.record(auth.Optional(mux))
}

// page says who is signed in.
func (a *app) page(w http.ResponseWriter, r *http.Request) {
	view := struct {
		Who, Path, SignIn string
		Expires           int64
	}{Who: "nobody", Path: r.URL.Path, SignIn: a.signIn}
	if s, ok := clerkauth.FromContext(r.Context()); ok {
		view.Who, view.Expires = s.UserID, s.ExpiresAt.UnixMilli()
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Referrer-Policy", r.FormValue("policy"))
	_ = pageTemplate.Execute(w, view) // the browser may have disconnected
}

// worker is a service worker that only forwards requests: all, or one method.
func worker(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/javascript")
	_ = workerTemplate.Execute(w, r.FormValue("for")) // the browser may have disconnected
}

var workerTemplate = template.Must(template.New("worker").Parse(`
addEventListener("install", () => skipWaiting())
addEventListener("activate", e => e.waitUntil(clients.claim()))
addEventListener("fetch", e => {
	if ({{if eq . "all"}}true{{else}}e.request.method === "{{.}}"{{end}}) e.respondWith(fetch(e.request))
})
`))

// open accepts a WebSocket from any origin: requests that are refused do not get here.
func (a *app) open(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // the answer was written
	}
	_ = conn.Close(websocket.StatusNormalClosure, "") // the browser may have disconnected
}

// record keeps requests and their answers.
func (a *app) record(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(status, r)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.headers[r.URL.Path] = r.Header.Clone()
		a.seen = append(a.seen, exchange{
			r.Method, r.URL.Path, r.Header.Get("Origin"), status.status, w.Header().Get("X-Clerk-Auth-Reason"),
		})
	})
}

// answers returns the exchanges with a path so far.
func (a *app) answers(path string) []exchange {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []exchange
	for _, x := range a.seen {
		if x.path == path {
			found = append(found, x)
		}
	}
	return found
}

// header returns the header of the last request for a path.
func (a *app) header(path string) http.Header {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.headers[path]
}

// status returns the status of the last answer for a path; 0: there was none.
func (a *app) status(path string) int {
	all := a.answers(path)
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].status
}

// statusWriter keeps the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
