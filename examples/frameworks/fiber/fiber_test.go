package fiber_test

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unsafe"

	gofiber "github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/etag"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/fiber"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

// served lets an app of fiber's answer as a handler, through its own parser.
func served(t *testing.T, app *gofiber.App) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		resp, err := app.Test(r)
		if err != nil {
			t.Error(err)
			return
		}
		defer resp.Body.Close()
		maps.Copy(w.Header(), resp.Header)
		w.WriteHeader(resp.StatusCode)
		if _, err := io.Copy(w, resp.Body); err != nil {
			t.Error(err)
		}
	})
}

func TestRoutes(t *testing.T) {
	contract.Run(t, func(auth *clerkauth.Authenticator) http.Handler { return served(t, fiber.Routes(auth)) }, nil)
}

func TestClerkIsCalledOnce(t *testing.T) {
	contract.Once(t, func(auth *clerkauth.Authenticator) http.Handler { return served(t, fiber.Routes(auth)) })
}

// The session is in two cookies, each of which may be as large as browsers keep.
func TestLargeCookies(t *testing.T) {
	clerk, auth := contract.App(t, nil)
	ada := contract.Ada
	ada.Extra = map[string]any{"custom": strings.Repeat("x", 2300)}
	r := httptest.NewRequest(http.MethodGet, "/me", http.NoBody)
	for _, c := range clerk.Cookies(clerk.Token(ada)) {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	served(t, fiber.Routes(auth)).ServeHTTP(w, r)
	if n := len(r.Header.Get("Cookie")); w.Code != http.StatusOK || n < 7<<10 {
		t.Errorf("got %d with cookies of %d bytes, want 200 with at least 7 KiB: %s", w.Code, n, w.Body)
	}
}

func TestRefusalsKeepTheirHeader(t *testing.T) {
	_, auth := contract.App(t, nil)
	w := contract.Get(t.Context(), served(t, fiber.Routes(auth)), "/me", "")
	if got, want := w.Header().Get("WWW-Authenticate"), `Bearer realm="clerk"`; got != want {
		t.Errorf("WWW-Authenticate %q, want %q", got, want)
	}
}

func TestTwoAuthorizationHeadersStayTwo(t *testing.T) {
	clerk, auth := contract.App(t, nil)
	r := httptest.NewRequest(http.MethodGet, "/me", http.NoBody)
	r.Header["Authorization"] = []string{"Bearer " + clerk.Token(contract.Grace), "Bearer " + clerk.Token(contract.Ada)}
	w := httptest.NewRecorder()
	served(t, fiber.Routes(auth)).ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), string(clerkauth.ReasonMultipleAuthorization)) {
		t.Errorf("got %d with %q, want 400 with %s", w.Code, w.Body, clerkauth.ReasonMultipleAuthorization)
	}
}

func TestOptionalLetsEverybodyThrough(t *testing.T) {
	clerk, auth := contract.App(t, nil)
	app := gofiber.New()
	app.Use(fiber.Wrap(auth.Optional))
	app.Get("/", func(c gofiber.Ctx) error {
		session, ok := clerkauth.FromContext(c.Context())
		if !ok {
			return c.SendString("nobody")
		}
		return c.SendString(session.UserID)
	})
	for token, want := range map[string]string{"": "nobody", clerk.Token(contract.Ada): "user_ada"} {
		if w := contract.Get(t.Context(), served(t, app), "/", token); w.Code != http.StatusOK || w.Body.String() != want {
			t.Errorf("got %d with %q, want %q", w.Code, w.Body, want)
		}
	}
}

// The middleware must copy the request: fasthttp overwrites its buffers with the next one.
func TestStringsAreNotFastHTTPs(t *testing.T) {
	var theirs, ours []string
	app := gofiber.New()
	app.Use(func(c gofiber.Ctx) error {
		h := &c.Request().Header
		for _, b := range [][]byte{h.Peek("Authorization"), h.Method(), c.Request().Host(), c.RequestCtx().RequestURI()} {
			theirs = append(theirs, unsafe.String(unsafe.SliceData(b), len(b))) //nolint:gosec // to see whose memory it is
		}
		return c.Next()
	}, fiber.Wrap(func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ours = append(ours, r.Header.Get("Authorization"), r.Method, r.Host, r.RequestURI)
			next.ServeHTTP(w, r)
		})
	}))
	contract.Get(t.Context(), served(t, app), "/path", "token")
	if len(theirs) != 4 || len(ours) != 4 {
		t.Fatalf("got %q and %q, want four values each", theirs, ours)
	}
	for i := range ours {
		if unsafe.StringData(ours[i]) == unsafe.StringData(theirs[i]) { //nolint:gosec // as above
			t.Errorf("%q lies in a buffer that is used again", ours[i])
		}
	}
}

func TestRenewedSessionIsPrivate(t *testing.T) {
	contract.Private(t, func(auth *clerkauth.Authenticator) http.Handler {
		app := gofiber.New(gofiber.Config{ErrorHandler: func(c gofiber.Ctx, _ error) error {
			contract.Cacheable(c.Set) // the last to write a header
			return c.SendStatus(http.StatusTeapot)
		}})
		app.Use(fiber.Wrap(auth.Optional))
		public := func(c gofiber.Ctx) error {
			c.Response().Header.DelAllCookies()
			contract.Cacheable(c.Set)
			return c.Next()
		}
		app.Get(contract.Public, public, func(c gofiber.Ctx) error { return c.SendString("public") })
		app.Get(contract.Failing, public, func(gofiber.Ctx) error { return gofiber.ErrTeapot })
		app.Get(contract.Empty, public, func(gofiber.Ctx) error { return nil })
		return served(t, app)
	})
}

// Proxies drop the cookies of a 304.
func TestRenewedSessionIsNo304(t *testing.T) {
	now := time.Now()
	clerk := clerktest.New(t, clerktest.Options{Now: func() time.Time { return now }})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	app := gofiber.New()
	app.Use(fiber.Wrap(auth.Optional), etag.New())
	app.Get("/", func(c gofiber.Ctx) error { return c.SendString("public") })
	handler := served(t, app)
	tag := contract.Get(t.Context(), handler, "/", "").Header().Get("ETag")
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header.Set("If-None-Match", tag)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusNotModified {
		t.Fatalf("a stranger who has %q gets %d, want 304", tag, w.Code)
	}
	for _, c := range clerk.SignIn(nil, clerktest.Person{}).Cookies() {
		r.AddCookie(c)
	}
	now = now.Add(time.Hour)
	w = httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Header().Get("Set-Cookie") == "" {
		t.Errorf("with a session that is renewed: got %d, %q, want 200 with a Set-Cookie", w.Code, w.Header())
	}
}

func TestErrorsOfHandlersReachTheOuterMiddleware(t *testing.T) {
	_, auth := contract.App(t, nil)
	var got error
	app := gofiber.New()
	app.Use(func(c gofiber.Ctx) error {
		got = c.Next()
		return got
	}, fiber.Wrap(auth.Optional))
	app.Get("/", func(gofiber.Ctx) error { return gofiber.ErrTeapot })
	if w := contract.Get(t.Context(), served(t, app), "/", ""); w.Code != http.StatusTeapot || !errors.Is(got, gofiber.ErrTeapot) {
		t.Errorf("got %d, and Next returned %v, want 418 and %v", w.Code, got, gofiber.ErrTeapot)
	}
}
