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
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/adaptor"

	"github.com/clerkauth/clerkauth"
)

// Wrap makes a fiber handler of a middleware of clerkauth's. Handlers after it ask clerkauth.FromContext(c.Context()).
func Wrap(middleware func(http.Handler) http.Handler) fiber.Handler {
	return func(c fiber.Ctx) error {
		var passed *http.Request
		guarded := middleware(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			passed = r
			if session, ok := clerkauth.FromContext(r.Context()); ok {
				c.SetContext(clerkauth.NewContext(c.Context(), session))
			}
		}))
		err := adaptor.HTTPHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			guarded.ServeHTTP(w, own(c, r))
		}))(c)
		if err != nil || passed == nil {
			return err
		}
		state, ok := clerkauth.StateFromContext(passed.Context())
		if !ok || len(state.Header["Set-Cookie"]) == 0 {
			return c.Next()
		}
		return renewing(c, passed, state)
	}
}

// renewing runs the next handlers for a response that sets clerkauth's cookies. fasthttp has no writer to stand in for, but
// sends a header only when all is done: so the header is put right then.
func renewing(c fiber.Ctx, r *http.Request, state *clerkauth.RequestState) error {
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Range", "Range"} {
		if _, ok := r.Header[name]; !ok { // clerkauth took it away, or it never came
			c.Request().Header.Del(name)
		}
	}
	defer private(c, state)
	err := c.Next()
	if err != nil { // what answers an error must not come after private
		err = c.App().ErrorHandler(c, err)
	}
	return err
}

// private lets Respond put the header right, in a copy.
func private(c fiber.Ctx, state *clerkauth.RequestState) {
	h := &c.Response().Header
	right := header{}
	for name, value := range h.All() {
		http.Header(right).Add(string(name), string(value))
	}
	names := slices.Collect(maps.Keys(right))
	w, _ := state.Respond(right)
	w.WriteHeader(c.Response().StatusCode())
	for _, name := range names {
		if _, ok := right[name]; !ok {
			h.Del(name)
		}
	}
	h.DelAllCookies()
	for _, cookie := range right["Set-Cookie"] {
		h.Add("Set-Cookie", cookie)
	}
	h.Del("Cache-Control")
	for _, value := range right["Cache-Control"] {
		h.Add("Cache-Control", value)
	}
}

// header is a ResponseWriter of nothing else.
type header http.Header

func (h header) Header() http.Header         { return http.Header(h) }
func (h header) Write(p []byte) (int, error) { return len(p), nil }
func (h header) WriteHeader(int)             {}

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
