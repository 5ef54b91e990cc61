// Package frontendproxy mounts the proxy of Clerk's Frontend API in routers: at the path of Config.ProxyURL, here
// "/__clerk", for every method. The proxy reads the original path, so a router may strip the prefix.
package frontendproxy

import (
	"net/http"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	"github.com/labstack/echo/v5"

	"github.com/clerkauth/clerkauth"
)

// Chi mounts it in github.com/go-chi/chi/v5.
func Chi(auth *clerkauth.Authenticator) http.Handler {
	router := chi.NewRouter()
	router.Use(auth.Optional)
	router.Mount("/__clerk", auth.FrontendAPIProxy())
	return router
}

// Gin mounts it in github.com/gin-gonic/gin.
func Gin(auth *clerkauth.Authenticator) http.Handler {
	engine := gin.New()
	engine.Any("/__clerk/*path", gin.WrapH(auth.FrontendAPIProxy()))
	return auth.Optional(engine)
}

// Echo mounts it in github.com/labstack/echo/v5.
func Echo(auth *clerkauth.Authenticator) http.Handler {
	e := echo.New()
	e.Use(echo.WrapMiddleware(auth.Optional))
	e.Any("/__clerk/*", echo.WrapHandler(auth.FrontendAPIProxy()))
	return e
}

// StripPrefix mounts it in net/http, below a router that strips the prefix.
func StripPrefix(auth *clerkauth.Authenticator) http.Handler {
	clerk := http.NewServeMux()
	clerk.Handle("/", auth.FrontendAPIProxy())
	mux := http.NewServeMux()
	mux.Handle("/__clerk/", http.StripPrefix("/__clerk", clerk))
	return auth.Optional(mux)
}
