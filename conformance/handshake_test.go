package conformance_test

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// sendAway is a redirect to a handshake, as an outcome.
func (c *recorded) sendAway(reason, target string) outcome {
	out := outcome{
		Status: handshake, Reason: reason, Location: locate(target),
		Headers: map[string]string{"cache-control": "no-store", statusHeader: handshake, reasonHeader: reason},
	}
	if !c.uncounted() {
		out.Cookies = []string{"__clerk_redirect_count=" + strconv.Itoa(c.redirects()+1) + "; SameSite=Lax; HttpOnly; Max-Age=2"}
	}
	return out
}

// frontendHandshake is the URL of the Frontend API's handshake.
func (s *course) frontendHandshake(reason, here string) string {
	q := url.Values{
		"redirect_url":        {here + s.path() + s.marked(s.queryToKeep())},
		"__clerk_api_version": {"2026-05-12"},
		"suffixed_cookies":    {strconv.FormatBool(s.pair != "")},
		"__clerk_hs_reason":   {reason},
	}
	if s.secret() != "" && !s.notExchanged {
		q.Set("format", "nonce")
	}
	if s.chosen.raw != "" {
		q.Set("__session", s.chosen.raw)
	}
	if browser := s.browserToken(); s.development() && browser != "" {
		q.Set("__clerk_db_jwt", browser)
	}
	if wanted, ok := s.wantedOrganization(); ok {
		q.Set("organization_id", wanted.value)
	}
	return s.frontendSeen(here) + "/v1/client/handshake?" + q.Encode()
}

// frontendSeen is the Frontend API's address for browsers.
func (c *recorded) frontendSeen(here string) string {
	domain := c.domain()
	switch proxy := c.proxyBase(); {
	case strings.HasPrefix(c.proxy(), "/"):
		return here + proxy
	case proxy != "":
		return proxy
	case c.satellite() && domain != "" && !c.development():
		return "https://clerk." + domain
	}
	return "https://" + frontendHost(c)
}

// browserToken is the development browser's token. The one in the URL takes precedence over the cookie.
func (s *course) browserToken() string {
	if value, _ := s.parameter("__clerk_db_jwt"); value != "" {
		return value
	}
	if s.jar == nil {
		return s.Request.cookies()["__clerk_db_jwt"]
	}
	return s.jar["__clerk_db_jwt"+s.pair]
}

// queryToKeep is the query without the parameters of an earlier handshake, encoded as a form.
func (c *recorded) queryToKeep() string {
	var kept []string
	for _, pair := range formPairs(c.query()) {
		answer := pair[0] == "__clerk_handshake" || pair[0] == "__clerk_handshake_nonce"
		if pair[0] != "__clerk_db_jwt" && pair[0] != "__dev_session" && (!answer || !c.development()) {
			kept = append(kept, formSpelling(pair[0])+"="+formSpelling(pair[1]))
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return "?" + strings.Join(kept, "&")
}

// marked adds to a query when the browser was redirected, which stops a loop of prefetches (they are not counted), and that
// the handshake asked for a token.
func (s *course) marked(query string) string {
	if !s.prefetches() && !s.notExchanged {
		return query
	}
	mark := "__clerkauth_sent=" + strconv.FormatInt(int64(s.Now), 10)
	if s.notExchanged {
		mark += "t"
	}
	if query == "" {
		return "?" + mark
	}
	return query + "&" + mark
}

// formSpelling encodes a form as browsers do.
func formSpelling(s string) string {
	return strings.NewReplacer("%2A", "*", "~", "%7E").Replace(url.QueryEscape(s))
}

// askPrimary is the primary domain's sign-in page with the return URL: a development satellite redirects there itself.
func (s *course) askPrimary() string {
	signIn, _ := s.Options.text("signInUrl")
	here, ok := s.origin()
	u, err := url.Parse(signIn)
	if !s.development() || !ok || err != nil {
		return ""
	}
	back := here + s.path()
	if s.query() != "" {
		back += "?" + s.query()
	}
	return withPairs(u, [2]string{"__clerk_redirect_url", back})
}

func withPairs(u *url.URL, pairs ...[2]string) string {
	for _, pair := range pairs {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += formSpelling(pair[0]) + "=" + formSpelling(pair[1])
	}
	return u.String()
}

// toSatellite is where a development primary domain redirects a browser back to. Only origins in the list are allowed.
func (s *course) toSatellite() string {
	wanted, _ := s.parameter("__clerk_redirect_url")
	u, err := url.Parse(wanted)
	if !s.development() || s.satellite() || !s.navigates() || err != nil || u.User != nil || u.Host == "" || !s.listed(u.Scheme+"://"+u.Host) {
		return ""
	}
	kept := []string{}
	for _, pair := range formPairs(u.RawQuery) {
		if pair[0] != "__clerk_synced" {
			kept = append(kept, formSpelling(pair[0])+"="+formSpelling(pair[1]))
		}
	}
	u.RawQuery = strings.Join(kept, "&")
	synced := [2]string{"__clerk_synced", "true"}
	if browser := s.browserToken(); browser != "" {
		return withPairs(u, [2]string{"__clerk_db_jwt", browser}, synced)
	}
	return withPairs(u, synced)
}

// listed reports whether an http(s) origin, in any spelling, is in the case's list.
func (c *recorded) listed(origin string) bool {
	normal, ok := browserOrigin(strings.ToLower(origin))
	for _, party := range c.parties() {
		if ok && party == normal && strings.HasPrefix(normal, "http") {
			return true
		}
	}
	return false
}

var developmentPortals = regexp.MustCompile(`^[a-z0-9-]+\.accounts(stage)?\.dev$|\.accounts\.lclclerk\.com$|^accounts\..*\.lcl\.dev$`)

// comesFromElsewhere reports a request to the primary domain whose Referer is another site, not Clerk's. A browser that returns
// from a handshake still sends the Referer of its first request, and is not redirected for it again.
func (s *course) comesFromElsewhere() bool {
	from := s.Request.values("Referer")
	here, ok := s.origin()
	if s.satellite() || !s.navigatesAtTop() || s.redirects() != 0 || s.wasSentOut() || len(from) != 1 || !plainReferrer(from[0]) || !ok {
		return false
	}
	u, _ := referrerSite(from[0])
	site, isSite := browserOrigin(u.Scheme + "://" + u.Host)
	if isSite && site == here {
		return false
	}
	frontend := frontendHost(s.recorded)
	if p, err := url.Parse(s.proxy()); err == nil && p.Host != "" {
		frontend = strings.ToLower(p.Hostname())
	}
	if rest, live := strings.CutPrefix(frontend, "clerk."); live && s.proxy() == "" && site == "https://accounts."+rest {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return (host != frontend || strings.HasPrefix(s.proxy(), "/")) && (!s.development() || !developmentPortals.MatchString(host))
}
