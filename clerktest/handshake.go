package clerktest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A handshake is a browser's way through the Frontend API and back, with fresh cookies or with none, as in
// https://clerk.com/docs/guides/how-clerk-works/overview.

const yearLong = 365 * 24 * 60 * 60 // a cookie's Max-Age, in seconds

// serveHandshake sends the browser back to where it came from, with the directives of its session: for a nonce, if
// the app knows how to exchange one, else in a handshake token.
func (in *Instance) serveHandshake(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	q := r.URL.Query()
	target, ok := in.appURL(q.Get("redirect_url"))
	if !ok {
		refuse(w, http.StatusBadRequest, "invalid_redirect_url", "redirect_url is not at one of the instance's origins")
		return
	}
	var b *browser
	if in.live() {
		b = in.browserOf(r)
	} else {
		b = in.remember(w, r)
	}
	if s := in.browsers.session(b); s != nil && q.Has("organization_id") {
		s.activate(q.Get("organization_id"))
	}
	cookies := setCookies(in.sessionCookies(b, target))
	name, value := "__clerk_handshake_nonce", ""
	if q.Get("format") == "nonce" {
		value = in.browsers.keep(cookies, in.now())
	} else {
		name = "__clerk_handshake"
		value = in.Token(Claims{RawPayload: encode(map[string][]string{"handshake": cookies})})
	}
	if in.live() {
		http.SetCookie(w, &http.Cookie{
			Name: name, Value: value, Path: "/", Domain: in.cookieDomain(target), MaxAge: int(nonceLifetime / time.Second),
			HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode,
		})
	} else {
		target = withParameter(target, name, value)
	}
	w.Header().Set("Location", target.String())
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// appURL reads the URL of a page of the app. There is no other place to send a browser to, or a link to the instance
// would lead anywhere.
func (in *Instance) appURL(raw string) (*url.URL, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Opaque != "" {
		return nil, false
	}
	return u, slices.Contains(in.origins, originOf(u))
}

func originOf(u *url.URL) string { return u.Scheme + "://" + strings.ToLower(u.Host) }

// withParameter is u with a parameter in the place of those of its name.
func withParameter(u *url.URL, name, value string) *url.URL {
	pairs := slices.DeleteFunc(strings.Split(u.RawQuery, "&"), func(pair string) bool {
		return pair == "" || strings.HasPrefix(pair, name+"=")
	})
	with := *u
	with.RawQuery = strings.Join(append(pairs, name+"="+url.QueryEscape(value)), "&")
	return &with
}

// sessionCookies are those that the app's host should have: of a session, or of none.
func (in *Instance) sessionCookies(b *browser, target *url.URL) []*http.Cookie {
	cookies := in.signedOutCookies(target)
	if s := in.browsers.session(b); s != nil {
		cookies = in.signedInCookies(s, target)
	}
	if !in.live() {
		cookies = append(cookies, in.twins(devBrowserToken, b.token, in.like(target))...)
	}
	return cookies
}

func (in *Instance) signedInCookies(s *BrowserSession, target *url.URL) []*http.Cookie {
	like := in.like(target)
	cookies := in.twins("__session", s.token(originOf(target)), like)
	cookies = append(cookies, in.updatedCookies(s, target)...)
	if !in.withoutRefresh {
		cookies = append(cookies, in.refreshCookie(s.currentRefresh(), like))
	}
	return cookies
}

func (in *Instance) signedOutCookies(target *url.URL) []*http.Cookie {
	like := in.like(target)
	like.MaxAge = -1
	cookies := append(in.twins("__session", "", like), in.refreshCookie("", like))
	return append(cookies, in.updatedCookies(nil, target)...)
}

// updatedCookies say since when a session is there, or that none is. Unlike the token, the other subdomains may know.
func (in *Instance) updatedCookies(s *BrowserSession, target *url.URL) []*http.Cookie {
	like, updated := in.like(target), int64(0)
	like.Domain = in.cookieDomain(target)
	if s != nil {
		updated = s.since.Unix()
	}
	return in.twins("__client_uat", strconv.FormatInt(updated, 10), like)
}

func (in *Instance) refreshCookie(token string, like http.Cookie) *http.Cookie {
	like.Name, like.Value, like.HttpOnly = in.suffixed("__refresh"), token, true
	return &like
}

// like is how the cookies of the app's host are. In development there may be no TLS.
func (in *Instance) like(target *url.URL) http.Cookie {
	return http.Cookie{ //nolint:gosec // Clerk's script in the page sets and reads most of them
		Path: "/", MaxAge: yearLong, Secure: in.live() || target.Scheme == "https", SameSite: http.SameSiteLaxMode,
	}
}

// cookieDomain is what all subdomains share of a production instance; empty: target is at none of them.
func (in *Instance) cookieDomain(target *url.URL) string {
	root, host := strings.TrimPrefix(in.domain, "clerk."), target.Hostname()
	if !in.live() || host != root && !strings.HasSuffix(host, "."+root) {
		return ""
	}
	return root
}

// setCookies are the values of Set-Cookie headers.
func setCookies(cookies []*http.Cookie) []string {
	values := make([]string, len(cookies))
	for i, c := range cookies {
		values[i] = c.String()
	}
	return values
}

// Cookies are what the session's browser has at the app, fresh from a handshake: for requests without a browser. They
// suit Request.AddCookie and http.SetCookie, and are still minted when the session has ended.
func (s *BrowserSession) Cookies() []*http.Cookie {
	if len(s.in.origins) == 0 {
		panic("clerktest: Cookies: the instance has no Origins")
	}
	target, ok := s.in.appURL(s.in.origins[0])
	if !ok {
		panic("clerktest: Cookies: the first of the Origins is no URL: " + s.in.origins[0])
	}
	cookies := s.in.signedInCookies(s, target)
	if !s.in.live() {
		cookies = append(cookies, s.in.twins(devBrowserToken, s.browser.token, s.in.like(target))...)
	}
	return cookies
}
