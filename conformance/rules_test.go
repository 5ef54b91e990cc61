package conformance_test

import (
	"maps"
	"slices"
	"testing"
)

// A rule is an intended difference from the reference. It says when it applies, by what the case contains and never by the
// case's name, and what is expected instead.
type rule struct {
	name    string
	why     string
	kinder  bool // may turn a refusal into signed-in
	refuses bool // New refuses the options
	last    bool // of a machine's rules none after it applies
	when    func(c *recorded, want outcome) bool
	change  func(c *recorded, want *outcome) // nil: the decision that is computed from the case
	reads   func(t *token, who *identity)    // instead of change: how the claims of who is signed in are read
}

// rules are all rules, in the order they are applied: what is sent along and how claims are read comes last.
var rules = slices.Concat(requestRules, originRules, handshakeRules, answerRules, refreshRules, keyRules, tokenRules,
	candidateRules, configRules, claimRules, responseRules, machineRules)

// kinderRules are the only rules that may let somebody in whom the reference refuses.
var kinderRules = []string{
	"null payload",
	"null payload beside a bearer token",
	"secret key is optional",
	"scheme in any case",
	"scheme in any case before a machine's credential",
	"null payload beside a machine's credential",
	"machine secret in a list",
	"Content-Type of an answer",
	"key of a machine's JWT",
	"key in other spellings",
	"every session cookie is a candidate",
	"a cookie that can be renewed decides",
	"failed answers fall through",
	"answer's content decides",
	"answers are for documents",
	"answers come to the application's own hosts",
	"answers come once, by their source",
	"nonces that nobody could exchange",
	"session cookie by its exact name",
	"session cookie's whole value",
	"directives are cookies",
	"a page's own writes are refreshed",
	"malformed refresh is none",
	"spaces before the token",
	"white space around keys",
	"satellite's domain is a host",
	"satellite not on the list",
	"satellite's address is none",
	"satellite is told by its configuration",
}

func isKinder(name string) bool { return slices.Contains(kinderRules, name) }

// TestOnlyNamedRulesLetAnybodyIn keeps the list of kinder rules short: a rule that says it is kinder but is not on the list
// fails here; one that does not say so fails in the run as soon as it lets somebody in.
func TestOnlyNamedRulesLetAnybodyIn(t *testing.T) {
	for _, r := range rules {
		if r.kinder && !isKinder(r.name) {
			t.Errorf("rule %q lets people in and is not on the list", r.name)
		}
		if r.why == "" {
			t.Errorf("rule %q lacks its reason", r.name)
		}
	}
}

// TestKinderRuleIsCaught proves that the run notices rules that let somebody in without saying so.
func TestKinderRuleIsCaught(t *testing.T) {
	in, out := outcome{Status: signedIn}, refusal("token-invalid")
	if !letsIn(in, out, []string{"codes are plain"}) {
		t.Error("a rule turned signed-out into signed-in unnoticed")
	}
	if letsIn(in, out, []string{"codes are plain", "every session cookie is a candidate"}) {
		t.Error("a rule that says that it lets people in was not taken for one")
	}
	if letsIn(in, outcome{Status: handshake, Reason: "active-organization-mismatch"}, nil) {
		t.Error("a session that is good for the reference too was taken for one that it refuses")
	}
	if !letsIn(in, outcome{Status: handshake, Reason: "session-token-nbf"}, nil) {
		t.Error("a handshake was turned into signed-in unnoticed")
	}
}

// clone keeps a rule from changing what another one still compares with.
func (o outcome) clone() outcome {
	o.Headers = maps.Clone(o.Headers)
	o.Cookies = slices.Clone(o.Cookies)
	o.Calls = slices.Clone(o.Calls)
	if o.Auth != nil {
		who := *o.Auth
		who.OrgPermissions = slices.Clone(who.OrgPermissions)
		o.Auth = &who
	}
	return o
}

// refusal is signed out for a reason, with the browser sent nowhere.
func refusal(reason string) outcome {
	return outcome{
		Status:  signedOut,
		Reason:  reason,
		Headers: map[string]string{statusHeader: signedOut, reasonHeader: reason},
	}
}

// admission is signed in as a token says.
func admission(t *token) outcome {
	who := t.identity()
	for _, r := range claimRules {
		if r.reads != nil {
			r.reads(t, who)
		}
	}
	return outcome{Status: signedIn, Headers: map[string]string{}, Auth: who, Pending: t.claims["sts"] == "pending"}
}

// refuseOptions expects that New refuses the options.
func refuseOptions(_ *recorded, want *outcome) { *want = outcome{Status: refused} }
