// Webhook receives Clerk's webhooks. They have no session: svix signs them, and svix's library verifies them.
package main

import (
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	svix "github.com/svix/svix-webhooks/go"

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
	hook, err := svix.NewWebhook(os.Getenv("CLERK_WEBHOOK_SIGNING_SECRET")) // whsec_…, of the endpoint in Clerk's Dashboard
	if err != nil {
		log.Fatal(err)
	}
	app := http.NewServeMux()
	app.Handle("/", auth.Optional(http.NotFoundHandler())) // your pages
	app.Handle("POST /webhooks/clerk", receive(hook))      // beside the middleware, not within
	server := http.Server{Addr: "localhost:8080", Handler: app, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// maxEvent is the size of the largest event that is read, in bytes.
const maxEvent = 1 << 20

func receive(hook *svix.Webhook) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEvent))
		if err != nil || hook.Verify(body, r.Header) != nil {
			http.Error(w, "not a webhook of ours", http.StatusBadRequest)
			return
		}
		var event struct {
			Type string          `json:"type"` // user.created, session.ended, …
			Data json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(body, &event); err != nil {
			http.Error(w, "not an event", http.StatusBadRequest)
			return
		}
		log.Println("clerk:", event.Type)
		w.WriteHeader(http.StatusNoContent) // anything but 2xx is sent again
	})
}
