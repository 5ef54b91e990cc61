package gin_test

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	gingonic "github.com/gin-gonic/gin"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/examples/frameworks/gin"
	"github.com/clerkauth/clerkauth/examples/frameworks/internal/contract"
)

func TestMain(m *testing.M) {
	gingonic.SetMode(gingonic.TestMode) // or it prints every route
	os.Exit(m.Run())
}

func TestRoutes(t *testing.T) {
	contract.Run(t, gin.Routes, nil)
}

func TestClerkIsCalledOnce(t *testing.T) {
	contract.Once(t, gin.Routes)
}

func TestRefusalStopsTheHandlersAfterIt(t *testing.T) {
	clerk, auth := contract.App(t, nil)
	ran := 0
	engine := gingonic.New()
	engine.GET("/me", gin.Wrap(auth.Require), func(*gingonic.Context) { ran++ }, func(*gingonic.Context) { ran++ })
	for token, want := range map[string]int{"": 0, clerk.Forge(contract.Ada): 0, clerk.Token(contract.Ada): 2} {
		ran = 0
		if w := contract.Get(t.Context(), engine, "/me", token); ran != want || (w.Code == http.StatusOK) != (want > 0) {
			t.Errorf("%d with %d handlers run, want %d", w.Code, ran, want)
		}
	}
}

func TestRenewedSessionIsPrivate(t *testing.T) {
	contract.Private(t, func(auth *clerkauth.Authenticator) http.Handler {
		engine := gingonic.New()
		engine.Use(gin.Wrap(auth.Optional))
		public := func(c *gingonic.Context) {
			c.Writer.Header().Del("Set-Cookie")
			contract.Cacheable(c.Header)
		}
		engine.GET(contract.Public, public, func(c *gingonic.Context) { c.String(http.StatusOK, "public") })
		engine.GET(contract.Failing, public, func(c *gingonic.Context) { c.AbortWithStatus(http.StatusInternalServerError) })
		engine.GET(contract.Empty, public)
		return engine
	})
}

// renewed is a request of somebody whose session is renewed, and what decides about it.
func renewed(t *testing.T, path string) (*http.Request, *clerkauth.Authenticator) {
	t.Helper()
	now := time.Now()
	clerk := clerktest.New(t, clerktest.Options{Now: func() time.Time { return now }})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, http.NoBody)
	for _, c := range clerk.SignIn(nil, clerktest.Person{}).Cookies() {
		r.AddCookie(c)
	}
	now = now.Add(time.Hour)
	return r, auth
}

// connection counts the deadlines that it is given.
type connection struct {
	*httptest.ResponseRecorder

	deadlines int
}

func (c *connection) SetWriteDeadline(time.Time) error { c.deadlines++; return nil }

// Without deadlines, no event stream or stream of Connect would begin.
func TestDeadlinesWhereTheSessionIsRenewed(t *testing.T) {
	r, auth := renewed(t, "/")
	engine := gingonic.New()
	engine.Use(gin.Wrap(auth.Optional))
	engine.GET("/", func(c *gingonic.Context) {
		if err := http.NewResponseController(c.Writer).SetWriteDeadline(time.Now()); err != nil {
			t.Error(err)
		}
	})
	w := &connection{ResponseRecorder: httptest.NewRecorder()}
	engine.ServeHTTP(w, r)
	if w.deadlines != 1 || w.Header().Get("Set-Cookie") == "" {
		t.Errorf("got %d deadlines and %v, want one deadline and a Set-Cookie", w.deadlines, w.Header())
	}
}

// notifier tells of clients that went away, as net/http's own writers do. gin's Stream calls this of every writer.
type notifier struct{ *httptest.ResponseRecorder }

func (notifier) CloseNotify() <-chan bool { return nil }

// The middleware may also be around gin's engine.
func TestStreamWhereTheSessionIsRenewed(t *testing.T) {
	r, auth := renewed(t, "/")
	engine := gingonic.New()
	engine.GET("/", func(c *gingonic.Context) {
		c.Stream(func(w io.Writer) bool {
			_, _ = io.WriteString(w, "event")
			return false
		})
	})
	w := notifier{httptest.NewRecorder()}
	auth.Optional(engine).ServeHTTP(w, r)
	if w.Body.String() != "event" || w.Header().Get("Set-Cookie") == "" {
		t.Errorf("got %q and %v, want event and a Set-Cookie", w.Body, w.Header())
	}
}

// The log of a panic says what happened, and has no session in it: gin's own would have the cookies.
func TestPanicLogsNoSession(t *testing.T) {
	r, auth := renewed(t, "/")
	var out bytes.Buffer
	before, theirs := slog.Default(), gingonic.DefaultErrorWriter
	defer func() { slog.SetDefault(before); gingonic.DefaultErrorWriter = theirs }()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	gingonic.DefaultErrorWriter = &out
	for _, mode := range []string{gingonic.DebugMode, gingonic.ReleaseMode} {
		for _, what := range []any{"a mistake", http.ErrAbortHandler} {
			out.Reset()
			gingonic.SetMode(gingonic.TestMode)
			engine := gingonic.New()
			engine.Use(gin.Recovery(), gin.Wrap(auth.Optional))
			engine.GET("/", func(*gingonic.Context) { panic(what) })
			gingonic.SetMode(mode)
			w := httptest.NewRecorder()
			engine.ServeHTTP(w, r.Clone(t.Context()))
			gingonic.SetMode(gingonic.TestMode)
			if got := out.String(); strings.Contains(got, "__session") || strings.Contains(got, "__refresh") || what == "a mistake" && (w.Code != http.StatusInternalServerError || !strings.Contains(got, "a mistake") || !strings.Contains(got, "gin_test.go")) {
				t.Errorf("%s, %v: got %d, want no cookie in the log, and for a mistake 500, its text and its file: %s", mode, what, w.Code, got)
			}
		}
	}
}
