package conformance_test

import (
	"encoding/json"
	"slices"
	"strings"
)

// claimRules are about what a good token says of its user, and how that is read.
var claimRules = []rule{
	{
		name:  "mistyped claims are dropped",
		why:   "a claim of a type that Clerk does not write says nothing, and what asks for it is denied",
		when:  func(_ *recorded, want outcome) bool { return want.Auth != nil },
		reads: func(_ *token, who *identity) { who.Mistyped = nil },
	},
	{
		name: "unreadable organization claims",
		why:  "features and permissions that cannot be read make the token unusable, for a cookie and a header alike",
		when: func(c *recorded, want outcome) bool {
			return (want.stage() > subject || want.Reason == "unexpected-error") && c.deciding().unreadableOrganization()
		},
	},
	{
		name: "organization without an id",
		why:  "a role or permission belongs to an organization, and one without an id is none",
		when: func(_ *recorded, want outcome) bool { return want.Auth != nil },
		reads: func(_ *token, who *identity) {
			if who.OrgID == "" {
				who.OrgRole, who.OrgSlug, who.OrgPermissions = "", "", nil
			}
		},
	},
	{
		name: "role has one prefix",
		why:  "org: says what kind of name follows, and is said once",
		when: func(_ *recorded, want outcome) bool { return want.Auth != nil },
		reads: func(t *token, who *identity) {
			org, _ := t.claims["o"].(map[string]any)
			if role, ok := org["rol"].(string); who.OrgRole != "" && org["rol"] != nil && (!ok || strings.HasPrefix(role, "org:")) {
				who.OrgRole = role
			}
		},
	},
	{
		name: "permission has a name",
		why:  "a permission or a feature without a name is not one",
		when: func(_ *recorded, want outcome) bool { return want.Auth != nil },
		reads: func(_ *token, who *identity) {
			who.OrgPermissions = slices.DeleteFunc(who.OrgPermissions, func(p string) bool {
				return strings.HasPrefix(p, "org::") || strings.HasSuffix(p, ":")
			})
		},
	},
	{
		name: "factors without an issue date",
		why:  "ages of factors count from iat: a token without one does not say when they were verified",
		when: func(_ *recorded, want outcome) bool { return want.Auth != nil },
		reads: func(t *token, who *identity) {
			if t.claims != nil && t.claims["iat"] == nil {
				who.FirstFactorAge, who.SecondFactorAge = never, never
			}
		},
	},
	{
		name: "actor is never overlooked",
		why:  "an actor that cannot be read is still one: an impersonation must not look like the user alone",
		when: func(_ *recorded, want outcome) bool { return want.Auth != nil },
		reads: func(t *token, who *identity) {
			if who.ActorSubject == "" && t.claims["act"] != nil {
				who.ActorSubject = "unknown"
			}
		},
	},
}

// unreadableOrganization reports a version-2 token with an organization whose
// features or permissions are not in Clerk's form.
func (t *token) unreadableOrganization() bool {
	version, _ := t.claims["v"].(json.Number)
	if v, err := version.Float64(); err != nil || v != 2 || !truthy(t.claims["o"]) {
		return false
	}
	org, _ := t.claims["o"].(map[string]any)
	for _, claim := range []any{org["per"], org["fpm"], t.claims["fea"]} {
		if _, ok := claim.(string); claim != nil && !ok {
			return true
		}
	}
	features, _ := t.claims["fea"].(string)
	if features == "" {
		return false
	}
	return slices.ContainsFunc(strings.Split(features, ","), func(entry string) bool {
		return !strings.Contains(entry, ":")
	})
}

// truthy is what JavaScript takes for true.
func truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case json.Number:
		f, err := v.Float64()
		return err == nil && f != 0
	}
	return true
}
