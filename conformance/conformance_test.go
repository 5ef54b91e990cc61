package conformance_test

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
)

// skipCause is the name of the first cause for skipping the case, or "".
func (c *recorded) skipCause(tb testing.TB) string {
	for _, cause := range causes {
		if cause.hit(c, tb) {
			return cause.name
		}
	}
	return ""
}

// TestConformance decides every recorded case with a fresh Authenticator.
func TestConformance(t *testing.T) {
	r := load(t)
	for _, family := range r.families {
		t.Run(family, func(t *testing.T) {
			for _, c := range r.cases[family] {
				t.Run(c.Name, func(t *testing.T) {
					t.Parallel()
					c.compare(t)
				})
			}
		})
	}
	t.Run("writes", func(t *testing.T) {
		for _, c := range writes(t) {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				c.compare(t)
			})
		}
	})
	t.Run("answers beside sessions", func(t *testing.T) {
		for _, c := range answersBesideSessions(t) {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				c.compare(t)
			})
		}
	})
	if r.builtIn && wholeRun() {
		everyCauseAndRuleIsUsed(t)
	}
}

// compare fails unless the decision is the reference's, as changed by the rules.
func (c *recorded) compare(t *testing.T) {
	if why := c.skipCause(t); why != "" {
		counted.skip(why)
		return
	}
	want, applied := c.expected(t)
	got := c.decide(t, c.parties())
	shown := want
	if want.Pending {
		shown.Token = "" // a session with a task to complete is signed out, and shows no token
	}
	lines := differences(got, shown)
	counted.held(applied, len(lines) == 0)
	if len(lines) > 0 {
		t.Errorf("the decision differs from the reference; rules applied: %q\n%s", applied, strings.Join(lines, "\n"))
	}
	if want.Pending {
		c.holdPending(t, want)
	}
}

// holdPending decides again with AllowPending, and fails unless the pending session is then signed in.
func (c *recorded) holdPending(t *testing.T, want outcome) {
	t.Helper()
	want.Pending = false
	got := c.decide(t, c.parties(), func(cfg *clerkauth.Config) { cfg.AllowPending = true })
	if lines := differences(got, want); len(lines) > 0 {
		t.Errorf("with AllowPending it differs:\n%s", strings.Join(lines, "\n"))
	}
}

// expected is the reference's decision as changed by the rules, and the names of those that changed it.
func (c *recorded) expected(tb testing.TB) (outcome, []string) {
	tb.Helper()
	change := c.decided
	if c.decidesMachine() {
		change = c.decidedForMachine
	}
	reference := c.reference()
	want, applied := change(reference)
	if letsIn(want, reference, applied) {
		tb.Errorf("the rules %q turn %s into signed-in", applied, reference.Status)
	}
	return want, applied
}

// letsIn reports rules that let somebody in without declaring it. A handshake is no refusal if the person's session is valid
// but may have changed elsewhere.
func letsIn(want, reference outcome, applied []string) bool {
	return want.Status == signedIn && reference.stage() != accepted && !slices.ContainsFunc(applied, isKinder)
}

// decided applies every rule to the reference's decision, so that none hides another. All rules that decide must compute
// the same decision from the case; the others change a part of the reference's decision.
func (c *recorded) decided(reference outcome) (want outcome, applied []string) {
	want = reference
	decided := false
	for _, r := range rules {
		if isMachineRule(r.name) || !r.applies(c, reference) {
			continue
		}
		if len(differences(r.apply(c, reference), reference)) > 0 {
			applied = append(applied, r.name)
		}
		if r.decides() {
			want, decided = c.decision(), true
		} else if !decided {
			want = r.apply(c, want)
		}
	}
	return want, applied
}

// decidedForMachine applies the rules about machines one after the other.
func (c *recorded) decidedForMachine(reference outcome) (want outcome, applied []string) {
	want = reference
	for _, r := range machineRules {
		if !r.applies(c, want) {
			continue
		}
		after := r.apply(c, want)
		if len(differences(after, want)) > 0 {
			applied = append(applied, r.name)
		}
		want = after
		if r.last {
			break
		}
	}
	return want, applied
}

// decides reports a rule that computes the decision from the case.
func (r rule) decides() bool { return r.change == nil && r.reads == nil }

// applies reports whether a rule is about a case and what the reference decided about it.
func (r rule) applies(c *recorded, reference outcome) bool {
	return r.when == nil || r.when(c, reference)
}

// apply returns the outcome as changed by the rule.
func (r rule) apply(c *recorded, before outcome) outcome {
	after := before.clone()
	switch {
	case r.reads != nil && after.Auth != nil:
		r.reads(c.deciding(), after.Auth)
	case r.reads != nil:
	case r.change != nil:
		r.change(c, &after)
	default:
		after = c.decision()
	}
	return after
}

// wholeRun reports that no flag leaves cases out.
func wholeRun() bool {
	return !strings.Contains(flag.Lookup("test.run").Value.String(), "/") &&
		flag.Lookup("test.skip").Value.String() == ""
}

// everyCauseAndRuleIsUsed fails for causes and rules that are never used: the feature exists now, or the rule was wrong.
func everyCauseAndRuleIsUsed(t *testing.T) {
	t.Helper()
	var ruleNames, causeNames []string
	for _, r := range rules {
		ruleNames = append(ruleNames, r.name)
	}
	for _, c := range causes {
		causeNames = append(causeNames, c.name)
	}
	for _, name := range idle(causeNames, counted.byCause) {
		t.Errorf("cause %q skips nothing any more: remove it", name)
	}
	for _, name := range idle(ruleNames, counted.byRule) {
		t.Errorf("rule %q changes nothing any more: remove it", name)
	}
}

// idle returns the names that were never counted.
func idle(names []string, counts map[string]int) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return counts[name] > 0 })
}
