// Spa is an API at https://api.example.com for a single-page app at https://app.example.com.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/rs/cors"

	"github.com/clerkauth/clerkauth"
)

// page is the origin of the pages that call this API: what the browser shows, not the address of the API.
const page = "https://app.example.com"

func main() {
	auth, err := clerkauth.New(clerkauth.Config{
		PublishableKey:    os.Getenv("CLERK_PUBLISHABLE_KEY"),
		SecretKey:         os.Getenv("CLERK_SECRET_KEY"),
		AuthorizedParties: []string{page},
	})
	if err != nil {
		log.Fatal(err)
	}
	server := http.Server{Addr: "localhost:8080", Handler: api(auth), ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// api has CORS around everything: a preflight carries no token, and a refusal needs the CORS headers too, or the page cannot read it.
func api(auth *clerkauth.Authenticator) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /me", me)
	allow := cors.New(cors.Options{
		AllowedOrigins: []string{page},
		AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete},
		AllowedHeaders: []string{"Authorization", "Content-Type"},
		ExposedHeaders: []string{"X-Clerk-Auth-Reason", "Retry-After"},
	})
	return allow.Handler(auth.Require(mux))
}

func me(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"user": session.UserID})
}
