package bench

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Limits are what a check could cost at least that is written by hand for one application, one instance and tokens that were
// seen before: find the token, look it up, compare the one origin and the clock, and hand the claims on. Nothing bounds its
// memory, fetches keys, tells one session from another, or sends anybody to sign in.
const (
	BearerLimit  = "hand-written limit: bearer token"
	CookiesLimit = "hand-written limit: both cookie pairs"
)

// knownTokens are claims by token.
type knownTokens map[string]*standardClaims

// pass hands the claims of a known token on; a token that is not known, or has expired, is refused.
func (k knownTokens) pass(w http.ResponseWriter, r *http.Request, token string, next http.Handler) {
	claims := k[token]
	if claims == nil || claims.AuthorizedParty != Party || time.Now().Unix() >= claims.Expiry {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), claimsKey{}, claims)))
}

// byBearer takes the token from Authorization.
func (k knownTokens) byBearer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var token string
		if lines := r.Header["Authorization"]; len(lines) == 1 {
			token = strings.TrimPrefix(lines[0], bearerScheme)
		}
		k.pass(w, r, token, next)
	})
}

// byCookie takes the token from this instance's session cookie; the other of the pair has to be the same.
func (k knownTokens) byCookie(next http.Handler) http.Handler {
	own := "__session_" + cookieSuffix()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var token, plain string
		for _, line := range r.Header["Cookie"] {
			for line != "" {
				var pair string
				pair, line, _ = strings.Cut(line, ";")
				switch name, value, _ := strings.Cut(strings.TrimPrefix(pair, " "), "="); name {
				case own:
					token = value
				case "__session":
					plain = value
				}
			}
		}
		if plain != token {
			token = ""
		}
		k.pass(w, r, token, next)
	})
}
