package echo_test

import (
	"net/http"
	"testing"

	labstack "github.com/labstack/echo/v5"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/examples/frameworks/echo"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

func TestRoutes(t *testing.T) {
	contract.Run(t, echo.Routes, nil)
}

func TestClerkIsCalledOnce(t *testing.T) {
	contract.Once(t, echo.Routes)
}

func TestRenewedSessionIsPrivate(t *testing.T) {
	contract.Private(t, func(auth *clerkauth.Authenticator) http.Handler {
		e := labstack.New()
		e.Use(labstack.WrapMiddleware(auth.Optional))
		public := func(next labstack.HandlerFunc) labstack.HandlerFunc {
			return func(c *labstack.Context) error {
				c.Response().Header().Del("Set-Cookie")
				contract.Cacheable(c.Response().Header().Set)
				return next(c)
			}
		}
		e.GET(contract.Public, func(c *labstack.Context) error { return c.String(http.StatusOK, "public") }, public)
		e.GET(contract.Failing, func(*labstack.Context) error { return labstack.ErrForbidden }, public)
		e.GET(contract.Empty, func(*labstack.Context) error { return nil }, public)
		return e
	})
}
