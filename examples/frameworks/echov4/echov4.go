// Package echov4 protects routes of github.com/labstack/echo/v4, whose WrapMiddleware accepts net/http middleware.
package echov4

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/clerkauth/clerkauth"
)

// Routes are GET /me for signed-in people, and GET /admin for admins of the active organization.
//
// clerkauth responds to refusals, so echo sees no error and does not call its HTTPErrorHandler. To change the response, use
// Config.ErrorHandler.
func Routes(auth *clerkauth.Authenticator) http.Handler {
	e := echo.New()
	e.Use(echo.WrapMiddleware(auth.Optional)) // decides; Require and Authorize below use its decision
	e.GET("/me", me, echo.WrapMiddleware(auth.Require))
	e.GET("/admin", me, echo.WrapMiddleware(auth.Authorize(clerkauth.Role("org:admin"))))
	return e
}

func me(c echo.Context) error {
	session, _ := clerkauth.FromContext(c.Request().Context())
	return c.String(http.StatusOK, session.UserID)
}
