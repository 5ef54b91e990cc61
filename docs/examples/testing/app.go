// Testing is an app, with tests of it as docs/testing.md shows them.
package main

import (
	"fmt"
	"log"
	"net/http"
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
	server := http.Server{Addr: "localhost:8080", Handler: app(auth), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// app is what is tested: an account for people who are signed in, and a page for admins.
func app(auth *clerkauth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /account", auth.Require(http.HandlerFunc(account)))
	mux.Handle("GET /admin", auth.Authorize(clerkauth.Role("org:admin"))(http.HandlerFunc(account)))
	return auth.Optional(mux)
}

func account(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	fmt.Fprint(w, "account of ", session.UserID)
}
