// Package websocket closes a WebSocket of github.com/coder/websocket when its session token expires. The token is checked
// when the connection opens: otherwise, somebody who signs out, or leaves the organization, would stay connected.
//
// A page that stays open sends a new token in time, in a message of its own: {"token": await Clerk.session.getToken()}.
package websocket

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/clerkauth/clerkauth"
)

// StatusUnauthorized closes a connection whose token has expired, or whose new token is not accepted here.
const StatusUnauthorized websocket.StatusCode = 4401

// Socket answers the messages of a person for whom all checks pass, as long as they do.
type Socket struct {
	Auth   *clerkauth.Authenticator
	Checks []clerkauth.Check
	Answer func(ctx context.Context, session *clerkauth.Session, message []byte) []byte
}

// Handler is the socket's route. The upgrade is an ordinary request, and is refused like one. If it is authenticated by
// cookie, clerkauth requires its Origin to be in the allowlist; Accept always requires its Origin to be this host.
func (s Socket) Handler() http.Handler {
	if len(s.Checks) == 0 {
		return s.Auth.Require(http.HandlerFunc(s.serve))
	}
	return s.Auth.Authorize(s.Checks[0], s.Checks[1:]...)(http.HandlerFunc(s.serve))
}

func (s Socket) serve(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has responded
	}
	defer func() { _ = conn.CloseNow() }()
	end := func() { _ = conn.Close(StatusUnauthorized, "a fresh token is needed") }
	timer := time.AfterFunc(time.Until(session.ExpiresAt), end)
	defer timer.Stop()
	for ctx := context.WithoutCancel(r.Context()); ; {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return
		}
		if session = s.hear(ctx, conn, session, message); session == nil {
			end()
			return
		}
		timer.Reset(time.Until(session.ExpiresAt))
	}
}

// hear answers a message, or accepts a new token of the same session. nil: the connection ends.
func (s Socket) hear(ctx context.Context, conn *websocket.Conn, session *clerkauth.Session, message []byte) *clerkauth.Session {
	var renewal map[string]string
	if json.Unmarshal(message, &renewal) != nil || len(renewal) != 1 || renewal["token"] == "" {
		_ = conn.Write(ctx, websocket.MessageText, s.Answer(ctx, session, message)) // if it fails, so does the next Read
		return session
	}
	fresh, err := s.Auth.VerifyToken(ctx, renewal["token"])
	if err != nil || fresh.ID != session.ID || fresh.UserID != session.UserID ||
		slices.ContainsFunc(s.Checks, func(c clerkauth.Check) bool { return !fresh.Has(c) }) {
		return nil
	}
	return fresh
}
