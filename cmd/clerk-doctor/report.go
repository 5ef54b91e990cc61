package main

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
)

// status is the result of a check.
type status string

const (
	ok      status = "ok"
	warn    status = "warn"    // works today, but somebody should check
	fail    status = "fail"    // has to be fixed
	unknown status = "unknown" // could not be checked from here
	skipped status = "skipped" // not requested
)

// The exit codes.
const (
	exitGood    = 0
	exitFails   = 1
	exitUnknown = 2 // also for wrong usage
	exitStopped = 130
)

// check is what was found out about one name. It never contains a secret key or a token.
type check struct {
	code  code
	name  string   // a host, a server, an entry of the allowlist
	says  string   // about this name; the title of the code has the rest
	fix   []string // what to do, in words, one step per element
	see   []string // commands that show the same thing
	cause *ref     // the check that explains this one; nil: none
}

// ref names a check.
type ref struct {
	code code
	name string
}

func (c check) ref() *ref { return &ref{c.code, c.name} }

func (c check) kind() kind { return catalogue[c.code] }

func (c check) status() status { return c.kind().status }

// bad reports whether somebody has to do something, or something is unknown.
func (c check) bad() bool { return c.status() == fail || c.status() == unknown }

// item is one name in a finding.
type item struct {
	Name string `json:"name"`
	Says string `json:"says,omitempty"`
}

// finding is all checks of one code: problems with one cause are one finding.
type finding struct {
	Code    string   `json:"code"` // stable; FINDINGS.md lists them all
	Status  status   `json:"status"`
	Group   string   `json:"group"`
	Title   string   `json:"title"`
	Page    string   `json:"page"` // where the code is explained
	Items   []item   `json:"items"`
	Fix     []string `json:"fix,omitempty"`     // what to do, one step per element
	See     []string `json:"see,omitempty"`     // commands that show the same thing
	Affects []effect `json:"affects,omitempty"` // what cannot be right because of this
}

// effect is a check that another one explains.
type effect struct {
	Group string `json:"group"`
	Name  string `json:"name"`
}

// report is everything that was found.
type report struct {
	Schema   int       `json:"schema"` // raised when a field changes its meaning or is removed
	Domain   string    `json:"domain"`
	Typed    string    `json:"typed,omitempty"` // the name that was typed, if the domain is another
	Exit     int       `json:"exit"`
	Findings []finding `json:"findings"`

	checks []check // those without another cause
}

const (
	schema = 1
	pages  = "https://github.com/clerkauth/clerkauth/blob/main/cmd/clerk-doctor/FINDINGS.md#"
)

// newReport combines checks: those of one code become one finding, and a check that has its cause in another is only named
// there.
func newReport(o options, checks []check) report {
	r := report{Schema: schema, Domain: o.domain, Exit: exitStatus(checks)}
	if o.typed != o.domain {
		r.Typed = o.typed
	}
	effects := map[ref][]check{}
	for _, c := range checks {
		if root := rootOf(checks, c); root != nil {
			effects[*root] = append(effects[*root], c)
		} else {
			r.checks = append(r.checks, c)
		}
	}
	at := map[code]int{}
	for _, c := range r.checks {
		i, found := at[c.code]
		if !found {
			i = len(r.Findings)
			at[c.code] = i
			k := c.kind()
			r.Findings = append(r.Findings, finding{Code: k.id, Status: k.status, Group: k.group, Title: k.title, Page: pages + k.id})
		}
		r.Findings[i].add(c, effects[*c.ref()])
	}
	slices.SortStableFunc(r.Findings, func(a, b finding) int { return urgency(a.Status) - urgency(b.Status) })
	return r
}

// rootOf follows causes to the one that is in the report and bad; nil if c has none.
func rootOf(checks []check, c check) *ref {
	var root *ref
	for range len(checks) {
		if c.cause == nil {
			return root
		}
		i := slices.IndexFunc(checks, func(o check) bool { return *o.ref() == *c.cause })
		if i < 0 || !checks[i].bad() {
			return root
		}
		root, c = c.cause, checks[i]
	}
	return root
}

func (f *finding) add(c check, effects []check) {
	f.Items = append(f.Items, item{c.name, c.says})
	deploy := false
	for _, a := range effects {
		f.Affects = append(f.Affects, effect{a.kind().group, a.name})
		deploy = deploy || a.code == certNotServed || a.code == certWrongHost
	}
	steps := c.fix
	// Certificates follow by themselves if only time is missing, and nobody should act on outdated answers.
	if deploy && !c.kind().waits && c.code != caaOfTarget {
		steps = append(slices.Clone(steps), `then press "Deploy certificates" in Clerk's Dashboard`)
	}
	f.Fix = union(f.Fix, steps)
	f.See = union(f.See, c.see)
}

// union appends what is missing. A step about all other steps, or that begins with "then", stays last.
func union(to, more []string) []string {
	for _, s := range more {
		if !slices.Contains(to, s) {
			to = append(to, s)
		}
	}
	slices.SortStableFunc(to, func(a, b string) int { return rank(a) - rank(b) })
	return to
}

func rank(step string) int {
	switch {
	case strings.HasPrefix(step, "then "):
		return 2
	case step == whereIDs:
		return 1
	}
	return 0
}

// urgency is the order of findings: failed, unknown, to be checked, fine, not requested.
func urgency(s status) int {
	return slices.Index([]status{fail, unknown, warn, ok, skipped}, s)
}

// exitStatus is the exit code. A failure takes precedence over unknown results, because it is certain.
func exitStatus(checks []check) int {
	exit := exitGood
	for _, c := range checks {
		switch c.status() {
		case fail:
			if rootOf(checks, c) == nil {
				return exitFails
			}
		case unknown:
			exit = exitUnknown
		case ok, warn, skipped:
		}
	}
	return exit
}

func writeJSON(w io.Writer, r report) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
