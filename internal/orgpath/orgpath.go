// Package orgpath determines the organization in the path of a URL.
package orgpath

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Patterns are compiled patterns, in the syntax of path-to-regexp 6. A nil *Patterns matches nothing.
type Patterns struct{ organization, personal []pattern }

// Target is the organization in a path.
type Target struct {
	Personal bool   // no organization is active
	ID, Slug string // at most one is set; none when Personal
}

// Lists are the patterns as written by an application.
type Lists struct{ OrganizationPatterns, PersonalAccountPatterns []string }

// New compiles the patterns and reports every malformed one, by the name of its list and its index. Without patterns it
// returns nil.
func New(l Lists) (*Patterns, []error) {
	if len(l.OrganizationPatterns)+len(l.PersonalAccountPatterns) == 0 {
		return nil, nil
	}
	var problems []error
	compileAll := func(list string, entries []string) []pattern {
		var patterns []pattern
		for i, entry := range entries {
			p, err := compile(entry)
			if err != nil {
				problems = append(problems, fmt.Errorf("%s[%d]: %q %w", list, i, entry, err))
				continue
			}
			patterns = append(patterns, p)
		}
		return patterns
	}
	o := &Patterns{
		organization: compileAll("OrganizationPatterns", l.OrganizationPatterns),
		personal:     compileAll("PersonalAccountPatterns", l.PersonalAccountPatterns),
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return o, nil
}

// Idle are the patterns that have no effect: those of organizations without a parameter id or slug, and all that begin with
// text other than a slash.
func (o *Patterns) Idle() []string {
	if o == nil {
		return nil
	}
	var idle []string
	for _, p := range o.organization {
		if !p.chooses() || !p.rooted() {
			idle = append(idle, p.text)
		}
	}
	for _, p := range o.personal {
		if !p.rooted() {
			idle = append(idle, p.text)
		}
	}
	return idle
}

// Target returns the organization in path, as sent by the client; false: none. Browsers send only ASCII, and patterns are
// written for that.
func (o *Patterns) Target(path string) (Target, bool) {
	if o == nil || len(path) > longestPath || strings.ContainsFunc(path, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return Target{}, false
	}
	for _, p := range o.organization {
		match := p.expression.FindStringSubmatch(path)
		if match == nil {
			continue
		}
		if id := p.value(match, "id"); id != "" {
			return Target{ID: id}, true
		}
		if slug := p.value(match, "slug"); slug != "" {
			return Target{Slug: slug}, true
		}
		break
	}
	if slices.ContainsFunc(o.personal, func(p pattern) bool { return p.expression.MatchString(path) }) {
		return Target{Personal: true}, true
	}
	return Target{}, false
}

// Active reports whether the active organization, by its ID and slug, is that of t already. Without an active one, both are
// empty. Slugs are compared exactly.
func (t Target) Active(id, slug string) bool {
	switch {
	case t.Personal:
		return id == ""
	case t.ID != "":
		return t.ID == id
	}
	return t.Slug == slug
}

// Parameter is the value of organization_id in the handshake's URL, which can be a slug too. An empty parameter means the
// personal account.
func (t Target) Parameter() string { return cmp.Or(t.ID, t.Slug) }
