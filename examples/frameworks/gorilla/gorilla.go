// Package gorilla closes a WebSocket of github.com/gorilla/websocket when its session token expires. The token is checked
// when the connection opens: otherwise, somebody who signs out, or leaves the organization, would stay connected.
//
// A page that stays open sends a new token in time, in a message of its own: {"token": await Clerk.session.getToken()}.
package gorilla

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"

	"github.com/clerkauth/clerkauth"
)

// StatusUnauthorized closes a connection whose token has expired, or whose new token is not accepted here.
const StatusUnauthorized = 4401

const (
	maxMessage = 32 << 10        // bytes; gorilla itself sets no limit
	closing    = 5 * time.Second // for the close frame
)

// Without CheckOrigin, the Origin of an upgrade must be this host.
var upgrader websocket.Upgrader

// Socket answers the messages of a person for whom all checks pass, as long as they do.
type Socket struct {
	Auth   *clerkauth.Authenticator
	Checks []clerkauth.Check
	Answer func(session *clerkauth.Session, message []byte) []byte
}

// Handler is the socket's route. The upgrade is an ordinary request, and is refused like one. If it is authenticated by
// cookie, clerkauth requires its Origin to be in the allowlist.
func (s Socket) Handler() http.Handler {
	if len(s.Checks) == 0 {
		return s.Auth.Require(http.HandlerFunc(s.serve))
	}
	return s.Auth.Authorize(s.Checks[0], s.Checks[1:]...)(http.HandlerFunc(s.serve))
}

func (s Socket) serve(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // Upgrade has responded
	}
	defer func() { _ = conn.Close() }()
	conn.SetReadLimit(maxMessage)
	for session != nil {
		_ = conn.SetReadDeadline(session.ExpiresAt)
		_, message, err := conn.ReadMessage()
		if err != nil {
			break
		}
		session = s.hear(r, conn, session, message)
	}
	why := websocket.FormatCloseMessage(StatusUnauthorized, "a fresh token is needed")
	_ = conn.WriteControl(websocket.CloseMessage, why, time.Now().Add(closing)) // the client may have gone away
}

// hear answers a message, or accepts a new token of the same session. nil: the connection ends.
func (s Socket) hear(r *http.Request, conn *websocket.Conn, session *clerkauth.Session, message []byte) *clerkauth.Session {
	if !time.Now().Before(session.ExpiresAt) {
		return nil
	}
	var renewal map[string]string
	if json.Unmarshal(message, &renewal) != nil || len(renewal) != 1 || renewal["token"] == "" {
		_ = conn.SetWriteDeadline(session.ExpiresAt)
		_ = conn.WriteMessage(websocket.TextMessage, s.Answer(session, message)) // the client may have gone away
		return session
	}
	fresh, err := s.Auth.VerifyToken(r.Context(), renewal["token"])
	if err != nil || fresh.ID != session.ID || fresh.UserID != session.UserID ||
		slices.ContainsFunc(s.Checks, func(c clerkauth.Check) bool { return !fresh.Has(c) }) {
		return nil
	}
	return fresh
}
