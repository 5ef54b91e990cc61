// Native is a server for pages and for a native app, whose tokens have no azp.
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
	handler, err := routes(cfg)
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{Addr: "localhost:8080", Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// routes has two Authenticators of one instance: only the native app's routes go without the allowlist.
func routes(cfg clerkauth.Config) (http.Handler, error) {
	pages, err := clerkauth.New(cfg)
	if err != nil {
		return nil, err
	}
	cfg.InsecureAllowBearerWithoutParty = true
	native, err := clerkauth.New(cfg)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages.Optional(pages.Require(http.HandlerFunc(me))))
	mux.Handle("/native/", native.Require(http.HandlerFunc(me)))
	return mux, nil
}

func me(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	fmt.Fprintln(w, session.UserID)
}
