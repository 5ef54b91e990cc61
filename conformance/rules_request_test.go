package conformance_test

import (
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// requestRules are about what a request carries around its token.
var requestRules = []rule{
	{
		name: "several Authorization headers",
		why:  "two credentials are an attack or a mistake, and readers differ on which one counts",
		when: func(c *recorded, _ outcome) bool { return len(c.Request.values("Authorization")) > 1 },
	},
	{
		name:   "scheme in any case",
		why:    "RFC 9110 11.1: the name of a scheme is case-insensitive; the token is judged all the same",
		kinder: true,
		when: func(c *recorded, _ outcome) bool {
			scheme, _, found := strings.Cut(strings.Join(c.Request.values("Authorization"), ", "), " ")
			return found && scheme != "Bearer" && strings.EqualFold(scheme, "Bearer")
		},
	},
	{
		name:   "spaces before the token",
		why:    "RFC 6750 2.1: one or more spaces stand between the scheme and the token",
		kinder: true,
		when: func(c *recorded, _ outcome) bool {
			_, rest, _ := strings.Cut(strings.Join(c.Request.values("Authorization"), ", "), " ")
			return strings.HasPrefix(rest, " ")
		},
	},
	{
		name:   "null payload beside a bearer token",
		why:    "a cookie cannot take away what a good bearer token says",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && c.nullPayload() && c.hasBearer()
		},
	},
	{
		name: "another application's session cookie",
		why:  "a cookie of this name that is no session token of this instance, where nobody is said to be signed in, is another application's: it is left alone",
		when: func(c *recorded, want outcome) bool {
			return want.Status != refused && want.Status != signedIn && !c.hasBearer() && len(c.candidates()) > 0 && c.judged().foreign
		},
	},
	{
		name:   "null payload",
		kinder: true, // a good cookie beside it decides
		why:    "a payload that is null is a malformed token, not a crash",
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && c.nullPayload() && !c.hasBearer()
		},
	},
	{
		name: "null header",
		why:  "a header that is null is a malformed token, not a crash",
		when: func(c *recorded, want outcome) bool {
			raw, _ := c.bearer()
			return want.Status == refused && parseToken(raw).headerKind == "null"
		},
	},
}

func (c *recorded) nullPayload() bool {
	for name, value := range c.Request.cookies() {
		if strings.HasPrefix(name, "__session") && parseToken(value).claimsKind == "null" {
			return true
		}
	}
	return false
}

// identity is whom a well-formed session token names.
func (t *token) identity() *identity {
	who := &identity{
		UserID: text(t.claims["sub"]), SessionID: text(t.claims["sid"]), Pending: t.claims["sts"] == "pending",
		FirstFactorAge: never, SecondFactorAge: never,
	}
	who.readAges(t.claims["fva"])
	actor, _ := t.claims["act"].(map[string]any)
	who.ActorSubject, who.ActorSession = text(actor["sub"]), text(actor["sid"])
	if version, _ := t.claims["v"].(json.Number); version != "2" {
		who.OrgID, who.OrgSlug, who.OrgRole = text(t.claims["org_id"]), text(t.claims["org_slug"]), text(t.claims["org_role"])
		who.readPermissions(t.claims["org_permissions"])
		return who
	}
	org, _ := t.claims["o"].(map[string]any)
	who.OrgID, who.OrgSlug, who.OrgRole = text(org["id"]), text(org["slg"]), text(org["rol"])
	if who.OrgRole != "" {
		who.OrgRole = "org:" + who.OrgRole
	}
	masks, i := strings.Split(text(org["fpm"]), ","), 0
	for feature := range strings.SplitSeq(text(t.claims["fea"]), ",") {
		scope, name, _ := strings.Cut(feature, ":")
		if !strings.Contains(scope, "o") || i >= len(masks) {
			continue
		}
		mask := maskOf(masks[i])
		i++
		for bit, action := range strings.Split(text(org["per"]), ",") {
			if mask != nil && mask.Bit(bit) == 1 && strings.TrimSpace(action) != "" {
				who.OrgPermissions = append(who.OrgPermissions, "org:"+strings.TrimSpace(name)+":"+strings.TrimSpace(action))
			}
		}
	}
	slices.Sort(who.OrgPermissions)
	return who
}

var digits = regexp.MustCompile(`^[0-9]+$`)

// maskOf is a permission map in decimal; nil if it is none.
func maskOf(s string) *big.Int {
	s = strings.TrimSpace(s)
	if !digits.MatchString(s) {
		return nil
	}
	mask, _ := new(big.Int).SetString(s, 10)
	return mask
}
