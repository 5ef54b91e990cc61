// Browser is the program of the README: pages for everybody, pages for people who are signed in, and a form.
package main

import (
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/clerkauth/clerkauth"
)

func main() {
	cfg, err := clerkauth.ConfigFromEnv() // CLERK_PUBLISHABLE_KEY, CLERK_SECRET_KEY, CLERK_SIGN_IN_URL
	if err != nil {
		log.Fatal(err)
	}
	cfg.AuthorizedParties = []string{"http://localhost:8080"} // the origins of your pages
	auth, err := clerkauth.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{Addr: "localhost:8080", Handler: routes(auth), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func routes(auth *clerkauth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", home)
	mux.Handle("GET /account", auth.Require(http.HandlerFunc(account)))
	mux.Handle("POST /invoices", auth.Authorize(clerkauth.Permission("org:invoices:create"))(http.HandlerFunc(create)))
	return auth.Optional(mux)
}

// home is for everybody.
func home(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "private, no-store") // it depends on who is signed in
	if session, ok := clerkauth.FromContext(r.Context()); ok {
		fmt.Fprintln(w, "Welcome back,", session.UserID)
		return
	}
	fmt.Fprintln(w, "Welcome. Sign in at /account.")
}

// account is behind Require: there is always a session.
func account(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	w.Header().Set("Cache-Control", "private, no-store") // this page is for one person
	fmt.Fprintln(w, "The account of", session.UserID)
}

// create is behind Authorize: the session has the permission.
func create(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	fmt.Fprintln(w, "An invoice for", session.Organization.ID)
}
