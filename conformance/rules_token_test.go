package conformance_test

import (
	"encoding/json"
	"slices"
	"strings"
)

// A stage is how far a token got, in the order in which both check it.
type stage int

const (
	nowhere stage = iota // no token decided
	form
	kind
	clientUAT
	key
	algorithm
	signature
	subject
	party
	issuer
	dateForm
	dates
	accepted
)

var stageOf = map[string]stage{
	"token-invalid":                       form,
	"token-type-mismatch":                 kind,
	"session-token-iat-before-client-uat": clientUAT,
	"jwk-kid-mismatch":                    key,
	"jwk-remote-failed-to-load":           key,
	"jwk-failed-to-resolve":               key,
	"secret-key-invalid":                  key,
	"unexpected-error":                    key,
	"token-invalid-algorithm":             algorithm,
	"token-invalid-signature":             signature,
	"token-verification-failed":           subject,
	"token-invalid-authorized-parties":    party,
	"token-invalid-issuer":                issuer,
	"session-token-nbf":                   dates,
	"session-token-iat-in-the-future":     dates,
	"session-token-expired":               dates,
	"primary-domain-cross-origin-sync":    accepted,
	"active-organization-mismatch":        accepted,
}

// stage is how far the case's token got with the reference.
func (o outcome) stage() stage {
	if o.Status == signedIn {
		return accepted
	}
	if strings.HasPrefix(o.Reason, expired) {
		return dates
	}
	return stageOf[o.Reason]
}

// reached is how far the deciding token got: one reason is of the claims before the allowlist and of the dates behind it.
func (c *recorded) reached(want outcome) stage {
	t, wanted := c.deciding(), meaningful(c.Options, "audience")
	_, named := t.claims["sub"].(string)
	if want.Reason == "token-verification-failed" && named && (len(wanted) == 0 || aimedAt(t.claims["aud"], wanted)) && !t.unreadableOrganization() {
		return dateForm
	}
	return want.stage()
}

// stricter is a rule about a token that is refused here at a stage that the reference lets it pass.
func stricter(name, why string, at stage, fails func(c *recorded, t *token) bool) rule {
	return rule{
		name: name, why: why,
		when: func(c *recorded, want outcome) bool {
			return c.reached(want) > at && fails(c, c.deciding())
		},
	}
}

// tokenRules are about the contents of a token, in the order in which they are checked.
var tokenRules = []rule{
	stricter("not objects", "a header or payload that is not a JSON object is a malformed token, whatever else it is",
		form, func(_ *recorded, t *token) bool {
			return t.headerKind != "" && t.claimsKind != "" && !t.complete()
		}),
	stricter("extended header", "RFC 7515 4.1.11: a critical extension that is not understood is refused, and so is a token that brings its own key",
		form, func(_ *recorded, t *token) bool {
			return slices.ContainsFunc([]string{"crit", "b64", "enc", "zip", "jwk", "jku", "x5u", "x5c"}, func(name string) bool {
				_, there := t.head[name]
				return there
			})
		}),
	stricter("doubled names", "two readers of a name that stands twice may each believe another value",
		form, func(_ *recorded, t *token) bool { return t.doubled }),
	stricter("one spelling", "JWS has no padding and no byte-order mark, and a signature has one spelling",
		form, func(_ *recorded, t *token) bool { return t.padded() || t.marked }),
	{
		name: "machine credentials are recognised",
		why:  "an API key, an M2M token or an OAuth token is not a malformed session token but another kind of token",
		when: func(c *recorded, want outcome) bool {
			return want.stage() == form && slices.ContainsFunc([]string{"ak_", "mt_", "oat_"}, func(prefix string) bool {
				return strings.HasPrefix(c.deciding().raw, prefix)
			})
		},
	},
	stricter("kid is a string", "a kid of another type names no key",
		clientUAT, func(c *recorded, t *token) bool {
			_, text := t.head["kid"].(string)
			return t.complete() && !text && !c.pins()
		}),
	stricter("kid of no key", "a kid that stands in no document names no key, however an object of JavaScript answers to it, and none is fetched for an empty one",
		clientUAT, func(c *recorded, t *token) bool {
			kid, text := t.head["kid"].(string)
			set, ok := c.keySet()
			return text && (ok || kid == "") && !c.pins() && !set.names(kid)
		}),
	stricter("RS256 only", "Clerk signs with RS256, so nothing else is a Clerk token",
		algorithm, func(_ *recorded, t *token) bool {
			return t.head["alg"] == "RS384" || t.head["alg"] == "RS512"
		}),
	stricter("user and session are named", "a session without a user or without an id belongs to no one",
		subject, func(_ *recorded, t *token) bool {
			return t.complete() && (!filled(t.claims["sub"]) || !filled(t.claims["sid"]))
		}),
	stricter("audience is enforced", "an audience that is configured must be there and be among those",
		subject, func(c *recorded, t *token) bool {
			wanted := meaningful(c.Options, "audience")
			return t.complete() && len(wanted) > 0 && !aimedAt(t.claims["aud"], wanted)
		}),
	{
		name: "no azp is said so",
		why:  "a token that does not say for whom it was minted has a reason of its own, for a handshake can change it",
		when: func(c *recorded, want outcome) bool {
			_, there := c.deciding().claims["azp"]
			return want.stage() == party && !there && len(c.parties()) > 0
		},
	},
	stricter("issuer is the instance's", "a key says which instance signed only together with the issuer",
		issuer, func(c *recorded, t *token) bool {
			iss, _ := t.claims["iss"].(string)
			return t.complete() && !slices.Contains(c.issuers(), iss)
		}),
	{
		name: "date of issue is a number",
		why:  "what is no number of seconds is neither before nor after anything",
		when: func(c *recorded, want outcome) bool {
			return want.stage() == clientUAT && !c.deciding().dated("iat")
		},
	},
	stricter("dates are integers of this age", "a date with a fraction, or beyond the year 9999, is not one that Clerk writes",
		dateForm, func(_ *recorded, t *token) bool {
			return t.complete() && slices.ContainsFunc([]string{"exp", "nbf", "iat"}, func(name string) bool {
				return !plainDate(t.claims[name])
			})
		}),
}

func filled(v any) bool {
	s, ok := v.(string)
	return ok && s != ""
}

// aimedAt reports an aud that names one of wanted, and is a string or strings.
func aimedAt(aud any, wanted []string) bool {
	if s, ok := aud.(string); ok {
		return slices.Contains(wanted, s)
	}
	list, _ := aud.([]any)
	hit := false
	for _, entry := range list {
		s, ok := entry.(string)
		if !ok {
			return false
		}
		hit = hit || slices.Contains(wanted, s)
	}
	return hit
}

// plainDate reports an absent date or a whole number of seconds before the year 10000.
func plainDate(v any) bool {
	if v == nil {
		return true
	}
	n, ok := v.(json.Number)
	if !ok {
		return true // another type: the reference refuses it as well
	}
	seconds, err := n.Float64()
	return err == nil && seconds == float64(int64(seconds)) && seconds < 253402300800 && seconds > -62135596800
}
