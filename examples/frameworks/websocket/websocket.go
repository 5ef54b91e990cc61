// Package websocket ends a WebSocket of github.com/coder/websocket when its session token does. A token is judged when
// the connection opens, and never again: without an end, whoever signs out, or leaves the organization, stays connected.
package websocket

import (
	"context"
	"net/http"

	"github.com/coder/websocket"

	"github.com/clerkauth/clerkauth"
)

// StatusExpired closes connections of which the token has run out. A page opens the next one at once: its cookie holds
// a new token by then, as Clerk's script renews it.
const StatusExpired websocket.StatusCode = 4401

// Answer is what the server has to say to a message.
type Answer func(ctx context.Context, session *clerkauth.Session, message []byte) []byte

// Routes answer on /me whoever is signed in, and on /admin admins of the active organization.
//
// The upgrade is an ordinary request, and is refused like one. If it rides on a cookie, clerkauth wants its Origin to
// be in the allowlist; whatever it rides on, Accept wants its Origin to be of this host.
func Routes(auth *clerkauth.Authenticator, answer Answer) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /me", auth.Require(answer))
	mux.Handle("GET /admin", auth.Authorize(clerkauth.Role("org:admin"))(answer))
	return mux
}

// ServeHTTP answers until the session token expires.
func (a Answer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	ctx, cancel := context.WithDeadline(context.WithoutCancel(r.Context()), session.ExpiresAt)
	defer cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		<-ctx.Done()
		_ = conn.Close(StatusExpired, "the session token has expired") // once the loop has ended, too late to say anything
	}()
	for a.once(ctx, conn, session) == nil {
	}
	cancel()
	<-closed
}

// once answers one message. The deadline of ctx is asked between messages: to read with it would cut the connection
// before a close frame can say why.
func (a Answer) once(ctx context.Context, conn *websocket.Conn, session *clerkauth.Session) error {
	kind, message, err := conn.Read(context.WithoutCancel(ctx))
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return conn.Write(ctx, kind, a(ctx, session, message))
}
