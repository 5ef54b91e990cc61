package conformance_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// A cause is why a case cannot be run with this library.
type cause struct {
	name string
	why  string
	hit  func(c *recorded, tb testing.TB) bool
}

// causes are all causes, and the first that applies counts: things that cannot be expressed in Go's types, or options that
// this library does not have.
var causes = []cause{
	{"mistyped option", "the option has a type that does not fit Config's field", mistyped},
	{"negative clock skew", "ClockSkew says none with a negative value", func(c *recorded, _ testing.TB) bool {
		return strings.HasPrefix(string(c.Options["clockSkewInMs"]), "-")
	}},
	{"other meaning of a list entry", "entries are normalised and may be wildcards here, the reference compares them byte by byte", func(c *recorded, _ testing.TB) bool {
		return otherMeaning(c.parties())
	}},
	{"acceptsToken of nothing", "a list of credentials that is empty, or has one that there is not, does not compile", func(c *recorded, _ testing.TB) bool {
		return c.Options.given("acceptsToken") && string(c.Options["acceptsToken"]) != `"session_token"` && len(c.accepts()) == 0
	}},
	{"headerType", "the typ of a session token is fixed", func(c *recorded, _ testing.TB) bool {
		return c.Options.given("headerType") && !c.decidesMachine()
	}},
	{"apiVersion", "the version of the Backend API is fixed", optionGiven("apiVersion")},
	{"environment of a host", "a proxy is configured, never guessed from the variables of a hosting company", func(c *recorded, _ testing.TB) bool {
		return len(c.Env) > 0
	}},
	{"bytes that are no text", "net/http keeps bytes that are not UTF-8, which fetch reads as other characters, in an address and in JSON", func(c *recorded, _ testing.TB) bool {
		seen := c.Expect.Location != nil || c.reference().refreshes()
		return seen && slices.ContainsFunc(c.Request.Headers, func(h [2]string) bool { return !utf8.ValidString(latin1(h[1])) })
	}},
	{"not a request", "net/http's server answers 400 before any handler runs", func(c *recorded, tb testing.TB) bool {
		_, err := c.Request.build(tb)
		return err != nil
	}},
}

func optionGiven(names ...string) func(*recorded, testing.TB) bool {
	return func(c *recorded, _ testing.TB) bool {
		return slices.ContainsFunc(names, c.Options.given)
	}
}

// mistyped reports an option whose value does not fit Config's field.
func mistyped(c *recorded, _ testing.TB) bool {
	for _, name := range []string{"publishableKey", "secretKey", "machineSecretKey", "jwtKey", "apiUrl", "proxyUrl", "domain", "signInUrl"} {
		if _, ok := c.Options.text(name); !ok {
			return true
		}
	}
	for _, name := range []string{"audience", "issuer"} {
		if _, ok := c.Options.texts(name); !ok {
			return true
		}
	}
	for _, name := range []string{"isSatellite", "satelliteAutoSync"} {
		if s := string(c.Options[name]); c.Options.given(name) && s != "true" && s != "false" {
			return true
		}
	}
	if s := string(c.Options["clockSkewInMs"]); strings.HasPrefix(s, `"`) {
		return true
	}
	_, ok := c.Options.list("authorizedParties")
	return !ok
}

// otherMeaning reports an entry that is an origin here, but not spelled the
// way a browser spells it, or a wildcard.
func otherMeaning(entries []string) bool {
	for _, entry := range entries {
		if o, ok := browserOrigin(entry); ok && o != entry {
			return true
		}
	}
	return false
}
