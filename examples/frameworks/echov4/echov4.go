// Package echov4 protects routes of github.com/labstack/echo/v4, whose WrapMiddleware takes net/http middleware as it is.
package echov4

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/clerkauth/clerkauth"
)

// Routes are GET /me for whoever is signed in, and GET /admin for admins of the active organization.
//
// A refusal is written by clerkauth and is no error to echo: its HTTPErrorHandler is not asked. What answers instead
// is Config.ErrorHandler.
func Routes(auth *clerkauth.Authenticator) http.Handler {
	e := echo.New()
	e.Use(echo.WrapMiddleware(auth.Optional)) // decides; Require and Authorize below believe it
	e.GET("/me", me, echo.WrapMiddleware(auth.Require))
	e.GET("/admin", me, echo.WrapMiddleware(auth.Authorize(clerkauth.Role("org:admin"))))
	return e
}

func me(c echo.Context) error {
	session, _ := clerkauth.FromContext(c.Request().Context())
	return c.String(http.StatusOK, session.UserID)
}
