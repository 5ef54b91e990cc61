package orgpath

import (
	"slices"
	"testing"
)

// Patterns that Clerk's own SDKs accept, and that can never choose anything.
func TestIdle(t *testing.T) {
	o, problems := New(Lists{
		OrganizationPatterns:    []string{"/orgs/:slug", "/orgs/{slug}", "/orgs/:name", "orgs/:slug", "{/orgs/:id}", "(/orgs)/:id", `\/orgs/:id`, ":slug", "example.com/:slug"},
		PersonalAccountPatterns: []string{"/me", "me", "", "/me/(.*)"},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	want := []string{"/orgs/{slug}", "/orgs/:name", "orgs/:slug", "example.com/:slug", "me"}
	if got := o.Idle(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (*Patterns)(nil).Idle(); got != nil {
		t.Errorf("no patterns: got %q, want none", got)
	}
}
