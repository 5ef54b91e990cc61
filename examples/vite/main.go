// Command vite is the server of a single-page app on its own origin. In development, Vite serves the pages and passes /api
// on to this program (web/vite.config.js); after npm run build they are files, which this program serves too.
//
//	CLERK_PUBLISHABLE_KEY=pk_… CLERK_SECRET_KEY=sk_… CLERK_AUTHORIZED_PARTIES=http://localhost:5173 go run ./examples/vite
//	cd examples/vite/web && npm install && VITE_CLERK_PUBLISHABLE_KEY=pk_… npm run dev
//
// Open it at http://localhost:5173: 127.0.0.1, which Vite prints, is another origin, and not on this list.
package main

import (
	"cmp"
	"encoding/json"
	"log"
	"net"
	"net/http"
	"os"
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
	listener, err := net.Listen("tcp", cmp.Or(os.Getenv("ADDR"), "127.0.0.1:8080")) //nolint:noctx // for as long as the program runs
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on http://%s", listener.Addr())
	server := http.Server{Handler: routes(auth, "examples/vite/web/dist"), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

// routes are the API, authenticated by the cookies that Clerk's script renews, and the public files of the pages.
func routes(auth *clerkauth.Authenticator, dist string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /api/me", auth.Require(http.HandlerFunc(me)))
	mux.Handle("/", http.FileServer(http.Dir(dist)))
	return mux
}

func me(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, no-store")
	_ = json.NewEncoder(w).Encode(map[string]string{"user": session.UserID}) // the browser may have gone away
}
