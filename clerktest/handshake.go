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
		of := scope{domain: in.cookieDomain(target), maxAge: int(nonceLifetime / time.Second), secure: true, httpOnly: true}
		http.SetCookie(w, of.cookie(name, value))
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
		cookies = append(cookies, in.twins(devBrowser, b.token, in.hostOf(target))...)
	}
	return cookies
}

func (in *Instance) signedInCookies(s *BrowserSession, target *url.URL) []*http.Cookie {
	cookies := in.twins("__session", s.token(originOf(target)), in.hostOf(target))
	cookies = append(cookies, in.updatedCookies(s, target)...)
	if !in.withoutRefresh {
		cookies = append(cookies, in.refreshCookie(s.currentRefresh(), in.hostOf(target)))
	}
	return cookies
}

func (in *Instance) signedOutCookies(target *url.URL) []*http.Cookie {
	gone := in.hostOf(target)
	gone.maxAge = -1
	cookies := append(in.twins("__session", "", gone), in.refreshCookie("", gone))
	return append(cookies, in.updatedCookies(nil, target)...)
}

// updatedCookies say since when a session is there, or that none is. Unlike the token, the other subdomains may know.
func (in *Instance) updatedCookies(s *BrowserSession, target *url.URL) []*http.Cookie {
	all, updated := in.hostOf(target), int64(0)
	all.domain = in.cookieDomain(target)
	if s != nil {
		updated = s.since.Unix()
	}
	return in.twins("__client_uat", strconv.FormatInt(updated, 10), all)
}

func (in *Instance) refreshCookie(token string, of scope) *http.Cookie {
	of.httpOnly = true
	return of.cookie(in.suffixed("__refresh"), token)
}

// hostOf is the scope of the cookies of the app's host alone. In development there may be no TLS.
func (in *Instance) hostOf(target *url.URL) scope {
	return scope{maxAge: yearLong, secure: in.live() || target.Scheme == "https"}
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
		cookies = append(cookies, s.in.twins(devBrowser, s.browser.token, s.in.hostOf(target))...)
	}
	return cookies
}
