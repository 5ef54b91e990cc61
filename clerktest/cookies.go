package clerktest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/publishable"
)

// Cookies are what a browser carries that is signed in with this token, each under its plain name and under the one
// with the instance's suffix: the session token, as client_uat the time of its iat (now, if it cannot be read), and in development the
// token that stands for the browser.
//
// They suit both Request.AddCookie and http.SetCookie. In production they are Secure.
func (in *Instance) Cookies(token string) []*http.Cookie {
	updated := in.now().Unix()
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(token, claims); err == nil {
		if iat, err := claims.GetIssuedAt(); err == nil && iat != nil {
			updated = iat.Unix()
		}
	}
	suffix := "_" + publishable.CookieSuffix(in.publishableKey)
	secure := strings.HasPrefix(in.publishableKey, "pk_live_")
	var cookies []*http.Cookie
	add := func(name, value string) {
		for _, n := range []string{name, name + suffix} {
			//nolint:gosec // Clerk's script in the page sets and reads them: they cannot be HttpOnly
			cookies = append(cookies, &http.Cookie{
				Name: n, Value: value, Path: "/", Secure: secure, SameSite: http.SameSiteLaxMode,
			})
		}
	}
	add("__session", token)
	add("__client_uat", strconv.FormatInt(updated, 10))
	if !secure {
		add("__clerk_db_jwt", "dvb_2clerktest") // by which a development instance knows a browser
	}
	return cookies
}
