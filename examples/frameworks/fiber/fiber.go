// Package fiber protects routes of github.com/gofiber/fiber/v3. Compared to a net/http server, some things are missing: a
// client that disconnects does not cancel the request's context, there is no HTTP/2, http.ResponseController can neither
// flush nor hijack, and an ErrorHandler gets no body. Headers of more than 4 KB, as two cookies with one session can make
// them, need Config.ReadBufferSize: otherwise fiber responds with 431.
package fiber

import (
	"bufio"
	"bytes"
	"net/http"

	"github.com/gofiber/fiber/v3"

	"github.com/clerkauth/clerkauth"
)

// Wrap makes a fiber handler of clerkauth's middleware. Handlers call FromContext(c.Context()).
func Wrap(middleware func(http.Handler) http.Handler) fiber.Handler {
	return func(c fiber.Ctx) error {
		// net/http copies the headers: fasthttp overwrites the strings of this request with the next one's.
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(c.Request().Header.Header())))
		if err != nil {
			return fiber.ErrBadRequest
		}
		r.Body = http.NoBody // it may be large, and is for the handlers
		r.TLS, r.RemoteAddr = c.RequestCtx().TLSConnectionState(), c.RequestCtx().RemoteAddr().String()
		w := &writer{c, header(c)}
		middleware(http.HandlerFunc(func(through http.ResponseWriter, r *http.Request) {
			c.SetContext(r.Context())
			if through == http.ResponseWriter(w) {
				err, w.header = c.Next(), nil
				return
			}
			for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Range", "Range"} {
				c.Request().Header.Del(name) // the session is renewed, and proxies drop the cookies of a 304
			}
			if err = c.Next(); err != nil {
				err = c.App().ErrorHandler(c, err) // here, or it would write the headers after the middleware
			}
			w.header = header(c)
		})).ServeHTTP(w, r.WithContext(c.Context()))
		w.apply()
		return err
	}
}

func header(c fiber.Ctx) http.Header {
	h := http.Header{}
	for name, value := range c.Response().Header.All() {
		h.Add(string(name), string(value))
	}
	return h
}

// writer writes to fiber's response, and the headers at the end.
type writer struct {
	c      fiber.Ctx
	header http.Header // nil: fiber's are right
}

func (w *writer) Header() http.Header         { return w.header }
func (w *writer) Write(p []byte) (int, error) { w.c.Response().AppendBody(p); return len(p), nil }
func (w *writer) WriteHeader(status int)      { w.c.Status(status) }

func (w *writer) apply() {
	for name := range header(w.c) {
		if w.header != nil {
			w.c.Response().Header.Del(name)
		}
	}
	for name, values := range w.header {
		for _, value := range values {
			w.c.Response().Header.Add(name, value)
		}
	}
}

// Routes are GET /me for signed-in people, and GET /admin for admins of the active organization.
func Routes(auth *clerkauth.Authenticator) *fiber.App {
	me := func(c fiber.Ctx) error {
		session, _ := clerkauth.FromContext(c.Context())
		return c.SendString(session.UserID)
	}
	app := fiber.New(fiber.Config{ReadBufferSize: 32 << 10})
	app.Use(Wrap(auth.Optional)) // decides; Require and Authorize below use its decision
	app.Get("/me", Wrap(auth.Require), me)
	app.Get("/admin", Wrap(auth.Authorize(clerkauth.Role("org:admin"))), me)
	return app
}
