package conformance_test

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
)

// A denial is why a check fails here although the reference's has() grants it. The reverse does not happen in
// the recorded cases; it would for a permission of a feature called "org", of which the reference removes every "org:".
type denial struct {
	name, why string
	when      func(q question, who *identity) bool
}

// A question is one query of has(), its members by name.
type question map[string]string

var denials = []denial{
	{
		"organization is active", "what belongs to an organization counts while one is active", func(q question, who *identity) bool {
			return who.OrgID == "" && (q["feature"] != "" || q["plan"] != "")
		},
	},
	{
		"system permissions are never in a token", "Clerk does not write them, so a token that has one was not made for this", func(q question, _ *identity) bool {
			return strings.Contains(q["permission"], "org:sys_")
		},
	},
	{
		"one prefix", "a role's key has no colon behind org:, and a permission's one, so that a second org: makes another key or none", func(q question, who *identity) bool {
			return slices.ContainsFunc([]string{q["role"], q["permission"], who.OrgRole}, func(key string) bool { return strings.HasPrefix(key, "org:org:") })
		},
	},
	{
		"name and scope", "a feature is a name, with at most one scope before it", func(q question, _ *identity) bool {
			feature, given := q["feature"]
			return given && (feature == "" || strings.Count(feature, ":") > 1)
		},
	},
	{
		"whole minutes", "factor ages are whole minutes, and so is what they are compared with", func(q question, _ *identity) bool {
			return strings.Contains(q["afterMinutes"], ".")
		},
	},
	{
		"factor ages are minutes", "ages that are no whole numbers of minutes say nothing about when", func(q question, who *identity) bool {
			return (q["reverification"] != "" || q["level"] != "") && slices.Contains(who.Mistyped, "factorVerificationAge")
		},
	},
}

var hasCounted = struct {
	sync.Mutex
	queried, unsaid int
	byDenial        map[string]int
}{byDenial: map[string]int{}}

// TestHasAnswers tries every query that a Check can express with the sessions.
func TestHasAnswers(t *testing.T) {
	for _, cases := range load(t).cases {
		for _, c := range cases {
			if len(c.Has) == 0 || c.skipCause(t) != "" || len(c.Expect.HasAnswers) != len(c.Has) {
				continue
			}
			t.Run(c.Family+"/"+c.Name, func(t *testing.T) {
				t.Parallel()
				c.holdHas(t)
			})
		}
	}
	if load(t).builtIn && wholeRun() {
		t.Cleanup(func() { everyDenialIsUsed(t) })
	}
}

func everyDenialIsUsed(t *testing.T) {
	hasCounted.Lock()
	defer hasCounted.Unlock()
	for _, d := range denials {
		if hasCounted.byDenial[d.name] == 0 {
			t.Errorf("denial %q denies nothing any more: remove it", d.name)
		}
	}
}

func (c *recorded) holdHas(t *testing.T) {
	session := c.session(t)
	if session == nil {
		return // a stricter rule signed it out, and the run of the cases says so
	}
	who := recordedIdentity(c.Expect.Auth)
	for i, raw := range c.Has {
		checks, q := checksOf(raw)
		if len(checks) == 0 {
			countHas("", false)
			continue
		}
		got, want := session.Has(checks[0], checks[1:]...), c.Expect.HasAnswers[i]
		why := ""
		if k := slices.IndexFunc(denials, func(d denial) bool { return d.when(q, who) }); k >= 0 && want && !got {
			why = denials[k].name
		}
		countHas(why, true)
		if got != want && why == "" {
			t.Errorf("has(%s): got %t, want %t", raw, got, want)
		}
	}
}

// session is the case's, pending or not; nil if it is signed out.
func (c *recorded) session(t *testing.T) *clerkauth.Session {
	t.Helper()
	api := &backend{}
	api.serve(c.Backend)
	cfg := c.config(t, api, c.parties())
	cfg.AllowPending = true
	auth, err := clerkauth.New(cfg)
	if err != nil {
		return nil
	}
	req, err := c.Request.build(t)
	if err != nil {
		t.Fatal(err)
	}
	return auth.AuthenticateRequest(req).Session
}

// checksOf translates a query into Checks; none if that is impossible: other members, or values that are not strings.
func checksOf(raw json.RawMessage) ([]clerkauth.Check, question) {
	if check, q := factorsOf(raw); q != nil {
		return []clerkauth.Check{check}, q
	}
	var q question
	if json.Unmarshal(raw, &q) != nil || strings.Contains(string(raw), "null") {
		return nil, nil
	}
	var checks []clerkauth.Check
	for name, value := range q {
		switch name {
		case "role":
			checks = append(checks, clerkauth.Role(value))
		case "permission":
			checks = append(checks, clerkauth.Permission(value))
		case "feature":
			checks = append(checks, clerkauth.Feature(value))
		case "plan":
			checks = append(checks, clerkauth.Plan(value))
		case "reverification":
			checks = append(checks, clerkauth.Reverified(clerkauth.Reverification(value)))
		default:
			return nil, nil
		}
	}
	return checks, q
}

// factorsOf says a query for factors and minutes alone; nil if it is none.
func factorsOf(raw json.RawMessage) (clerkauth.Check, question) {
	var of map[string]struct {
		Level        clerkauth.Factors
		AfterMinutes json.Number
	}
	if json.Unmarshal(raw, &of) != nil || len(of) != 1 || strings.Contains(string(raw), "null") {
		return clerkauth.Check{}, nil
	}
	factors, ok := of["reverification"]
	minutes, err := factors.AfterMinutes.Float64()
	if !ok || err != nil || strings.Contains(string(raw), `"`+factors.AfterMinutes.String()+`"`) {
		return clerkauth.Check{}, nil
	}
	within := time.Duration(minutes * float64(time.Minute))
	return clerkauth.ReverifiedWithin(factors.Level, within), question{"level": string(factors.Level), "afterMinutes": factors.AfterMinutes.String()}
}

func countHas(why string, queried bool) {
	hasCounted.Lock()
	defer hasCounted.Unlock()
	if !queried {
		hasCounted.unsaid++
		return
	}
	hasCounted.queried++
	if why != "" {
		hasCounted.byDenial[why]++
	}
}

func printHas(w io.Writer) {
	hasCounted.Lock()
	defer hasCounted.Unlock()
	if hasCounted.queried == 0 {
		return
	}
	for _, d := range denials {
		_, _ = fmt.Fprintf(w, "has   %5d  %s: %s\n", hasCounted.byDenial[d.name], d.name, d.why)
	}
	_, _ = fmt.Fprintf(w, "has   %5d  queries made, %d that a Check cannot say\n", hasCounted.queried, hasCounted.unsaid)
}
