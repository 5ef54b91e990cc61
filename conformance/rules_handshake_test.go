package conformance_test

import (
	"net/url"
	"slices"
	"strings"
)

// originRules are about the address of the request, as far as the client tells.
var originRules = []rule{
	{
		name: "forwarded headers are single and well-formed",
		why:  "a list, a doubled header or a value that is no host or scheme is another site's, and names no origin",
		when: func(c *recorded, want outcome) bool {
			return want.Status != refused && c.forwardedOddly()
		},
	},
	{
		name: "host is well-formed",
		why:  "a Host header that is no host names no origin that a browser could be sent back to",
		when: func(c *recorded, want outcome) bool {
			return want.Status != refused && slices.ContainsFunc(c.Request.values("Host"), func(h string) bool { return !plainHost(h) })
		},
	},
	{
		name: "referrer is one address",
		why:  "RFC 9110 10.1.3: a Referer is one absolute address; a list, or what only a browser's own parser can repair, names no site",
		when: func(c *recorded, want outcome) bool {
			return want.Status != refused && c.referredOddly()
		},
	},
	{
		name: "a proxy's host is the application's own",
		why:  "where the proxy is a path, the reference takes every page at its host for Clerk's, and so the application's own at another scheme",
		when: func(c *recorded, want outcome) bool {
			return want.Status == signedIn && strings.HasPrefix(c.proxy(), "/") && len(c.Request.values("Referer")) == 1
		},
	},
	{
		name: "scheme without a host",
		why:  "X-Forwarded-Proto says how the client connected, whether or not the host is forwarded too",
		when: func(c *recorded, want outcome) bool {
			return want.Location != nil && len(c.Request.values("X-Forwarded-Proto")) > 0 && len(c.Request.values("X-Forwarded-Host")) == 0
		},
	},
	{
		name: "the list says the scheme",
		why:  "TLS may end in front of the application, which no header has to tell: of two origins at one host the listed one is meant, and https of both",
		when: func(c *recorded, want outcome) bool {
			here, ok := c.origin()
			return (want.Location != nil || want.refreshes()) && len(c.parties()) > 0 && ok && here != c.referenceOrigin()
		},
	},
	{
		name: "path stays a path",
		why:  "an address is joined from its parts: a path that begins with // is not a host",
		when: func(c *recorded, want outcome) bool {
			return (want.Location != nil || want.refreshes()) && strings.HasPrefix(c.path(), "//")
		},
	},
	{
		name: "host is in the list",
		why:  "a browser is sent back to the application's own origins only, so a host that is not on the list gets no handshake",
		when: func(c *recorded, want outcome) bool {
			_, ok := c.origin()
			return len(c.parties()) > 0 && !ok && (want.Location != nil || want.refreshes())
		},
	},
}

func (c *recorded) referredOddly() bool {
	lines := c.Request.values("Referer")
	return len(lines) > 1 || slices.ContainsFunc(lines, func(line string) bool { return line != "" && !plainReferrer(line) })
}

// plainReferrer reports an address as browsers write it: a scheme and a host, or a scheme alone, as in about:blank.
func plainReferrer(s string) bool {
	u, ok := referrerSite(s)
	return ok && (u.Host == "" || plainHost(u.Host))
}

