package clerktest

import (
	"crypto/sha1" //nolint:gosec // Clerk's cookie names are made with it; it guards nothing
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Cookies are what a browser carries that is signed in with this token, each under its plain name and under the one
// with the instance's suffix: the session token, and as client_uat the time of its iat (now, if it cannot be read).
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
	suffix := "_" + cookieSuffix(in.publishableKey)
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
	return cookies
}

// cookieSuffix tells the cookies of two instances on one domain apart, as Clerk's JavaScript does.
func cookieSuffix(publishableKey string) string {
	sum := sha1.Sum([]byte(publishableKey)) //nolint:gosec // see the import
	return base64.URLEncoding.EncodeToString(sum[:])[:8]
}
