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
			secret := c.secret()
			return want.Status == refused && secret == "" && frontendHost(c) != ""
		},
		kinder: true,
	},
	{
		name: "Frontend API on this machine",
		why:  "a host without a dot is this machine's own name, which a proxy or a test may have",
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && loopback(frontendHost(c)) && c.Options.given("secretKey")
		},
	},
	{
		name:    "publishable key is strict",
		why:     "a publishable key is pk_live_ or pk_test_ and the base64 of a host and a dollar sign, nothing else",
		when:    func(c *recorded, _ outcome) bool { return frontendHost(c) == "" },
		refuses: true,
	},
	{
		name: "secret key is strict",
		why:  "a secret key of another form, or of the other kind of instance, can never work",
		when: func(c *recorded, _ outcome) bool {
			secret := c.secret()
			public := c.public()
			return secret != "" && strings.HasPrefix(public, "pk_") && !strings.HasPrefix(secret, "sk_"+public[3:min(len(public), 8)])
		},
		refuses: true,
	},
	{
		name: "Backend API is a URL",
		why:  "a Backend API address that is no URL can never work",
		when: func(c *recorded, _ outcome) bool {
			address, _ := c.Options.text("apiUrl")
			u, err := url.Parse(address)
			return address != "" && (err != nil || u.Host == "")
		},
		refuses: true,
	},
	{
		name: "skew of a minute",
		why:  "a tolerance of more than a minute keeps ended sessions alive",
		when: func(c *recorded, _ outcome) bool {
			skew, ok := c.Options.skew()
			return ok && skew.Minutes() > 1
		},
		refuses: true,
	},
	{
		name:    "proxy is an address",
		why:     "a proxy is an absolute https URL, http on this machine or in development, or a path that stays one; anything else leads astray",
		when:    func(c *recorded, _ outcome) bool { return c.proxy() != "" && !c.proxyIsPlain() },
		refuses: true,
	},
	{
		name: "proxy in capitals",
		why:  "the scheme of a URL is the same in any case",
		when: func(c *recorded, want outcome) bool {
			scheme, _, _ := strings.Cut(c.proxy(), "://")
			return scheme != strings.ToLower(scheme) && want.Location != nil
		},
	},
	{
		name:   "white space around keys",
		why:    "a key or an address is often read from a file or a variable with a line break at its end, which is no part of it",
		kinder: true,
		when: func(c *recorded, _ outcome) bool {
			public, _ := c.Options.text("publishableKey")
			secret, _ := c.Options.text("secretKey")
			proxy, _ := c.Options.text("proxyUrl")
			parties, _ := c.Options.list("authorizedParties")
			return public != c.public() || secret != c.secret() || proxy != c.proxy() || !slices.Equal(parties, c.parties())
		},
	},
	{
		name:   "satellite's domain is a host",
		kinder: true, // the cookies of this domain count
		why:    "a host is the same in capitals; and Clerk's guide writes a satellite on this machine with its scheme, from which no host is made",
		when: func(c *recorded, _ outcome) bool {
			domain, _ := c.Options.text("domain")
			return c.satellite() && domain != c.domain()
		},
	},
	{
		name: "satellite has a bare host",
		why:  "a satellite's domain is a host and nothing around it",
		when: func(c *recorded, _ outcome) bool {
			domain := c.domain()
			return c.satellite() && domain != "" && strings.ContainsAny(domain, "/?#@")
		},
		refuses: true,
	},
	{
		name: "sign-in page is on the primary domain",
		why:  "an address that is relative, or on the satellite itself, cannot be where the primary domain signs people in",
		when: func(c *recorded, _ outcome) bool {
			signIn, _ := c.Options.text("signInUrl")
			domain := c.domain()
			u, err := url.Parse(signIn)
			return c.satellite() && (signIn == "" && c.development() || signIn != "" && (err != nil || u.Host == "" || u.Host == domain))
		},
		refuses: true,
	},
	{
		name: "patterns name a part once",
		why:  "of two parts with one name it cannot be told which one counts",
		when: func(c *recorded, _ outcome) bool {
			return slices.ContainsFunc(c.patterns(), func(pattern string) bool {
				names, _ := matchPath(pattern, "")
				names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
				slices.Sort(names)
				return len(slices.Compact(slices.Clone(names))) < len(names)
			})
		},
		refuses: true,
	},
	{
		name: "entries that match nothing",
		why:  "an entry that is not an origin, or is plain http with live keys, would let nobody in, and is found at the start",
		when: func(c *recorded, _ outcome) bool {
			return slices.ContainsFunc(c.parties(), func(entry string) bool { return !c.canMatch(entry) })
		},
		refuses: true,
	},
}

// readablePattern is the syntax of path-to-regexp 6: text, parameters and groups, with modifiers or without.
var readablePattern = regexp.MustCompile(`^(?:` + parameter + `[*+?]?|\{` + plainText + `*(?:` + parameter + `)?` + plainText + `*\}[*+?]?|` + plainText + `)*$`)

const (
	plainText = `(?:[^*+?{}:()\\]|\\.)`
	parameter = `(?::\w+(?:` + group + `)?|` + group + `)`
	group     = `\((?:[^?()\\]|\\.)(?:[^()\\]|\\.|\(\?[^()]*\))*\)`
)

// refusedAtStart reports options that New refuses.
func (c *recorded) refusedAtStart() bool {
	malformed := slices.ContainsFunc(c.patterns(), func(pattern string) bool { return !readablePattern.MatchString(pattern) })
	keyless := slices.Contains(c.accepts(), apiKey) && c.secret() == "" // none could be verified
	return keyless || malformed || c.satellite() && c.domain() == "" && c.proxy() == "" || slices.ContainsFunc(configRules, func(r rule) bool {
		return r.refuses && r.when(c, outcome{})
	}) || c.pins() && c.pinnedKey() == nil
}

// proxyIsPlain reports a proxy that New takes.
func (c *recorded) proxyIsPlain() bool {
	u, err := url.Parse(c.proxy())
	if err != nil || u.User != nil || strings.ContainsAny(c.proxy(), "?# ") {
		return false
	}
	if strings.HasPrefix(c.proxy(), "/") {
		return u.Host == "" && !strings.Contains(u.Path, "//") && !strings.Contains(u.Path, "/.")
	}
	return u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && (c.development() || loopback(u.Hostname())))
}

var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?$`)

// frontendHost is the host that the publishable key names, or "" if it is malformed.
func frontendHost(c *recorded) string {
	public := c.public()
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
	own := []string{"https://" + frontendHost(c)}
	if domain := c.domain(); c.satellite() && domain != "" {
		own = append(own, "https://clerk."+domain)
	}
	if proxy := c.proxy(); strings.HasPrefix(proxy, "http") {
		own = append(own, strings.TrimRight(proxy, "/"))
	} else if path := strings.TrimRight(proxy, "/"); path != "" {
		for _, party := range c.parties() {
			own = append(own, party+path)
		}
	}
	return own
}

// ownHost is the Frontend API of this domain: what a plain cookie's issuer must name to be this instance's.
func (c *recorded) ownHost() string {
	if domain := c.domain(); c.satellite() && domain != "" && !c.development() {
		return "clerk." + domain
	}
	return frontendHost(c)
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
	public := c.public()
	return u.Scheme != "http" || strings.HasPrefix(public, "pk_test_") || loopback(u.Hostname())
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || err == nil && address.IsLoopback()
}
