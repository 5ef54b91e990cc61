package conformance_test

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// configRules are about options that New refuses, or does not need.
var configRules = []rule{
	{
		name: "secret key is optional",
		why:  "keys come from the Frontend API or from JWTKey: only refresh, nonces and the Backend API need a secret",
		when: func(c *recorded, want outcome) bool {
			secret, _ := c.Options.text("secretKey")
			return want.Status == refused && secret == "" && frontendHost(c) != ""
		},
		kinder: true,
		hold:   workOut,
	},
	{
		name: "Frontend API on this machine",
		why:  "a host without a dot is this machine's own name, which a proxy or a test may have",
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && loopback(frontendHost(c)) && c.Options.given("secretKey")
		},
		hold: workOut,
	},
	{
		name: "publishable key is strict",
		why:  "a publishable key is pk_live_ or pk_test_ and the base64 of a host and a dollar sign, nothing else",
		when: func(c *recorded, _ outcome) bool { return frontendHost(c) == "" },
		hold: refuseOptions,
	},
	{
		name: "secret key is strict",
		why:  "a secret key of another form, or of the other kind of instance, can never work",
		when: func(c *recorded, _ outcome) bool {
			secret, _ := c.Options.text("secretKey")
			public, _ := c.Options.text("publishableKey")
			return secret != "" && strings.HasPrefix(public, "pk_") && !strings.HasPrefix(secret, "sk_"+public[3:min(len(public), 8)])
		},
		hold: refuseOptions,
	},
	{
		name: "Backend API is a URL",
		why:  "a Backend API address that is no URL can never work",
		when: func(c *recorded, _ outcome) bool {
			address, _ := c.Options.text("apiUrl")
			u, err := url.Parse(address)
			return address != "" && (err != nil || u.Host == "")
		},
		hold: refuseOptions,
	},
	{
		name: "skew of a minute",
		why:  "a tolerance of more than a minute keeps ended sessions alive",
		when: func(c *recorded, _ outcome) bool {
			skew, ok := c.Options.skew()
			return ok && skew.Minutes() > 1
		},
		hold: refuseOptions,
	},
	{
		name: "entries that match nothing",
		why:  "an entry that is not an origin, or is plain http with live keys, would let nobody in, and is found at the start",
		when: func(c *recorded, _ outcome) bool {
			return slices.ContainsFunc(c.parties(), func(entry string) bool { return !c.canMatch(entry) })
		},
		hold: refuseOptions,
	},
}

var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?$`)

// frontendHost is the host that the publishable key names, or "" if it is malformed.
func frontendHost(c *recorded) string {
	public, _ := c.Options.text("publishableKey")
	rest, live := strings.CutPrefix(public, "pk_live_")
	if !live {
		var test bool
		if rest, test = strings.CutPrefix(public, "pk_test_"); !test {
			return ""
		}
	}
	if strings.HasSuffix(rest, "=") && len(rest)%4 != 0 {
		return ""
	}
	text, err := base64.RawStdEncoding.Strict().DecodeString(strings.TrimRight(rest, "="))
	host, found := strings.CutSuffix(string(text), "$")
	if err != nil || !found || !hostName.MatchString(host) {
		return ""
	}
	return host
}

// issuers are those that the case's options make ours.
func (c *recorded) issuers() []string {
	if given := meaningful(c.Options, "issuer"); len(given) > 0 {
		return given
	}
	return []string{"https://" + frontendHost(c)}
}

// canMatch reports an entry of the allowlist that some token could match.
func (c *recorded) canMatch(entry string) bool {
	if _, ok := browserOrigin(entry); !ok {
		return false
	}
	u, err := url.Parse(entry)
	if err != nil || u.Scheme == "ws" || u.Scheme == "wss" {
		return false
	}
	public, _ := c.Options.text("publishableKey")
	return u.Scheme != "http" || strings.HasPrefix(public, "pk_test_") || loopback(u.Hostname())
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}
