package clerktest

import (
	"net/http"
	"strconv"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/publishable"
)

// Cookies are what a browser carries that is signed in with this token, each under its plain name and under the one
// with the instance's suffix: the session token, and as client_uat the time of its iat (now, if it cannot be read); in
// development the token that stands for the browser, too. No session on the server stands behind
// them: SignIn begins one.
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
	//nolint:gosec // Clerk's script in the page sets and reads them: they cannot be HttpOnly
	like := http.Cookie{Path: "/", Secure: in.live(), SameSite: http.SameSiteLaxMode}
	cookies := append(in.twins("__session", token, like), in.twins("__client_uat", strconv.FormatInt(updated, 10), like)...)
	if !in.live() {
		cookies = append(cookies, in.twins(devBrowserToken, "dvb_2clerktest", like)...)
	}
	return cookies
}

// twins are a cookie like another, under its plain name and under the one with the instance's suffix.
func (in *Instance) twins(name, value string, like http.Cookie) []*http.Cookie {
	plain, suffixed := like, like
	plain.Name, plain.Value = name, value
	suffixed.Name, suffixed.Value = in.suffixed(name), value
	return []*http.Cookie{&plain, &suffixed}
}

func (in *Instance) suffixed(name string) string {
	return name + "_" + publishable.CookieSuffix(in.publishableKey)
}
