// Scripts is a server whose page has Clerk's own script: people sign in on the page itself.
package main

import (
	"cmp"
	_ "embed"
	"html/template"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/clerkauth/clerkauth"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

func main() {
	cfg, err := clerkauth.ConfigFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{Addr: "127.0.0.1:8080", Handler: auth.Optional(http.HandlerFunc(home)), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// home shows who is signed in. The page is for one person.
func home(w http.ResponseWriter, r *http.Request) {
	data := struct{ FrontendAPI, PublishableKey, ProxyURL, User string }{
		FrontendAPI:    cmp.Or(os.Getenv("CLERK_PROXY_URL"), os.Getenv("CLERK_FRONTEND_API_URL")), // both are in Clerk's Dashboard
		PublishableKey: os.Getenv("CLERK_PUBLISHABLE_KEY"),
		ProxyURL:       os.Getenv("CLERK_PROXY_URL"),
	}
	if session, ok := clerkauth.FromContext(r.Context()); ok {
		data.User = session.UserID + " is signed in"
	}
	w.Header().Set("Cache-Control", "private, no-store")
	if err := page.Execute(w, data); err != nil {
		log.Println(err)
	}
}
