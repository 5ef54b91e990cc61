package conformance_test

import (
	"strings"
	"testing"
)

// missing are the causes for now: what the reference does and this library
// does not do yet. Each goes when its feature comes; a cause that skips
// nothing fails the test.
var missing = []cause{
	{"satellites", "satellite domains do not exist yet", func(c *recorded, _ testing.TB) bool {
		return c.Options.given("isSatellite") || c.Options.given("domain") || c.asks("__clerk_synced") || c.asks("__clerk_redirect_url")
	}},
	{"proxied Frontend API", "ProxyURL does not exist yet", optionGiven("proxyUrl")},
	{"organization sync", "OrganizationSync does not exist yet", optionGiven("organizationSyncOptions")},
	{"handshake answer", "an answer to a handshake is not read yet", func(c *recorded, _ testing.TB) bool {
		return !c.hasBearer() && (c.brings("__clerk_handshake") || c.brings("__clerk_handshake_nonce"))
	}},
	{"handshake", "browsers are not sent to Clerk yet", func(c *recorded, tb testing.TB) bool {
		want, _ := c.expected(tb)
		return want.Status == handshake
	}},
	{"refresh", "expired sessions are not refreshed yet", func(c *recorded, _ testing.TB) bool {
		return c.cookieStartsWith("__refresh") && (c.Expect.TokenSource == "new" || c.Expect.Status == refused)
	}},
	{"development browser", "the cookie of a development browser is not read yet", func(c *recorded, _ testing.TB) bool {
		return strings.HasPrefix(c.Expect.Reason, "dev-browser-")
	}},
}

func (c *recorded) hasBearer() bool {
	_, found := c.bearer()
	return found
}

// asks reports a query parameter.
func (c *recorded) asks(name string) bool {
	_, query, _ := strings.Cut(c.Request.target(), "?")
	for pair := range strings.SplitSeq(query, "&") {
		if key, _, _ := strings.Cut(pair, "="); key == name {
			return true
		}
	}
	return false
}

// brings reports a query parameter or a cookie.
func (c *recorded) brings(name string) bool {
	_, cookie := c.Request.cookies()[name]
	return cookie || c.asks(name)
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
