package clerktest

import (
	"net/http"
	"strconv"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/publishable"
)

// Cookies returns the cookies of a browser that is signed in with this token: the session token, client_uat with the
// token's iat (or now, if there is none to read) and, in development, the token that identifies the browser. Each has its
// plain name and the name with the instance's suffix. They belong to no session on the server: use SignIn for one.
//
// They can be used with Request.AddCookie and with http.SetCookie. In production they are Secure.
func (in *Instance) Cookies(token string) []*http.Cookie {
	updated := in.now().Unix()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err == nil {
		if iat, err := claims.GetIssuedAt(); err == nil && iat != nil {
			updated = iat.Unix()
		}
	}
	of := scope{secure: in.live()}
	cookies := append(in.twins("__session", token, of), in.twins("__client_uat", strconv.FormatInt(updated, 10), of)...)
	if !in.live() {
		cookies = append(cookies, in.twins(devBrowser, "dvb_2clerktest", of)...)
	}
	return cookies
}

// scope is where a cookie is sent, and for how long it is kept.
type scope struct {
	domain   string // empty: the host alone
	maxAge   int    // in seconds; 0: until the browser closes; negative: delete it at once
	secure   bool
	httpOnly bool
}

func (s scope) cookie(name, value string) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Clerk's script in the page sets and reads most of them; a development host has no TLS
		Name: name, Value: value, Path: "/", Domain: s.domain, MaxAge: s.maxAge, Secure: s.secure, HttpOnly: s.httpOnly,
		SameSite: http.SameSiteLaxMode,
	}
}

// twins are a cookie under its plain name and under the name with the instance's suffix.
func (in *Instance) twins(name, value string, of scope) []*http.Cookie {
	return []*http.Cookie{of.cookie(name, value), of.cookie(in.suffixed(name), value)}
}

func (in *Instance) suffixed(name string) string {
	return name + "_" + publishable.CookieSuffix(in.publishableKey)
}
