package clerkauth

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// OrganizationSync makes the URL choose the active organization: when somebody signed in opens a page whose path
// asks for another organization than the session's, a handshake activates that one first. The zero
// OrganizationSync is off. See https://clerk.com/docs/guides/organizations/org-slugs-in-urls.
//
// Patterns are those of path-to-regexp 6, as in Clerk's own SDKs: text, :name for a part of one segment,
// :name(regexp), (regexp) and {groups}, each with ?, * or + behind it; \ takes the next character as it stands.
// They are matched against the whole path, undecoded; neither the case of letters nor one slash at the end
// matters. New reports a pattern that is malformed, gives two parameters one name, or needs what RE2 has not:
// lookaround, back references, a parameter right behind two or more characters without a slash.
//
// It is a convenience and no defence. A path is what anybody can type, and only page loads are sent through a
// handshake: a handler that serves an organization must ask Session.Organization, never the path.
type OrganizationSync struct {
	// OrganizationPatterns have a parameter :slug or :id: "/orgs/:slug", "/orgs/:slug/(.*)". The first that
	// matches decides; with both parameters the id counts. They go before PersonalAccountPatterns.
	OrganizationPatterns []string
	// PersonalAccountPatterns are paths where no organization is active: "/me", "/me/(.*)".
	PersonalAccountPatterns []string
}

// organizationSync is an OrganizationSync that New has understood. A nil one is off.
type organizationSync struct{ organization, personal []pathPattern }

// organizationTarget is what a URL asks for.
type organizationTarget struct {
	personal bool
	id, slug string // at most one is set; none when personal
}

// newOrganizationSync compiles the patterns and reports every bad one. It returns nil when there is none.
func newOrganizationSync(c OrganizationSync) (*organizationSync, []error) {
	if len(c.OrganizationPatterns)+len(c.PersonalAccountPatterns) == 0 {
		return nil, nil
	}
	var problems []error
	compile := func(field string, entries []string) []pathPattern {
		var patterns []pathPattern
		for i, entry := range entries {
			p, err := compilePath(entry)
			if err != nil {
				problems = append(problems, fmt.Errorf("OrganizationSync.%s[%d]: %q %w", field, i, entry, err))
				continue
			}
			patterns = append(patterns, p)
		}
		return patterns
	}
	o := &organizationSync{
		organization: compile("OrganizationPatterns", c.OrganizationPatterns),
		personal:     compile("PersonalAccountPatterns", c.PersonalAccountPatterns),
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return o, nil
}

// target is what path, as the client sent it, asks for; false: nothing. Browsers send ASCII only, and that is
// what patterns are written for.
func (o *organizationSync) target(path string) (organizationTarget, bool) {
	if o == nil || len(path) > longestPath || strings.ContainsFunc(path, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return organizationTarget{}, false
	}
	for _, p := range o.organization {
		match := p.expression.FindStringSubmatch(path)
		if match == nil {
			continue
		}
		if id := p.value(match, "id"); id != "" {
			return organizationTarget{id: id}, true
		}
		if slug := p.value(match, "slug"); slug != "" {
			return organizationTarget{slug: slug}, true
		}
		break
	}
	if slices.ContainsFunc(o.personal, func(p pathPattern) bool { return p.expression.MatchString(path) }) {
		return organizationTarget{personal: true}, true
	}
	return organizationTarget{}, false
}

// active reports whether org, the session's, already is what t asks for. Slugs are compared as they stand.
func (t organizationTarget) active(org Organization) bool {
	switch {
	case t.personal:
		return org.ID == ""
	case t.id != "":
		return t.id == org.ID
	}
	return t.slug == org.Slug
}

// parameter is the value of organization_id in the handshake's URL, which takes slugs too. Empty, but there, it
// asks for the personal account.
func (t organizationTarget) parameter() string { return cmp.Or(t.id, t.slug) }
