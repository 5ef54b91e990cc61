package clerktest

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// In a handshake, the browser is redirected to the Frontend API and back, and gets fresh session cookies, or none. See
// https://clerk.com/docs/guides/how-clerk-works/overview.

const yearLong = 365 * 24 * 60 * 60 // a cookie's Max-Age, in seconds

// serveHandshake redirects the browser back to its page, with the Set-Cookie values of its session: by a nonce if the app
// can exchange one, otherwise in a handshake token.
func (in *Instance) serveHandshake(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	q := r.URL.Query()
	target, ok := in.appURL(q.Get("redirect_url"))
	if !ok {
		refuse(w, http.StatusBadRequest, "invalid_redirect_url", "redirect_url is not at one of the instance's origins")
		return
	}
	b, sent := in.handshakeBrowser(w, r)
	if sent {
		return
	}
	if s := in.browsers.session(b); s != nil && q.Has("organization_id") {
		s.activate(q.Get("organization_id"))
	}
	in.answerHandshake(w, q.Get("format"), b, target)
}

// handshakeBrowser finds the browser. A satellite that does not know it redirects it to the primary domain.
func (in *Instance) handshakeBrowser(w http.ResponseWriter, r *http.Request) (b *browser, sent bool) {
	switch {
	case !in.live():
		return in.remember(w, r), false
	case in.siteFor(r).satellite:
		return in.linkedBrowser(w, r)
	default:
		return in.browserOf(r), false
	}
}

// answerHandshake redirects the browser back, with a nonce or a handshake token.
func (in *Instance) answerHandshake(w http.ResponseWriter, format string, b *browser, target *url.URL) {
	cookies := setCookies(in.sessionCookies(b, target))
	name, value := handshakeNonce, "hs_"+rand.Text()
	if format == "nonce" {
		in.browsers.keep(value, waiting{cookies: cookies, until: in.now().Add(nonceLifetime)}, in.now())
	} else {
		name = handshakeToken
		value = in.Token(Claims{RawPayload: encode(map[string][]string{"handshake": cookies})})
	}
	site := in.siteOf(originOf(target))
	if in.live() {
		of := scope{domain: site.shared(target), maxAge: int(nonceLifetime / time.Second), secure: true, httpOnly: true}
		http.SetCookie(w, of.cookie(name, value))
	} else {
		target = withParameter(target, name, value)
	}
	if site.satellite {
		target = withParameter(target, "__clerk_synced", "true")
	}
	w.Header().Set("Location", target.String())
	w.WriteHeader(http.StatusTemporaryRedirect)
}

// The handshake parameters: cookies in production, parameters in development.
const (
	handshakeToken = "__clerk_handshake" //nolint:gosec // G101: a name
	handshakeNonce = "__clerk_handshake_nonce"
)

// appURL parses the URL of a page of the app. Other URLs are refused: otherwise a link to the instance could redirect
// anywhere.
func (in *Instance) appURL(raw string) (*url.URL, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.User != nil || u.Opaque != "" {
		return nil, false
	}
	return u, slices.Contains(in.origins, originOf(u))
}

func originOf(u *url.URL) string { return u.Scheme + "://" + strings.ToLower(u.Host) }

// withParameter is u with a parameter that replaces all others of its name.
func withParameter(u *url.URL, name, value string) *url.URL {
	pairs := slices.DeleteFunc(strings.Split(u.RawQuery, "&"), func(pair string) bool {
		return pair == "" || strings.HasPrefix(pair, name+"=")
	})
	with := *u
	with.RawQuery = strings.Join(append(pairs, name+"="+url.QueryEscape(value)), "&")
	return &with
}

// sessionCookies are the cookies that the app's host should have, with a session or without. First, the host's own copies
// of cookies for all subdomains are deleted, so that the browser does not have two of one name. In production the cookies
// of the handshake are deleted too: to exchange the nonce again would fail.
func (in *Instance) sessionCookies(b *browser, target *url.URL) []*http.Cookie {
	cookies := in.signedOutCookies(target)
	if s := in.browsers.session(b); s != nil {
		cookies = in.signedInCookies(s, target)
	}
	gone := in.hostOf(target)
	gone.maxAge = -1
	if !in.live() {
		if registrable(target.Hostname()) != "" {
			cookies = append(in.twins("__client_uat", "", gone), cookies...)
		}
		return append(cookies, in.twins(devBrowser, b.token, in.hostOf(target))...)
	}
	cookies = append(in.twins("__client_uat", "", gone), cookies...)
	gone.domain = in.siteOf(originOf(target)).shared(target)
	return append(cookies, gone.cookie(handshakeToken, ""), gone.cookie(handshakeNonce, ""))
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

// updatedCookies say since when there is a session, or that there is none. Unlike the token, they are for all subdomains:
// Clerk's script sets them for the registrable domain.
func (in *Instance) updatedCookies(s *BrowserSession, target *url.URL) []*http.Cookie {
	all, updated := in.hostOf(target), int64(0)
	if all.domain = in.siteOf(originOf(target)).shared(target); !in.live() {
		all.domain = registrable(target.Hostname())
	}
	if s != nil {
		updated = s.since.Unix()
	}
	return in.twins("__client_uat", strconv.FormatInt(updated, 10), all)
}

func (in *Instance) refreshCookie(token string, of scope) *http.Cookie {
	of.httpOnly = true
	return of.cookie(in.suffixed("__refresh"), token)
}

// hostOf is the scope of cookies for the app's host alone. In development there may be no TLS.
func (in *Instance) hostOf(target *url.URL) scope {
	return scope{maxAge: yearLong, secure: in.live() || target.Scheme == "https"}
}

// setCookies are the values of Set-Cookie headers.
func setCookies(cookies []*http.Cookie) []string {
	values := make([]string, len(cookies))
	for i, c := range cookies {
		values[i] = c.String()
	}
	return values
}

// Cookies returns the cookies that the session's browser has at the app after a handshake, for requests without a browser.
// They can be used with Request.AddCookie and http.SetCookie. They are minted even after the session has ended.
func (s *BrowserSession) Cookies() []*http.Cookie {
	if len(s.in.origins) == 0 {
		panic("clerktest: Cookies: the instance has no Origins")
	}
	target, ok := s.in.appURL(s.in.origins[0])
	if !ok {
		panic("clerktest: Cookies: the first of the Origins is not a URL: " + s.in.origins[0])
	}
	cookies := s.in.signedInCookies(s, target)
	if !s.in.live() {
		cookies = append(cookies, s.in.twins(devBrowser, s.browser.token, s.in.hostOf(target))...)
	}
	return cookies
}
