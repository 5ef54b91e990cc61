// Package orgpath tells which organization the path of a URL asks for.
package orgpath

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Patterns are compiled patterns, in the language of path-to-regexp 6. A nil *Patterns asks for nothing.
type Patterns struct{ organization, personal []pattern }

// Target is what a path asks for.
type Target struct {
	Personal bool   // no organization is active
	ID, Slug string // at most one is set; none when Personal
}

// Lists are the patterns as an application writes them.
type Lists struct{ OrganizationPatterns, PersonalAccountPatterns []string }

// New compiles the patterns and reports every bad one, by the name of its list and its index. Without patterns it
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

// Target is what path, as the client sent it, asks for; false: nothing. Browsers send ASCII only, and that is
// what patterns are written for.
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

// Active reports whether the active organization, by its ID and slug, already is what t asks for. Without one both are
// empty. Slugs are compared as they stand.
func (t Target) Active(id, slug string) bool {
	switch {
	case t.Personal:
		return id == ""
	case t.ID != "":
		return t.ID == id
	}
	return t.Slug == slug
}

// Parameter is the value of organization_id in the handshake's URL, which takes slugs too. Empty, but there, it
// asks for the personal account.
func (t Target) Parameter() string { return cmp.Or(t.ID, t.Slug) }
