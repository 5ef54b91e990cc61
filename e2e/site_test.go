package e2e_test

import (
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"

	"github.com/clerkauth/clerkauth"
)

func port(s *httptest.Server) int {
	a, _ := s.Listener.Addr().(*net.TCPAddr)
	return a.Port
}

// nobody is who is signed in where nobody is.
const nobody = "nobody"

// appPage is what every address of the app shows: which one it is and who is signed in, for people and for tests.
var appPage = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{{.Path}}</title>
<link rel="icon" href="data:,">
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:8vh auto;padding:0 1rem}</style>
<body data-path="{{.Path}}" data-who="{{.Who}}" data-session="{{.Session}}" data-expires="{{.Expires}}">
<h1>{{.Path}}</h1>
<p>Here is <strong>{{.Who}}</strong>{{with .Session}}, in <code>{{.}}</code>{{end}}.</p>
{{with .Why}}<p>Because of <code id="why">{{.}}</code>.</p>{{end}}
<form method="post" action="/notes"><button>Keep a note</button></form>
<p><a id="private" href="/private">private</a></p>
</body>
</html>
`))

type view struct {
	Path, Who, Session, Why string
	Expires                 int64
}

func show(w http.ResponseWriter, r *http.Request) {
	v := view{Path: r.URL.Path, Who: nobody}
	state, _ := clerkauth.StateFromContext(r.Context())
	if refusal, ok := errors.AsType[*clerkauth.Error](state.Err); ok {
		v.Why = string(refusal.Reason)
	}
	if s, ok := clerkauth.FromContext(r.Context()); ok {
		v.Who, v.Session, v.Expires = s.UserID, s.ID, s.ExpiresAt.Unix()
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = appPage.Execute(w, v) // the browser may be gone
}

// appSite is a page for everybody, and behind Require a page, a form and a WebSocket.
func appSite(auth *clerkauth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /", auth.Optional(http.HandlerFunc(show)))
	mux.Handle("GET /private", auth.Require(http.HandlerFunc(show)))
	mux.Handle("POST /notes", auth.Require(http.HandlerFunc(show)))
	mux.Handle("GET /live", auth.Require(http.HandlerFunc(greet)))
	return mux
}

// greet says by WebSocket who is signed in, and ends.
func greet(w http.ResponseWriter, r *http.Request) {
	s, _ := clerkauth.FromContext(r.Context())
	conn, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return // has been answered
	}
	defer func() { _ = conn.Close() }()
	_ = wsutil.WriteServerText(conn, []byte("hello "+s.UserID)) // the browser may be gone
}

// siblingSite is another host of the same domain, which the app does not trust. Its scripts can do what they like.
func siblingSite(app string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = siblingPage.Execute(w, app) // the browser may be gone
	})
}

var siblingPage = template.Must(template.New("sibling").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>A sibling host</title>
<link rel="icon" href="data:,">
<body data-path="sibling" data-who="">
<h1>A sibling host</h1>
<form method="post" action="{{.}}/notes"><button>You have won</button></form>
</body>
</html>
`))
