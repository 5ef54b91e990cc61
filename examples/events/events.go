// Package events sends server-sent events for as long as a session token is good. The browser comes back by itself, and is
// let in with a new token, or, signed out meanwhile, not at all.
package events

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/clerkauth/clerkauth"
)

// leeway is Config.ClockSkew: until then the browser would come back with a token that is still good, and about to end.
const leeway = 5 * time.Second

// Next waits for the event after the one with the ID last; "" is before the first. An error ends the stream.
type Next func(ctx context.Context, session *clerkauth.Session, last string) (Event, error)

// Event is what a browser gets.
type Event struct {
	ID   int64
	Data any // as JSON
}

// Routes are a page for whoever is signed in, and the events that it shows.
func Routes(auth *clerkauth.Authenticator, next Next) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", auth.Require(http.HandlerFunc(page)))
	mux.Handle("GET /events", auth.Require(next))
	return mux
}

// ServeHTTP streams until the session token is no longer good.
func (next Next) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	end := session.ExpiresAt.Add(leeway)
	ctx, cancel := context.WithDeadline(r.Context(), end)
	defer cancel()
	// Who reads nothing is not waited for: a write that has no end would keep the stream.
	if err := http.NewResponseController(w).SetWriteDeadline(end.Add(time.Second)); err != nil {
		http.Error(w, "this connection cannot end a stream in time", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "private, no-store")
	fmt.Fprint(w, "retry: 1000\n\n") // milliseconds
	for last := r.Header.Get("Last-Event-ID"); http.NewResponseController(w).Flush() == nil; {
		event, err := next(ctx, session, last)
		if err != nil || ctx.Err() != nil {
			return
		}
		data, err := json.Marshal(event.Data)
		if err != nil {
			return
		}
		last = fmt.Sprint(event.ID)
		fmt.Fprintf(w, "id: %s\ndata: %s\n\n", last, data)
	}
}

// page loads itself again where the browser gives up: that leads to the sign-in page, or says what is wrong.
func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, `<!doctype html>
<title>events</title>
<ul id="events"></ul>
<script>
const source = new EventSource("/events")
source.onmessage = event => {
	const item = document.createElement("li")
	item.textContent = JSON.parse(event.data)
	document.querySelector("#events").append(item)
}
source.onerror = () => { if (source.readyState === EventSource.CLOSED) location.reload() }
</script>
`)
}
