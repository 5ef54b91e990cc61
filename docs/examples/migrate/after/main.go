// After is the same API, protected by clerkauth.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/clerkauth/clerkauth"
)

// custom are the claims that this instance adds to its session tokens.
type custom struct {
	Tier string `json:"tier"`
}

func main() {
	auth, err := clerkauth.New(clerkauth.Config{
		PublishableKey:    os.Getenv("CLERK_PUBLISHABLE_KEY"),
		SecretKey:         os.Getenv("CLERK_SECRET_KEY"),
		AuthorizedParties: []string{"https://app.example.com"},
	})
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{Addr: "localhost:8080", Handler: routes(auth), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func routes(auth *clerkauth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /me", auth.Require(http.HandlerFunc(me)))
	mux.Handle("POST /invoices", auth.Authorize(clerkauth.Permission("org:invoices:create"))(http.HandlerFunc(create)))
	return mux
}

func me(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context()) // behind Require there always is one
	var claims custom
	if err := session.Claims(&claims); err != nil {
		http.Error(w, "these claims are not what this app expects", http.StatusInternalServerError)
		return
	}
	fmt.Fprintln(w, session.UserID, session.ID, session.Organization.ID, claims.Tier)
}

func create(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	fmt.Fprintln(w, "an invoice for", session.Organization.ID)
}

// user is the person that a token belongs to.
func user(ctx context.Context, auth *clerkauth.Authenticator, token string) (string, error) {
	session, err := auth.VerifyToken(ctx, token)
	if err != nil {
		return "", err
	}
	return session.UserID, nil
}
