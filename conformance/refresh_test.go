package conformance_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// headerObstacle is why an expired bearer token is not refreshed: a refresh belongs to a cookie.
func (c *recorded) headerObstacle() string {
	if c.Request.Method != http.MethodGet && !c.head() {
		return "-refresh-non-eligible-non-get"
	}
	return "-refresh-non-eligible-no-refresh-cookie"
}

var sessionID = regexp.MustCompile(`^sess_[A-Za-z0-9]{1,128}$`)

// refresh exchanges the expired cookie token, or says why not.
func (s *course) refresh() (obstacle string, got *outcome) {
	secret := only(lastOf(s.cookieValues("__refresh_" + s.suffix())))
	sid := text(s.chosen.claims["sid"])
	_, named := s.chosen.claims["azp"]
	switch {
	case s.Request.Method != http.MethodGet && !s.head() && !s.ownWrite() && !s.claimsOwn():
		return "non-eligible-non-get", nil
	case secret == "":
		return "non-eligible-no-refresh-cookie", nil
	case s.secret() == "":
		return "non-eligible-no-secret-key", nil
	case s.expired > 1:
		return "non-eligible-several-sessions", nil
	case len(s.parties()) > 0 && !named:
		return "non-eligible-no-azp", nil
	case !sessionID.MatchString(sid):
		return "expired-session-token-missing-sid-claim", nil
	case s.showsInPage():
		return "non-eligible-not-required", nil
	case s.partOfPage():
		return "non-eligible-subresource", nil
	case !s.hostListed():
		out := refusal("request-host-not-authorized")
		return "", &out
	case s.crossOriginWrite():
		out := refusal("cross-origin-request")
		return "", &out
	case s.upgrades() && !s.ownWrite(), s.head():
		return "non-eligible-non-get", nil
	}
	path := "/v1/sessions/" + sid + "/refresh"
	query := url.Values{}
	if s.pair != "" {
		query.Set("suffixed_cookies", "true")
	}
	s.calls = append(s.calls, call{
		Method: http.MethodPost, URL: s.backendAt() + path, Query: sortedPairs(query),
		Authorization: "Bearer " + s.secret(), Body: s.refreshBody(secret),
	})
	cookies, failure := s.newCookies(s.reply(http.MethodPost, path, query))
	if failure != "" {
		return failure, nil
	}
	answer := s.refusedAs
	out, ok := s.judgeDirectives(cookies, false)
	s.refusedAs = answer // that of a handshake, not of this
	if !ok || out.Status != signedIn || out.Auth.SessionID != sid {
		return "invalid-session-token", nil
	}
	return "", &out
}

// hostListed reports that the request is to an origin of the list.
func (c *recorded) hostListed() bool {
	_, ok := c.origin()
	return ok
}

// claimsOwn reports a write, at a host outside the list, that says it is of a page there.
func (c *recorded) claimsOwn() bool {
	sites, origins := c.Request.values("Sec-Fetch-Site"), c.Request.values("Origin")
	own := len(sites) == 0 || len(sites) == 1 && (sites[0] == "same-origin" || sites[0] == "none" || sites[0] == "")
	return !c.hostListed() && own && (len(sites) == 1 || len(origins) == 1)
}

// showsInPage reports a request for what a page shows, such as an image.
func (c *recorded) showsInPage() bool {
	dest := c.Request.values("Sec-Fetch-Dest")
	return len(dest) == 1 && slices.Contains([]string{"image", "audio", "video", "track", "object", "embed"}, dest[0])
}

// partOfPage reports a request for what pages are put together from, such as a script.
func (c *recorded) partOfPage() bool {
	dest := strings.Join(c.Request.values("Sec-Fetch-Dest"), ", ")
	return !c.showsInPage() && !slices.Contains([]string{"", "empty", "document", "iframe", "frame", "websocket"}, dest)
}

func lastOf(values []string) []string { return values[max(0, len(values)-1):] }

func (s *course) refreshBody(secret string) map[string]any {
	headers := map[string]any{}
	for _, h := range s.Request.Headers {
		values := s.Request.values(h[0])
		for i := range values {
			values[i] = latin1(values[i])
		}
		separator := ", "
		if strings.EqualFold(h[0], "Cookie") {
			separator = "; "
		}
		headers[strings.ToLower(h[0])] = []any{strings.Join(values, separator)}
	}
	return map[string]any{
		"format": "cookie", "expired_token": s.chosen.raw, "refresh_token": secret,
		"request_origin": s.requestOrigin(), "request_headers": headers,
	}
}

// requestOrigin is the origin that a refresh names. Without a list nothing says whether TLS ended in front of the server:
// then the page of the same host that the request comes from does.
func (c *recorded) requestOrigin() string {
	here, _ := c.origin()
	host, plain := strings.CutPrefix(here, "http://")
	if plain && len(c.parties()) == 0 && len(c.Request.values("X-Forwarded-Proto")) == 0 && c.pageOrigin() == "https://"+host {
		return "https://" + host
	}
	return here
}

// pageOrigin is the origin of the page that a request comes from; empty: the browser does not say it, or more than once.
func (c *recorded) pageOrigin() string {
	origins, referrers := c.Request.values("Origin"), c.Request.values("Referer")
	switch {
	case len(origins) == 1 && origins[0] != "null":
		return origins[0]
	case len(origins) < 2 && len(referrers) == 1:
		return originOf(referrers[0])
	}
	return ""
}

var plainCode = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// newCookies are the Set-Cookie values of a refresh's answer, or why there are none.
func (*course) newCookies(status int, body []byte, ok bool) (cookies []string, failure string) {
	var said struct {
		Cookies []string `json:"cookies"`
		Errors  []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	err := json.Unmarshal(body, &said)
	switch {
	case !ok:
		return nil, "fetch-error"
	case status == http.StatusNoContent:
		return nil, "unexpected-bapi-error"
	case status == http.StatusOK && (!json.Valid(body) || string(body) == "null"):
		return nil, "fetch-error"
	case status == http.StatusOK && (err != nil || len(said.Cookies) == 0):
		return nil, "unexpected-sdk-error"
	case status == http.StatusOK:
		return said.Cookies, ""
	case err != nil || len(said.Errors) == 0:
		return nil, "unexpected-bapi-error"
	}
	switch code := said.Errors[0].Code; {
	case code == "":
		return nil, "unexpected-sdk-error"
	case code == "unexpected_error":
		return nil, "fetch-error"
	case !plainCode.MatchString(code):
		return nil, "unexpected-bapi-error"
	default:
		return nil, code
	}
}
