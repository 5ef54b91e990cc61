// Package chi protects routes of github.com/go-chi/chi/v5. Its middleware is net/http's, so nothing is adapted: Optional
// wraps all routes, Require and Authorize wrap a group.
package chi

import (
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/clerkauth/clerkauth"
)

// Routes are GET /me for signed-in people, and GET /admin for admins of the active organization.
func Routes(auth *clerkauth.Authenticator) http.Handler {
	router := chi.NewRouter()
	router.Use(auth.Optional) // decides; Require and Authorize below use its decision
	router.Group(func(signedIn chi.Router) {
		signedIn.Use(auth.Require)
		signedIn.Get("/me", me)
	})
	router.With(auth.Authorize(clerkauth.Role("org:admin"))).Get("/admin", me)
	return router
}

func me(w http.ResponseWriter, r *http.Request) {
	session, _ := clerkauth.FromContext(r.Context())
	fmt.Fprintln(w, session.UserID)
}