// referrerSite is the address without its path. A backslash begins one, as for browsers.
func referrerSite(s string) (*url.URL, bool) {
	scheme, rest, found := strings.Cut(s, ":")
	behind, hosted := strings.CutPrefix(rest, "//")
	if !found || !hosted {
		u, err := url.Parse(scheme + ":")
		return u, found && err == nil && scheme != "" && !strings.HasPrefix(strings.ToLower(scheme), "http")
	}
	if i := strings.IndexAny(behind, `/?#\`); i >= 0 {
		behind = behind[:i]
	}
	u, err := url.Parse(scheme + "://" + behind)
	return u, err == nil && behind != ""
}

func (c *recorded) forwardedOddly() bool {
	hosts, schemes := c.Request.values("X-Forwarded-Host"), c.Request.values("X-Forwarded-Proto")
	return len(hosts) > 1 || len(schemes) > 1 ||
		slices.ContainsFunc(hosts, func(h string) bool { return !plainHost(h) }) ||
		slices.ContainsFunc(schemes, func(s string) bool { return s != "http" && s != "https" })
}

// handshakeRules are about when a browser is sent away, and where to.
var handshakeRules = []rule{
	{
		name: "at most three handshakes",
		why:  "the counter is a whole number, of several the largest, and from 3 on nobody is sent away",
		when: func(c *recorded, want outcome) bool {
			values := c.cookieValues("__clerk_redirect_count")
			return want.Status != refused && (len(values) > 1 || len(values) == 1 && !slices.Contains([]string{"", "0", "1", "2", "3"}, values[0]))
		},
	},
	{
		name: "HEAD as its GET",
		why:  "RFC 9110 9.3.2: HEAD is answered as the GET would be, and so sent away, for the reason that the GET has; it uses nothing up and is not counted",
		when: func(c *recorded, want outcome) bool {
			return want.Status != refused && c.head() && (c.navigates() || strings.HasSuffix(want.Reason, "non-eligible-non-get"))
		},
	},
	{
		name: "the proxy's path has no pages",
		why:  "what is under the proxy's path is Clerk's, wherever the proxy stands: nobody is sent from there to a handshake",
		when: func(c *recorded, want outcome) bool { return want.Status != refused && c.proxied() },
	},
	{
		name: "frames and workers show documents",
		why:  "a frame of a frameset is a document, and so is what a service worker fetches for a navigation",
		when: func(c *recorded, want outcome) bool {
			dest := strings.Join(c.Request.values("Sec-Fetch-Dest"), ", ")
			return want.Status != refused && (dest == "frame" || dest == "empty") && c.navigates()
		},
	},
	{
		name: "each page has its own count",
		why:  "Clerk's counter is of all tabs at once, and stops those that were opened together; where the browser brings the count of this library, that one decides",
		when: func(c *recorded, want outcome) bool {
			return want.Status == signedOut && c.wasSentOut() && c.redirects() >= 3
		},
	},
	{
		name: "prefetches are not counted",
		why:  "a browser keeps the cookies of a prefetched redirect that it never follows, so that it would be stopped at its first visit; the address to come back to says that it was sent out",
		when: func(c *recorded, want outcome) bool { return want.Status == handshake && c.uncounted() },
	},
	{
		name: "judged token goes along",
		why:  "a handshake begins with the token that was judged, not with a cookie beside it",
		when: func(c *recorded, want outcome) bool {
			return want.Status == handshake && c.hasBearer() && len(c.Request.values("Cookie")) > 0
		},
	},
	{
		name:   "satellite not on the list",
		kinder: true,
		why:    "a development primary sends browsers, with their development token, to origins in the list, on documents; without that the parameter says nothing",
		when: func(c *recorded, want outcome) bool {
			return want.Reason == "primary-responds-to-syncing" && (!c.navigates() || !c.satelliteTarget())
		},
	},
	{
		name:   "satellite's address is none",
		kinder: true,
		why:    "an address that is none is left alone, whoever put it into a link",
		when: func(c *recorded, want outcome) bool {
			target, n := c.parameter("__clerk_redirect_url")
			u, err := url.Parse(target)
			return want.Status == refused && n > 0 && c.development() && !c.satellite() && (err != nil || !u.IsAbs())
		},
	},
	{
		name:   "satellite is told by its configuration",
		kinder: true, // an answer beside the header decides
		why:    "whether the sign-in page is on the satellite itself is found out at the start, not by a header that navigations do not send",
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && c.satellite() && c.development() && len(c.Request.values("Origin")) > 0
		},
	},
}

// satelliteTarget reports that the satellite's address is in the list.
func (c *recorded) satelliteTarget() bool {
	target, _ := c.parameter("__clerk_redirect_url")
	u, err := url.Parse(target)
	return err == nil && u.User == nil && c.listed(u.Scheme+"://"+u.Host)
}
