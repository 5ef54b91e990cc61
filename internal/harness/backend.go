package harness

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

// Nonce is the nonce of a handshake.
const Nonce = "nonce_of_this_handshake"

// AnswerRefreshes makes the Backend API answer every refresh with these cookies, after a delay.
func (a *App) AnswerRefreshes(after time.Duration, cookies ...string) {
	a.Clerk.Fault(clerktest.BackendRefresh, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-time.After(after):
				writeJSON(w, map[string]any{"object": "cookies", "cookies": cookies})
			case <-r.Context().Done():
			}
		})
	})
}

// AnswerNonces makes the Backend API answer every nonce with these directives.
func (a *App) AnswerNonces(directives ...string) {
	a.Clerk.Fault(clerktest.BackendHandshake, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, map[string]any{"directives": directives})
		})
	})
}

func writeJSON(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(answer)
}

// Directives returns the result of a handshake that signs in by token.
func Directives(token string) []string {
	return []string{"__session=" + token + "; Path=/; Domain=example.com; SameSite=Lax", "__client_uat=1772625600; Path=/; Domain=example.com"}
}

// Requests returns how many requests an endpoint of the instance got.
func Requests(clerk *clerktest.Instance, endpoint clerktest.Endpoint) int {
	n := 0
	for _, r := range clerk.Requests() {
		if r.Endpoint == endpoint {
			n++
		}
	}
	return n
}
