package clerktest

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"

	"github.com/golang-jwt/jwt/v5"
)

// serveHandshakePayload sends what was stored for a nonce, once.
func (in *Instance) serveHandshakePayload(w http.ResponseWriter, r *http.Request) {
	cookies := in.browsers.take(r.URL.Query().Get("nonce"), in.now()).cookies
	if cookies == nil {
		refuse(w, http.StatusNotFound, "resource_not_found", "No handshake payload was found for this nonce.")
		return
	}
	answerJSON(w, object{"directives": cookies})
}

// refreshRequest is the body of a refresh.
type refreshRequest struct {
	Format        string `json:"format"`
	ExpiredToken  string `json:"expired_token"`
	RefreshToken  string `json:"refresh_token"`
	RequestOrigin string `json:"request_origin"`
}

// serveRefresh mints a new token for an expired one that is sent with the session's refresh token.
func (in *Instance) serveRefresh(w http.ResponseWriter, r *http.Request) {
	var body refreshRequest
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&body)
	target, known := in.appURL(body.RequestOrigin)
	if err != nil || body.Format != "cookie" || !known {
		refuse(w, http.StatusUnprocessableEntity, "form_param_invalid", "The refresh is not for a cookie of one of the instance's origins.")
		return
	}
	s := in.sessionByID(r.PathValue("id"))
	if s == nil {
		refuse(w, http.StatusNotFound, "resource_not_found", "No session was found with this ID.")
		return
	}
	if !in.minted(body.ExpiredToken, s.ID) {
		refuse(w, http.StatusUnauthorized, "invalid_session_token", "The expired token belongs to another session.")
		return
	}
	if !s.spendRefresh(body.RefreshToken) {
		refuse(w, http.StatusUnauthorized, "invalid_refresh_token", "The refresh token belongs to another session.")
		return
	}
	of := in.hostOf(target)
	cookies := append(in.twins("__session", s.token(originOf(target)), of), in.refreshCookie(s.currentRefresh(), of))
	answerJSON(w, object{"object": "cookies", "cookies": setCookies(cookies)})
}

func (in *Instance) sessionByID(id string) *BrowserSession {
	in.browsers.mu.Lock()
	defer in.browsers.mu.Unlock()
	for _, b := range in.browsers.all {
		if b.session != nil && b.session.ID == id {
			return b.session
		}
	}
	return nil
}

// minted reports whether a token, expired or not, belongs to a session and is signed with a published key.
func (in *Instance) minted(token, session string) bool {
	claims := jwt.MapClaims{}
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithoutClaimsValidation())
	_, err := parser.ParseWithClaims(token, claims, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		return in.keys.public(kid)
	})
	return err == nil && claims["sid"] == session
}

// currentRefresh is the token for the session's refresh cookie.
func (s *BrowserSession) currentRefresh() string {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	return s.refresh[0]
}

// spendRefresh reports whether a refresh token is valid, and replaces it. The last one stays valid, for another tab that
// refreshes at the same time.
func (s *BrowserSession) spendRefresh(token string) bool {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	switch {
	case same(token, s.refresh[0]):
		s.refresh = [2]string{"rt_" + rand.Text(), token}
		return true
	default:
		return same(token, s.refresh[1])
	}
}

// same reports whether two values are equal, and not empty.
func same(got, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}
