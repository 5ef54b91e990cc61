package conformance_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

const day = 24 * time.Hour

// refreshRules are about tokens that have expired.
var refreshRules = []rule{
	{
		name: "bearer tokens are not refreshed",
		why:  "a refresh belongs to a cookie: beside a bearer token it would sign one session in as another",
		when: func(c *recorded, want outcome) bool {
			return c.hasBearer() && c.cookieStartsWith("__refresh_") && (want.refreshes() || strings.HasPrefix(want.Reason, expired))
		},
	},
	{
		name: "refresh needs azp and a plain session id",
		why:  "a token that does not say for whom it was minted is not made young again, and the session's id, part of an address, is sess_ and letters and digits",
		when: func(c *recorded, want outcome) bool {
			_, named := c.overdue().claims["azp"]
			plain := sessionID.MatchString(text(c.overdue().claims["sid"])) && (named || len(c.parties()) == 0)
			return !c.hasBearer() && !plain && (want.refreshes() || strings.HasPrefix(want.Reason, expired))
		},
	},
	{
		name:   "a page's own writes are refreshed",
		why:    "a form that took longer than a minute must not be lost; the browser shows that a page of this very origin sent it",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			return !c.hasBearer() && c.cookieStartsWith("__refresh_") && c.ownWrite() && strings.HasPrefix(want.Reason, expired+"-refresh-non-eligible-non-get")
		},
	},
	{
		name: "upgrades are refreshed as writes",
		why:  "a WebSocket is a GET in name only: one is renewed for the application's own pages",
		when: func(c *recorded, want outcome) bool {
			return c.Request.Method == http.MethodGet && c.upgrades() && !c.ownWrite() && (want.refreshes() || strings.HasPrefix(want.Reason, expired))
		},
	},
	{
		name: "subresources are not refreshed",
		why:  "scripts, styles and images are what shared caches keep: a new session does not travel with them",
		when: func(c *recorded, want outcome) bool {
			return (c.showsInPage() || c.partOfPage()) && (want.refreshes() || strings.HasPrefix(want.Reason, expired))
		},
	},
	{
		name: "a refresh is of a token without another fault",
		why:  "a token that is refused for more than its age is not made young again",
		when: func(c *recorded, want outcome) bool { return want.refreshes() && c.whyRefused(c.overdue()) != expired },
	},
	{
		name: "the last of several refresh cookies",
		why:  "a browser sends this application's own, which is for every path, last; a sibling subdomain can plant others before it",
		when: func(c *recorded, want outcome) bool {
			return want.refreshes() && len(c.cookieValues("__refresh_"+c.suffix())) > 1
		},
	},
	{
		name: "refresh stays in its session",
		why:  "a refresh makes one session young again; one that answers with another is none",
		when: func(c *recorded, want outcome) bool {
			return want.refreshes() && want.Status == signedIn && want.Auth.SessionID != text(c.overdue().claims["sid"])
		},
	},
	{
		name: "codes are plain",
		why:  "a code of the Backend API goes into a header and an address, so it is of [a-z0-9_-] or unknown",
		when: func(_ *recorded, want outcome) bool {
			code, found := strings.CutPrefix(want.Reason, expired+"-refresh-")
			return found && (!plainCode.MatchString(code) || digits.MatchString(code))
		},
	},
	{
		name: "a refresh's answer is read by its status",
		why:  "an error of the Backend API is one whatever its Content-Type is, and a new session comes with 200",
		when: func(c *recorded, want outcome) bool {
			return want.refreshes() && slices.ContainsFunc(c.Backend, func(r route) bool {
				return strings.HasSuffix(r.Path, "/refresh") && len(r.Responses) > 0 && !r.Responses[0].plain()
			})
		},
	},
	{
		name:   "malformed refresh is none",
		kinder: true, // a good cookie beside it decides
		why:    "an answer of another shape is no refresh, and no crash",
		when: func(_ *recorded, want outcome) bool {
			return want.Status == refused && want.refreshes()
		},
	},
}

// plain reports an answer with the status and the form of Clerk's.
func (r response) plain() bool {
	return r.Text == nil && (r.ContentType == "" || r.ContentType == "application/json") && (r.Status == 0 || r.Status == http.StatusOK || r.Status >= http.StatusBadRequest)
}

// refreshes reports that the Backend API got a refresh.
func (o outcome) refreshes() bool {
	return slices.ContainsFunc(o.Calls, func(c call) bool { return c.Method == http.MethodPost && strings.Contains(c.URL, "/v1/sessions/") })
}

// overdue is the expired cookie token that the reference would refresh.
func (c *recorded) overdue() *token {
	return parseToken(c.Request.cookies()["__session"+c.chosenSuffix()])
}

// responseRules are about what is sent along with a decision.
var responseRules = []rule{
	{
		name: "writes from other origins",
		why:  "a write that is authenticated by cookie and comes from another origin is a forgery; the reference checks no origin",
		when: func(c *recorded, want outcome) bool {
			return want.Status == signedIn && !c.bearerInAnyCase() && c.crossOriginWrite()
		},
	},
	{
		name: "nobody else may read it",
		why:  "an answer that sets cookies is for the browser that sent the request; no other origin is told that it may read it",
		when: func(_ *recorded, want outcome) bool { return want.Headers["access-control-allow-origin"] != "" },
		change: func(_ *recorded, want *outcome) {
			delete(want.Headers, "access-control-allow-origin")
			delete(want.Headers, "access-control-allow-credentials")
		},
	},
	{
		name:   "Clerk's cookies only",
		why:    "of an answer Clerk's cookies are passed on by their exact names, sessions for this host only, Secure in production, and into no cache",
		when:   func(_ *recorded, want outcome) bool { return want.Status != handshake && len(want.Cookies) > 0 },
		change: func(c *recorded, want *outcome) { want.setCookies(c, want.Cookies, want.Auth == nil) },
	},
}

var planted = regexp.MustCompile(`^; Path=/; Domain=[^;]+; Max-Age=0; Secure$`)

// cookiesIn are the Set-Cookie values in an answer of the Backend API.
func cookiesIn(r response) []string {
	var said struct{ Directives, Cookies []string }
	if json.Unmarshal(r.JSON, &said) != nil {
		return nil
	}
	return slices.Concat(said.Directives, said.Cookies)
}

// clearing reports a Set-Cookie value that deletes the cookie of a handshake that is over, a counter that stopped one, or
// a session or refresh cookie that a sibling subdomain may have planted for the domain above.
func clearing(cookie string) bool {
	name, rest, _ := strings.Cut(cookie, "=")
	if planted.MatchString(rest) && (strings.HasPrefix(name, "__session") || strings.HasPrefix(name, "__refresh_")) {
		return true
	}
	return slices.Contains([]string{"__clerk_handshake", "__clerk_handshake_nonce", "__clerk_redirect_count"}, name) && strings.HasPrefix(rest, "; Path=/;") && strings.Contains(rest, "Max-Age=0")
}
