package conformance_test

import (
	"slices"
	"strconv"
	"strings"
)

// requestRules are about what a request carries around its token.
var requestRules = []rule{
	{
		name: "several Authorization headers",
		why:  "two credentials are an attack or a mistake, and readers differ on which one counts",
		when: func(c *recorded, _ outcome) bool { return len(c.Request.values("Authorization")) > 1 },
		hold: refuseFor("multiple-authorization-headers"),
	},
	{
		name:   "scheme in any case",
		why:    "RFC 9110 11.1: the name of a scheme is case-insensitive; the token is judged all the same",
		kinder: true,
		when: func(c *recorded, _ outcome) bool {
			scheme, _, found := strings.Cut(strings.Join(c.Request.values("Authorization"), ", "), " ")
			return found && scheme != "Bearer" && strings.EqualFold(scheme, "Bearer")
		},
		hold: func(c *recorded, want *outcome) {
			_, raw, _ := strings.Cut(strings.Join(c.Request.values("Authorization"), ", "), " ")
			want.admit(parseToken(raw))
		},
	},
	{
		name:   "null payload beside a bearer token",
		why:    "a cookie cannot take away what a good bearer token says",
		kinder: true,
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && c.nullPayload() && c.hasBearer()
		},
		hold: func(c *recorded, want *outcome) { want.admit(c.deciding()) },
	},
	{
		name: "null payload",
		why:  "a payload that is null is a malformed token, not a crash",
		when: func(c *recorded, want outcome) bool {
			return want.Status == refused && c.nullPayload() && !c.hasBearer()
		},
		hold: workOut,
	},
	{
		name: "refresh is not told",
		why:  "expired sessions are not refreshed yet, so an expired token's reason has nothing appended",
		when: func(_ *recorded, want outcome) bool {
			return want.Status == signedOut && strings.HasPrefix(want.Reason, expired+"-refresh-")
		},
		hold: refuseFor(expired),
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

// admit makes the outcome signed in as the token says.
func (o *outcome) admit(t *token) {
	*o = outcome{Status: signedIn, Headers: map[string]string{}, Auth: t.identity()}
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
		mask, _ := strconv.ParseUint(masks[i], 10, 64)
		i++
		for bit, action := range strings.Split(text(org["per"]), ",") {
			if mask>>bit&1 == 1 {
				who.OrgPermissions = append(who.OrgPermissions, "org:"+name+":"+action)
			}
		}
	}
	slices.Sort(who.OrgPermissions)
	return who
}
