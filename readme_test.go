package clerkauth_test

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/clerkauth/clerkauth"
)

func Example_program() {
	auth, err := clerkauth.New(clerkauth.Config{
		PublishableKey:    os.Getenv("CLERK_PUBLISHABLE_KEY"),
		AuthorizedParties: []string{"http://localhost:8080"},
	})
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /me", auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		fmt.Fprintln(w, "Hello,", session.UserID)
	})))
	server := http.Server{Addr: "localhost:8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}
