package conformance_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
)

// A keyRule is a rule about keys that an Authenticator has known for a while:
// before has the steps before it.
type keyRule struct {
	name   string
	why    string
	kinder bool
	when   func(before []recorded, c *recorded, want outcome) bool
	reason string // of the refusal; empty: the token signs in
}

// sequenceRules are the rules about the key cache.
var sequenceRules = []keyRule{
	{
		name: "stale keys in an outage", kinder: true,
		why: "keys that were good outlive their endpoint, so that its outage signs nobody out",
		when: func(before []recorded, c *recorded, want outcome) bool {
			return want.Reason == "jwk-remote-failed-to-load" && latestSet(before).names(c.kid())
		},
	},
	{
		name: "clock that went back", reason: "jwk-remote-failed-to-load",
		why: "keys that were fetched in the future say nothing about now, and are fetched again",
		when: func(before []recorded, c *recorded, want outcome) bool {
			return want.Status == signedIn && !c.offersKeys() && c.Now < before[len(before)-1].Now
		},
	},
	{
		name: "dropped key, just fetched", reason: "jwk-kid-mismatch",
		why: "a new document replaces the one before wholly, and is not fetched again within ten seconds",
		when: func(before []recorded, c *recorded, want outcome) bool {
			last := before[len(before)-1]
			return want.Status == signedIn && c.droppedAfter(before) && last.offersKeys() && c.Now-last.Now < 10
		},
	},
	{
		name: "dropped key, nobody to ask", reason: "jwk-remote-failed-to-load",
		why: "a key that a new document dropped is unknown, and whether it is there again cannot be found out",
		when: func(before []recorded, c *recorded, want outcome) bool {
			return want.Status == signedIn && c.droppedAfter(before)
		},
	},
}

// kid is the key that the case's token names.
func (c *recorded) kid() string {
	kid, _ := c.deciding().head["kid"].(string)
	return kid
}

// offersKeys reports that the Backend API would answer with a document.
func (c *recorded) offersKeys() bool {
	_, ok := c.keySet()
	return ok
}

// droppedAfter reports a key that the latest document does not have, where no other can be had.
func (c *recorded) droppedAfter(before []recorded) bool {
	set := latestSet(before)
	return set != nil && !set.names(c.kid()) && !c.offersKeys() && !c.pins()
}

// latestSet is the last document with keys that the steps offered.
func latestSet(before []recorded) keySet {
	var latest keySet
	for _, c := range before {
		if set, ok := c.keySet(); ok && len(set) > 0 {
			latest = set
		}
	}
	return latest
}

var stepsCounted struct {
	sync.Mutex
	agree, deviate, fail int
	byRule               map[string]int
}

// TestSequences sends several requests to Authenticators that are reused: this tests the cache of keys.
func TestSequences(t *testing.T) {
	r := load(t)
	for _, s := range r.sequences {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, s.run)
		})
	}
	if r.builtIn && wholeRun() {
		t.Cleanup(func() { everySequenceRuleIsUsed(t) })
	}
}

// run runs the steps in order, with one Authenticator for each set of options.
func (s sequence) run(t *testing.T) {
	api := &backend{}
	known := map[string]*clerkauth.Authenticator{}
	var now int64
	for i := range s.Steps {
		c := &s.Steps[i]
		now = c.Now
		api.serve(c.Backend)
		want, applied := c.expectedAfter(t, s.Steps[:i])
		got := outcome{Status: refused}
		if auth := c.authenticator(t, known, api, &now); auth != nil {
			got = c.ask(t, auth, api)
		}
		synctest.Wait() // a refresh in the background ends before the clock moves on
		lines := differences(got, want)
		countStep(applied, len(lines) == 0)
		if len(lines) > 0 {
			t.Errorf("step %d differs, rules applied: %q\n%s", i, applied, strings.Join(lines, "\n"))
		}
	}
}

// authenticator is the one for the step's options; nil if New refuses them.
func (c *recorded) authenticator(t *testing.T, known map[string]*clerkauth.Authenticator, api *backend, now *int64) *clerkauth.Authenticator {
	t.Helper()
	meant := maps.Clone(c.Options)
	delete(meant, "skipJwksCache") // a cache that cannot be skipped is not a reason for another one
	name, err := json.Marshal(meant)
	if err != nil {
		t.Fatal(err)
	}
	if auth, ok := known[string(name)]; ok {
		return auth
	}
	cfg := c.config(t, api, c.parties())
	cfg.Now = func() time.Time { return time.Unix(*now, 0) }
	auth, err := clerkauth.New(cfg)
	if err != nil {
		auth = nil
	}
	known[string(name)] = auth
	return auth
}

// expectedAfter is what is expected of a step after those before it.
func (c *recorded) expectedAfter(t *testing.T, before []recorded) (outcome, []string) {
	t.Helper()
	want, applied := c.expected(t)
	for _, r := range sequenceRules {
		if len(before) == 0 || want.Status == refused || !r.when(before, c, want) {
			continue
		}
		if r.reason == "" && !r.kinder {
			t.Errorf("rule %q lets somebody in", r.name)
		}
		if want = admission(c.deciding()); r.reason != "" {
			want = refusal(r.reason)
		}
		applied = append(applied, r.name)
	}
	return want, applied
}

func countStep(applied []string, same bool) {
	stepsCounted.Lock()
	defer stepsCounted.Unlock()
	if stepsCounted.byRule == nil {
		stepsCounted.byRule = map[string]int{}
	}
	for _, name := range applied {
		stepsCounted.byRule[name]++
	}
	switch {
	case !same:
		stepsCounted.fail++
	case len(applied) > 0:
		stepsCounted.deviate++
	default:
		stepsCounted.agree++
	}
}

func everySequenceRuleIsUsed(t *testing.T) {
	stepsCounted.Lock()
	defer stepsCounted.Unlock()
	var names []string
	for _, r := range sequenceRules {
		names = append(names, r.name)
	}
	for _, name := range idle(names, stepsCounted.byRule) {
		t.Errorf("rule %q changes nothing any more: remove it", name)
	}
}

func printSteps(w io.Writer) {
	stepsCounted.Lock()
	defer stepsCounted.Unlock()
	n := stepsCounted.agree + stepsCounted.deviate + stepsCounted.fail
	if n == 0 {
		return
	}
	for _, r := range sequenceRules {
		_, _ = fmt.Fprintf(w, "rule  %5d  %s: %s\n", stepsCounted.byRule[r.name], r.name, r.why)
	}
	_, _ = fmt.Fprintf(w, "sequences: %d steps, %d agree, %d deviate by rule, %d differ\n",
		n, stepsCounted.agree, stepsCounted.deviate, stepsCounted.fail)
}
