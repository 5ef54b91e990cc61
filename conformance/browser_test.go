package conformance_test

import (
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// This file reads from a case what its request says apart from tokens. Expected decisions are computed from it.

// navigates reports a GET whose response a browser shows as a page.
func (c *recorded) navigates() bool {
	dest, accept := strings.Join(c.Request.values("Sec-Fetch-Dest"), ", "), strings.Join(c.Request.values("Accept"), ", ")
	worker := dest == "empty" && strings.Join(c.Request.values("Sec-Fetch-Mode"), ", ") == "navigate"
	return (c.Request.Method == http.MethodGet || c.head()) && !c.proxied() &&
		(worker || slices.Contains([]string{"document", "iframe", "frame"}, dest) || dest == "" && strings.HasPrefix(accept, "text/html"))
}

// proxied reports a request to the Frontend API's own path, at its host.
func (c *recorded) proxied() bool {
	prefix := c.proxyBase()
	if u, err := url.Parse(prefix); err == nil && u.Host != "" {
		here, _ := c.origin()
		if here != u.Scheme+"://"+u.Host {
			return false
		}
		prefix = u.Path
	}
	return prefix != "" && (c.path() == prefix || strings.HasPrefix(c.path(), prefix+"/"))
}

func (c *recorded) head() bool { return c.Request.Method == http.MethodHead }

// uncounted reports a request whose redirect the browser may never follow: it is not counted.
func (c *recorded) uncounted() bool {
	return c.head() || c.prefetches()
}

func (c *recorded) prefetches() bool {
	return strings.HasPrefix(strings.Join(c.Request.values("Sec-Purpose"), ", "), "prefetch")
}

func (c *recorded) navigatesAtTop() bool {
	return c.navigates() && slices.Equal(c.Request.values("Sec-Fetch-Dest"), []string{"document"})
}

// origin is where the client sees this request: by Host, and by single well-formed forwarded headers. If there is a list,
// it must be in it, and https takes precedence over http except on this machine. False if there is none.
func (c *recorded) origin() (string, bool) {
	u, err := url.Parse(c.Request.target())
	if err != nil {
		return "", false
	}
	scheme, host := u.Scheme, u.Host
	if named := c.Request.values("Host"); len(named) == 1 {
		if host = named[0]; !plainHost(host) && len(c.Request.values("X-Forwarded-Host")) == 0 {
			return "", false
		}
	}
	if forwarded := c.Request.values("X-Forwarded-Proto"); len(forwarded) == 1 && (forwarded[0] == "http" || forwarded[0] == "https") {
		scheme = forwarded[0]
	}
	if forwarded := c.Request.values("X-Forwarded-Host"); len(forwarded) > 0 {
		if host = forwarded[0]; len(forwarded) > 1 || !plainHost(host) {
			return "", false
		}
	}
	schemes := []string{"https", "http"}
	if len(c.parties()) == 0 || scheme == "http" && loopback(hostOnly(host)) {
		schemes = []string{scheme, "https"}
	}
	for _, s := range schemes {
		here, ok := browserOrigin(s + "://" + host)
		if ok && (len(c.parties()) == 0 || slices.Contains(c.parties(), here)) {
			return here, true
		}
	}
	return "", false
}

// referenceOrigin is where the reference sees this request: it uses the first of several forwarded values, whatever they
// are.
func (c *recorded) referenceOrigin() string {
	u, err := url.Parse(c.Request.target())
	if err != nil {
		return ""
	}
	scheme, host := u.Scheme, u.Host
	for _, name := range []string{"Host", "X-Forwarded-Host"} {
		if named := firstOf(c.Request.values(name)); named != "" {
			host = named
		}
	}
	if forwarded := firstOf(c.Request.values("X-Forwarded-Proto")); forwarded != "" {
		scheme = forwarded
	}
	here, _ := browserOrigin(scheme + "://" + host)
	return here
}

// firstOf is the first element of a list in several header lines.
func firstOf(lines []string) string {
	first, _, _ := strings.Cut(strings.Join(lines, ","), ",")
	return strings.TrimSpace(first)
}

func hostOnly(host string) string {
	u, err := url.Parse("//" + host)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

var hostText = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$`)

// plainHost reports a name or an address, perhaps with a port that exists, and nothing else.
func plainHost(host string) bool {
	u, err := url.Parse("//" + host)
	if err != nil || u.Host != host || hostOnly(host) == "" || !strings.HasPrefix(host, "[") && !hostText.MatchString(hostOnly(host)) {
		return false
	}
	if _, err := netip.ParseAddr(u.Hostname()); strings.HasPrefix(host, "[") != (err == nil && strings.Contains(u.Hostname(), ":")) {
		return false
	}
	port := u.Port()
	n, err := strconv.Atoi(port)
	return port == "" && !strings.HasSuffix(host, ":") || err == nil && n > 0 && n < 65536
}

// path is the path as the client sent it.
func (c *recorded) path() string {
	path, _, _ := strings.Cut(requestURI(c.Request.target()), "?")
	return path
}

func (c *recorded) query() string {
	_, query, _ := strings.Cut(requestURI(c.Request.target()), "?")
	return query
}

// parameter is the first value of a parameter, and how many there are.
func (c *recorded) parameter(name string) (string, int) { return parameterOf(c.query(), name) }

func parameterOf(query, name string) (first string, count int) {
	for _, pair := range formPairs(query) {
		if pair[0] != name {
			continue
		}
		if count++; count == 1 {
			first = pair[1]
		}
	}
	return first, count
}

// formPairs are the pairs of a form in order. Invalid percent-encoding is kept.
func formPairs(query string) [][2]string {
	var pairs [][2]string
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, [2]string{formText(name), formText(value)})
	}
	return pairs
}

func formText(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil {
		return decoded
	}
	return s
}

// cookieValues are all values of a cookie, in order.
func (c *recorded) cookieValues(name string) []string {
	var found []string
	for _, line := range c.Request.values("Cookie") {
		for pair := range strings.SplitSeq(line, ";") {
			key, value, given := strings.Cut(pair, "=")
			if given && strings.Trim(key, " \t") == name {
				found = append(found, unescape(strings.Trim(value, " \t")))
			}
		}
	}
	return found
}

// redirects is how many redirects the browser followed in the last seconds: whole numbers count, and the largest of
// several.
func (c *recorded) redirects() int {
	most := 0
	for _, value := range c.cookieValues("__clerk_redirect_count") {
		if n, err := strconv.ParseUint(value, 10, 31); err == nil {
			most = max(most, int(n))
		}
	}
	return most
}

// clientUpdated is __client_uat as JavaScript's parseInt reads it, or 0 if it is not a number.
func clientUpdated(value string) int64 {
	value = strings.TrimLeft(value, " \t\n\r\f\v\u00a0\u2028\u2029\ufeff")
	sign := int64(1)
	if rest, minus := strings.CutPrefix(value, "-"); minus {
		sign, value = -1, rest
	}
	value = strings.TrimPrefix(value, "+")
	base, digits := 10, "0123456789"
	if len(value) > 1 && strings.EqualFold(value[:2], "0x") {
		base, digits, value = 16, "0123456789abcdefABCDEF", value[2:]
	}
	end := len(value) - len(strings.TrimLeft(value, digits))
	n, err := strconv.ParseInt(value[:end], base, 64)
	if err != nil && end > 0 {
		n = 1 << 62
	}
	return sign * n
}

// secret and public are the keys, without white space around them.
func (c *recorded) secret() string { s, _ := c.Options.text("secretKey"); return strings.TrimSpace(s) }

func (c *recorded) public() string {
	s, _ := c.Options.text("publishableKey")
	return strings.TrimSpace(s)
}

// domain is a satellite's own, without a scheme in front.
func (c *recorded) domain() string {
	s, _ := c.Options.text("domain")
	s = strings.ToLower(s)
	if scheme, host, found := strings.Cut(s, "://"); found && (scheme == "https" || scheme == "http" && c.development() && loopback(hostOnly(host))) {
		return host
	}
	return s
}

func (c *recorded) satellite() bool { return c.Options.yes("isSatellite") }

func (c *recorded) proxy() string {
	s, _ := c.Options.text("proxyUrl")
	return strings.TrimSpace(s)
}

// proxyBase is the proxy as a browser spells it: scheme and host in lower case.
func (c *recorded) proxyBase() string {
	proxy := strings.TrimRight(c.proxy(), "/")
	if u, err := url.Parse(proxy); err == nil && u.Host != "" && u.Scheme != "" {
		return strings.Replace(proxy, proxy[:strings.Index(proxy, "://")]+"://"+u.Host, u.Scheme+"://"+strings.ToLower(u.Host), 1)
	}
	return proxy
}

// backendAt is the Backend API's address.
func (c *recorded) backendAt() string {
	if address, _ := c.Options.text("apiUrl"); address != "" {
		return strings.TrimRight(address, "/")
	}
	return "https://api.clerk.com"
}

func (c *recorded) hasBearer() bool {
	_, found := c.bearer()
	return found
}

func (c *recorded) cookieStartsWith(prefixes ...string) bool {
	for name := range c.Request.cookies() {
		for _, prefix := range prefixes {
			if strings.HasPrefix(name, prefix) {
				return true
			}
		}
	}
	return false
}
