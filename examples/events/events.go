// Package events sends server-sent events for as long as a session token is valid. The browser then reconnects by itself,
// and is let in with a new token, or, if it was signed out meanwhile, refused.
package events

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/clerkauth/clerkauth"
)

// leeway is Config.ClockSkew: a browser that reconnects earlier would send a token that is about to expire.
const leeway = 5 * time.Second

// Next waits for the event after the one with the ID last; "" means the first. An error ends the stream.
type Next func(ctx context.Context, session *clerkauth.Session, last string) (Event, error)

// Event is sent to the browser.
type Event struct {
	ID   int64
	Data any // as JSON
}

// Routes are a page for signed-in people, and the events that it shows.
func Routes(auth *clerkauth.Authenticator, next Next) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", auth.Require(http.HandlerFunc(page)))
	mux.Handle("GET /events", auth.Require(next))
	return mux
}

// ServeHTTP streams until the session token has expired.
func (next Next) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	end := session.ExpiresAt.Add(leeway)
	ctx, cancel := context.WithDeadline(r.Context(), end)
	defer cancel()
	// A client that reads nothing is not waited for: a blocked write would keep the stream open.
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

// page reloads when the browser gives up: that leads to the sign-in page, or shows what is wrong.
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
