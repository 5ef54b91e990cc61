// Package gin protects routes of github.com/gin-gonic/gin. A gin handler that answers does not thereby stop the ones
// after it, as a net/http middleware does by not calling next: Wrap aborts for it.
package gin

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/clerkauth/clerkauth"
)

// Wrap makes a gin handler of net/http middleware that hands on the ResponseWriter it was given, as all of clerkauth's
// does. Handlers after it ask clerkauth.FromContext(c.Request.Context()): the gin.Context itself knows no session
// unless Engine.ContextWithFallback is set.
func Wrap(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		passed := false
		next := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			passed = true
			c.Request = r
			c.Next()
		})
		middleware(next).ServeHTTP(c.Writer, c.Request)
		if !passed {
			c.Abort()
		}
	}
}

// Routes are GET /me for whoever is signed in, and GET /admin for admins of the active organization.
func Routes(auth *clerkauth.Authenticator) http.Handler {
	engine := gin.New()
	engine.Use(gin.Recovery(), Wrap(auth.Optional)) // decides; Require and Authorize below believe it
	engine.GET("/me", Wrap(auth.Require), me)
	engine.GET("/admin", Wrap(auth.Authorize(clerkauth.Role("org:admin"))), me)
	return engine
}

func me(c *gin.Context) {
	session, _ := clerkauth.FromContext(c.Request.Context())
	c.String(http.StatusOK, session.UserID)
}
