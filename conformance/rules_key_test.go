package conformance_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// keyRules are about the keys a token is verified with.
var keyRules = []rule{
	{
		name: "keys cannot be had",
		why:  "whatever keeps the keys away, the reason is one: nobody can tell now",
		when: func(c *recorded, want outcome) bool {
			return want.Status == signedOut && c.deciding().complete() && (want.Reason == "secret-key-invalid" || want.Reason == "unexpected-error" && !c.deciding().unreadableOrganization())
		},
	},
	{
		name: "unusable keys are no keys",
		why:  "a key of another algorithm, use or size, one with its private half, or two under one name is left out of the set",
		when: func(c *recorded, want outcome) bool {
			kid, _ := c.deciding().head["kid"].(string)
			set, ok := c.keySet()
			seen := want.stage() >= key || want.Reason == "token-invalid" && c.badForm(c.deciding()) == ""
			return ok && seen && !c.pins() && (!set.hasKey() || set.names(kid) && len(set.usable()[kid]) != 1)
		},
	},
	{
		name: "key fetch is not repeated",
		why:  "a request waits for one fetch of the keys; what failed is tried again by a later request",
		when: func(c *recorded, want outcome) bool {
			r, ok := c.keyRoute()
			return ok && want.stage() > key && !c.pins() && (r.NetworkError || r.Status != 0 && r.Status != http.StatusOK)
		},
	},
	{
		name: "a retired key is no sign-out",
		why:  "a browser whose token has expired comes with the key of its last visit, which may be published no more: it is sent to Clerk as one without a token is",
		when: func(c *recorded, want outcome) bool {
			return want.Status == signedOut && c.keyRetired(want.Reason, c.deciding())
		},
	},
	{
		name:    "JWTKey is a key",
		why:     "what is not the PEM of one RSA key is found at the start, not by every token",
		when:    func(c *recorded, _ outcome) bool { return c.pins() && c.pinnedKey() == nil },
		refuses: true,
	},
	{
		name:   "key in other spellings",
		why:    "a PEM is parsed, not cut out as text: PKCS #1, larger keys and escaped line breaks are the same key",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			pem, _ := c.Options.text("jwtKey")
			return want.Status != refused && c.pinnedKey() != nil && !plainPEM.MatchString(pem)
		},
	},
}

// plainPEM is the one spelling of a key that the reference can cut out: a modulus of 2048 bits in the form of RFC 5280.
var plainPEM = regexp.MustCompile(`^-----BEGIN PUBLIC KEY-----[\r\n]*MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA[A-Za-z0-9+/\r\n]*IDAQAB[\r\n]*-----END PUBLIC KEY-----[\r\n]*$`)

// keyRetired reports that the session cookie's token is this instance's, has expired, and has a key that is no longer published.
func (c *recorded) keyRetired(reason string, t *token) bool {
	exp, ok := seconds(t.claims["exp"])
	return reason == "jwk-kid-mismatch" && ok && exp <= c.Now && !c.hasBearer() && slices.Contains(c.issuers(), text(t.claims["iss"]))
}

// pins reports that the case has a JWTKey, and so asks nobody for keys.
func (c *recorded) pins() bool {
	s, _ := c.Options.text("jwtKey")
	return s != ""
}

// keyRoute is the first answer of the recorded JWKS endpoint.
func (c *recorded) keyRoute() (response, bool) {
	for _, r := range c.Backend {
		if strings.HasSuffix(r.Path, "/jwks") && len(r.Responses) > 0 {
			return r.Responses[0], true
		}
	}
	return response{}, false
}

type keySet []map[string]any

// keySet is the recorded JWKS document.
func (c *recorded) keySet() (keySet, bool) {
	r, ok := c.keyRoute()
	if !ok || r.Status != 0 && r.Status != http.StatusOK {
		return nil, false
	}
	if known, ok := keySets.Load(string(r.JSON)); ok {
		set, _ := known.(keySet)
		return set, set != nil
	}
	var document struct {
		Keys keySet `json:"keys"`
	}
	if json.Unmarshal(r.JSON, &document) == nil && document.Keys == nil {
		document.Keys = keySet{}
	}
	keySets.Store(string(r.JSON), document.Keys)
	return document.Keys, document.Keys != nil
}

// keySets are the documents that were read, by their text: most cases have the same few.
var keySets sync.Map

func (s keySet) names(kid string) bool {
	for _, k := range s {
		if k["kid"] == kid {
			return true
		}
	}
	return false
}

// usable are the keys' moduli by kid, each once.
func (s keySet) usable() map[string]map[string]bool {
	found := map[string]map[string]bool{}
	for _, k := range s {
		kid, _ := k["kid"].(string)
		modulus, _ := k["n"].(string)
		if kid == "" || !usableKey(k) {
			continue
		}
		if found[kid] == nil {
			found[kid] = map[string]bool{}
		}
		found[kid][modulus] = true
	}
	return found
}

// hasKey reports a key that is usable under its kid.
func (s keySet) hasKey() bool {
	for _, keys := range s.usable() {
		if len(keys) == 1 {
			return true
		}
	}
	return false
}

func usableKey(k map[string]any) bool {
	modulus, _ := k["n"].(string)
	n, err := base64.RawURLEncoding.DecodeString(modulus)
	_, private := k["d"]
	return k["kty"] == "RSA" && err == nil && len(n) >= 256 && !private &&
		(k["alg"] == nil || k["alg"] == "RS256") && (k["use"] == nil || k["use"] == "sig") && verifies(k["key_ops"])
}

// verifies reports key_ops that allow verifying, or say nothing.
func verifies(ops any) bool {
	list, given := ops.([]any)
	for _, op := range list {
		if op == "verify" {
			return true
		}
	}
	return !given
}
