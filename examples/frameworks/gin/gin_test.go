package gin_test

import (
	"net/http"
	"os"
	"testing"

	gingonic "github.com/gin-gonic/gin"

	"github.com/clerkauth/clerkauth"
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

func TestClerkIsAskedOnce(t *testing.T) {
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
