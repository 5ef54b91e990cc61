package conformance_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
)

// skipCause is the name of the first cause that keeps the case back, or "".
func (c *recorded) skipCause(tb testing.TB) string {
	for _, cause := range causes {
		if cause.hit(c, tb) {
			return cause.name
		}
	}
	return ""
}

// TestConformance puts every recorded case to a fresh Authenticator.
func TestConformance(t *testing.T) {
	r := load(t)
	for _, family := range r.families {
		t.Run(family, func(t *testing.T) {
			for _, c := range r.cases[family] {
				t.Run(c.Name, func(t *testing.T) {
					t.Parallel()
					c.hold(t)
				})
			}
		})
	}
	t.Run("writes", func(t *testing.T) {
		for _, c := range writes(t) {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				c.hold(t)
			})
		}
	})
	if r.builtIn && wholeRun() {
		everyCauseAndRuleIsUsed(t)
	}
}

// hold compares one decision with the reference's, as the rules change it.
func (c *recorded) hold(t *testing.T) {
	if why := c.skipCause(t); why != "" {
		counted.skip(why)
		return
	}
	want, applied := c.expected(t)
	got := c.decide(t, c.parties())
	shown := want
	if want.Pending {
		shown.Token = "" // a session that still has a task to do is signed out, and shows no token
	}
	lines := differences(got, shown)
	counted.held(applied, len(lines) == 0)
	if len(lines) > 0 {
		t.Errorf("differs from the reference, rules applied: %q\n%s", applied, strings.Join(lines, "\n"))
	}
	if want.Pending {
		c.holdPending(t, want)
	}
	if got.Status == signedIn && c.Expect.Status != signedIn && !slices.ContainsFunc(applied, isKinder) {
		t.Errorf("signed in, where the reference says %s", c.Expect.Status)
	}
}

// holdPending asks again with AllowPending: then the session is there.
func (c *recorded) holdPending(t *testing.T, want outcome) {
	t.Helper()
	want.Pending = false
	got := c.decide(t, c.parties(), func(cfg *clerkauth.Config) { cfg.AllowPending = true })
	if lines := differences(got, want); len(lines) > 0 {
		t.Errorf("with AllowPending it differs:\n%s", strings.Join(lines, "\n"))
	}
}

// expected is the reference's decision as the rules change it, and the names
// of those that did.
func (c *recorded) expected(tb testing.TB) (outcome, []string) {
	tb.Helper()
	want := c.reference()
	var applied []string
	for _, r := range rules {
		if isMachineRule(r.name) != c.decidesMachine() {
			continue
		}
		after, changed, err := r.apply(c, want)
		if err != nil {
			tb.Error(err)
		}
		if changed {
			applied = append(applied, r.name)
		}
		want = after
	}
	return want, applied
}

// apply is what the rule makes of an outcome, and whether that is another one.
func (r rule) apply(c *recorded, before outcome) (after outcome, changed bool, err error) {
	if r.when != nil && !r.when(c, before) {
		return before, false, nil
	}
	after = before.clone()
	if r.hold == nil {
		after = c.decision()
	} else {
		r.hold(c, &after)
	}
	if after.Status == signedIn && before.Status != signedIn && !r.kinder {
		err = fmt.Errorf("rule %q turns %s into signed-in", r.name, before.Status)
	}
	return after, len(differences(after, before)) > 0, err
}

// wholeRun reports that no flag leaves cases out.
func wholeRun() bool {
	return !strings.Contains(flag.Lookup("test.run").Value.String(), "/") &&
		flag.Lookup("test.skip").Value.String() == ""
}

// everyCauseAndRuleIsUsed fails for what is written down and does nothing:
// the feature has come, or the rule was wrong.
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

// idle are the names that were never counted.
func idle(names []string, counts map[string]int) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return counts[name] > 0 })
}
