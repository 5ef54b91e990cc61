// Package fiber protects routes of github.com/gofiber/fiber/v3 through its net/http adaptor.
//
// What is lost on the way, compared to a net/http server:
//   - The adaptor's own HTTPMiddleware hands on the last of repeated headers, and the session by reflection on private
//     fields. Wrap does neither.
//   - The adaptor's strings lie in buffers that the next request overwrites. Wrap copies those of the header, the host and the URL;
//     whatever else keeps a string of the request must copy it.
//   - A client that goes away does not cancel the request's context: its body has been read as a whole before.
//   - Decisions are not handed on, as each Wrap makes a request of its own: Require behind Optional decides again.
//   - There is no HTTP/2, and nothing can be unwrapped for http.ResponseController.
package fiber

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"

	"github.com/clerkauth/clerkauth"
)

// Wrap makes a fiber handler of a middleware of clerkauth's. Handlers after it ask clerkauth.FromContext(c.Context()).
func Wrap(middleware func(http.Handler) http.Handler) fiber.Handler {
	return func(c fiber.Ctx) error {
		passed := false
		guarded := middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			passed = true
			if session, ok := clerkauth.FromContext(r.Context()); ok {
				c.SetContext(clerkauth.NewContext(c.Context(), session))
			}
		}))
		err := adaptor.HTTPHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			guarded.ServeHTTP(w, own(c, r))
		}))(c)
		if err != nil || !passed {
			return err
		}
		return c.Next()
	}
}

// own is r with strings that stay as they are.
func own(c fiber.Ctx, r *http.Request) *http.Request {
	r.Header = http.Header{}
	for name, value := range c.Request().Header.All() {
		r.Header.Add(string(name), string(value))
	}
	r.Method, r.Host, r.RequestURI = strings.Clone(r.Method), strings.Clone(r.Host), strings.Clone(r.RequestURI)
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		r.URL = u
	}
	return r
}

// Routes are GET /me for whoever is signed in, and GET /admin for admins of the active organization.
func Routes(auth *clerkauth.Authenticator) *fiber.App {
	app := fiber.New()
	app.Get("/me", Wrap(auth.Require), me)
	app.Get("/admin", Wrap(auth.Authorize(clerkauth.Role("org:admin"))), me)
	return app
}

func me(c fiber.Ctx) error {
	session, _ := clerkauth.FromContext(c.Context())
	return c.SendString(session.UserID)
}
