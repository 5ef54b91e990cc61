// Command pages is an app of server-rendered pages with a form. No page needs Clerk's script.
//
//	CLERK_PUBLISHABLE_KEY=pk_… CLERK_SECRET_KEY=sk_… CLERK_SIGN_IN_URL=https://…/sign-in \
//	CLERK_AUTHORIZED_PARTIES=http://localhost:3000 go run ./examples/pages
package main

import (
	"cmp"
	"html/template"
	"log"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/clerkauth/clerkauth"
)

func main() {
	cfg, err := clerkauth.ConfigFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("ADDR"), "127.0.0.1:3000")) //nolint:noctx // for as long as the program runs
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s", listener.Addr())
	server := http.Server{Handler: new(notes).routes(auth), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

// notes are what each user has written.
type notes struct {
	mu     sync.Mutex // guards byUser
	byUser map[string][]string
}

// maxNote is the largest form, in bytes.
const maxNote = 4 << 10

// routes are a page for signed-in people, and the target of its form. Require refuses a form that another site sends, and
// renews the session if filling in the form took longer than a token is valid.
func (n *notes) routes(auth *clerkauth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", auth.Require(http.HandlerFunc(n.show)))
	mux.Handle("POST /notes", auth.Require(http.HandlerFunc(n.add)))
	return mux
}

func (n *notes) show(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	n.mu.Lock()
	own := slices.Clone(n.byUser[session.UserID])
	n.mu.Unlock() // before writing: a browser may read slowly
	w.Header().Set("Cache-Control", "private, no-store")
	_ = page.Execute(w, map[string]any{"User": session.UserID, "Notes": own}) // the browser may have gone away
}

func (n *notes) add(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	r.Body = http.MaxBytesReader(w, r.Body, maxNote)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form is missing or too long", http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.byUser == nil {
		n.byUser = map[string][]string{}
	}
	n.byUser[session.UserID] = append(n.byUser[session.UserID], r.PostForm.Get("note"))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

var page = template.Must(template.New("page").Parse(`<!doctype html>
<title>Notes</title>
<h1 id="who">{{.User}}</h1>
<ul>{{range .Notes}}<li>{{.}}</li>{{end}}</ul>
<form action="/notes" method="post"><input name="note" required><button>Add</button></form>
`))
