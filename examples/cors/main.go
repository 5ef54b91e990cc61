// Command cors is the API of a single-page app on another origin, which sends bearer tokens. It reads no cookies, so no
// other site can act as somebody; the allowlist of CORS is that of the tokens.
//
//	CLERK_PUBLISHABLE_KEY=pk_… CLERK_AUTHORIZED_PARTIES=http://localhost:5173 go run .
//	cd web && npm install && VITE_API=http://localhost:8080 VITE_CLERK_PUBLISHABLE_KEY=pk_… npm run dev
//
// Open it at http://localhost:5173: 127.0.0.1, which Vite prints, is another origin, and not on this list.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/rs/cors"

	"github.com/clerkauth/clerkauth"
)

func main() {
	cfg, err := clerkauth.ConfigFromEnv()
	if err != nil {
		log.Fatal(err)
	}
	api, err := handler(cfg)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8080")) //nolint:noctx // for as long as the program runs
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s", listener.Addr())
	server := http.Server{Handler: api, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

// handler is the API, readable from the origins in the allowlist only.
func handler(cfg clerkauth.Config) (http.Handler, error) {
	// For cors, an empty list allows every origin, and its * matches more than clerkauth's.
	if len(cfg.AuthorizedParties) == 0 || strings.Contains(strings.Join(cfg.AuthorizedParties, ""), "*") {
		return nil, errors.New("CLERK_AUTHORIZED_PARTIES has to name the app's origins, without *")
	}
	origins := make([]string, len(cfg.AuthorizedParties))
	for i, entry := range cfg.AuthorizedParties {
		origins[i] = normal(entry)
	}
	cfg.AuthorizedParties = origins
	auth, err := clerkauth.New(cfg)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /me", auth.Require(http.HandlerFunc(me)))
	mux.Handle("DELETE /me", auth.Authorize(clerkauth.Reverified(clerkauth.ReverifyStrict))(http.HandlerFunc(me)))
	// Around Require, since a preflight request has no token. AllowCredentials stays off.
	return bearerOnly(cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodDelete},
		AllowedHeaders: []string{"Authorization"},
		ExposedHeaders: []string{"X-Clerk-Auth-Reason"},
		MaxAge:         600, // seconds
	}).Handler(mux)), nil
}

// bearerOnly removes cookies from requests: an API below the app's domain receives those of the whole domain.
func bearerOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Cookie")
		next.ServeHTTP(w, r)
	})
}

func me(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, no-store")
	_ = json.NewEncoder(w).Encode(map[string]string{"user": session.UserID}) // the browser may have gone away
}
