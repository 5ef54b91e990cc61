// Package gin protects routes of github.com/gin-gonic/gin. A gin handler that responds does not stop the ones after it, as
// net/http middleware does by not calling next: Wrap aborts for it.
package gin

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"

	"github.com/gin-gonic/gin"

	"github.com/clerkauth/clerkauth"
)

// Wrap makes a gin handler of net/http middleware. Handlers after it call clerkauth.FromContext(c.Request.Context()): the
// gin.Context itself has no session unless Engine.ContextWithFallback is set.
func Wrap(middleware func(http.Handler) http.Handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		passed := false
		next := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			passed = true
			if w != http.ResponseWriter(c.Writer) {
				c.Writer = writer{c.Writer, w}
			}
			c.Request = r
			c.Next()
		})
		middleware(next).ServeHTTP(c.Writer, c.Request)
		if !passed {
			c.Abort()
		}
	}
}

// writer is gin's, but writes through the middleware's writer: clerkauth's keeps a renewed session out of shared caches,
// whatever handlers set.
type writer struct {
	gin.ResponseWriter
	through http.ResponseWriter
}

func (w writer) Unwrap() http.ResponseWriter       { return w.through } // for http.ResponseController
func (w writer) WriteHeader(status int)            { w.through.WriteHeader(status) }
func (w writer) Write(p []byte) (int, error)       { return w.through.Write(p) }
func (w writer) WriteString(s string) (int, error) { return io.WriteString(w.through, s) }
func (w writer) Flush()                            { _ = http.NewResponseController(w.through).Flush() }

func (w writer) WriteHeaderNow() {
	w.through.WriteHeader(w.Status())
	w.ResponseWriter.WriteHeaderNow()
}

func (w writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.through).Hijack()
}

// Recovery responds to a panic with 500. gin's own would also log the request, with the session in its cookies.
func Recovery() gin.HandlerFunc {
	return gin.CustomRecoveryWithWriter(nil, func(c *gin.Context, reason any) {
		slog.ErrorContext(c.Request.Context(), "panic", "reason", reason, "stack", string(debug.Stack()))
		c.AbortWithStatus(http.StatusInternalServerError)
	})
}

// Routes are GET /me for signed-in people, and GET /admin for admins of the active organization.
func Routes(auth *clerkauth.Authenticator) http.Handler {
	engine := gin.New()
	engine.Use(Recovery(), Wrap(auth.Optional)) // decides; Require and Authorize below use its decision
	engine.GET("/me", Wrap(auth.Require), me)
	engine.GET("/admin", Wrap(auth.Authorize(clerkauth.Role("org:admin"))), me)
	return engine
}

func me(c *gin.Context) {
	session, _ := clerkauth.FromContext(c.Request.Context())
	c.String(http.StatusOK, session.UserID)
}
