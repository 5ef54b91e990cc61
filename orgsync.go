package clerkauth

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
