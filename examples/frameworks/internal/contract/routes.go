package contract

import (
	"fmt"
	"net/http"

	"github.com/clerkauth/clerkauth"
)

// Routes are the two routes in plain net/http.
func Routes(auth *clerkauth.Authenticator) http.Handler {
	me := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		fmt.Fprintln(w, session.UserID)
	})
	mux := http.NewServeMux()
	mux.Handle("GET /me", auth.Require(me))
	mux.Handle("GET /admin", auth.Authorize(clerkauth.Role("org:admin"))(me))
	return mux
}
