package clerktest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth"
)

// Person can sign in. The zero Person has no name and is "user_2clerktest".
type Person struct {
	Name string // as the sign-in page shows it; empty: the Claims' Subject

	// Claims of the tokens of a session of theirs. SessionID is ignored, as every session has an ID of its own; an empty
	// AuthorizedParty is the origin that the token is for, and Extra takes it out, see Absent.
	Claims Claims

	// Email is the address they sign in with; empty: the Name or, without one, the Claims' Subject, in lower case and
	// with hyphens for blanks, and "+clerk_test@example.com". As for Clerk's own test addresses the code that arrives
	// there is always 424242 (https://clerk.com/docs/guides/development/testing/test-emails-and-phones).
	Email string

	// Organizations are those they are members of, beside Claims.Organization, which is active at first.
	Organizations []clerkauth.Organization

	// Memberships are more of them, each with what it grants.
	Memberships []Membership
}

// Membership is a person's in an organization: what the claims have of it while it is active.
type Membership struct {
	Organization clerkauth.Organization
	Permissions  []string // "org:invoices:create"
	Features     []string // "o:invoices"; the organization's, beside the person's own in Claims
	Plans        []string // "o:pro"; likewise
}

func (p Person) named() string {
	if p.Name == "" {
		return p.id()
	}
	return p.Name
}

func (p Person) id() string {
	if p.Claims.Subject == "" {
		return defaultSubject
	}
	return p.Claims.Subject
}

func (p Person) email() string {
	if p.Email != "" {
		return p.Email
	}
	return strings.ToLower(strings.Join(strings.Fields(p.named()), "-")) + "+clerk_test@example.com"
}

// memberships are all of the person's, the one that is active at first before the others.
func (p Person) memberships() []Membership {
	var all []Membership
	add := func(m Membership) {
		known := func(k Membership) bool {
			return k.Organization.ID == m.Organization.ID && k.Organization.Slug == m.Organization.Slug
		}
		if m.Organization != (clerkauth.Organization{}) && !slices.ContainsFunc(all, known) {
			all = append(all, m)
		}
	}
	add(Membership{p.Claims.Organization, p.Claims.Permissions, p.Claims.Features, p.Claims.Plans})
	for _, m := range p.Memberships {
		add(m)
	}
	for _, o := range p.Organizations {
		add(Membership{Organization: o})
	}
	return all
}

// in is claims of the person with another organization active, by its ID or slug; empty: none. ok: they are a member.
func (p Person) in(c Claims, organization string) (_ Claims, ok bool) {
	if organization == c.Organization.ID || organization != "" && organization == c.Organization.Slug {
		return c, true
	}
	var m Membership
	if organization != "" {
		all := p.memberships()
		i := slices.IndexFunc(all, func(m Membership) bool {
			return m.Organization.ID == organization || m.Organization.Slug == organization
		})
		if i < 0 {
			return c, false
		}
		m = all[i]
	}
	c.Organization, c.Permissions = m.Organization, m.Permissions
	c.Features, c.Plans = exchanged(c.Features, m.Features), exchanged(c.Plans, m.Plans)
	return c, true
}

// exchanged is a list of features or plans with another organization's in it, beside those that the user has.
func exchanged(list, organizations []string) []string {
	users := slices.DeleteFunc(slices.Clone(list), func(s string) bool { return ofOrganization(s) != "" })
	organizations = slices.DeleteFunc(slices.Clone(organizations), func(s string) bool { return ofOrganization(s) == "" })
	return append(organizations, users...)
}

func defaultPeople() []Person {
	acme := clerkauth.Organization{ID: "org_2acme", Slug: "acme", Role: "org:admin"}
	member := acme
	member.Role = "org:member"
	return []Person{
		{Name: "Alice", Claims: Claims{
			Subject: "user_2alice", Organization: acme, Permissions: []string{"org:invoices:create", "org:invoices:read"},
		}},
		{Name: "Bob", Claims: Claims{Subject: "user_2bob", Organization: member, Permissions: []string{"org:invoices:read"}}},
		{Name: "Carol", Claims: Claims{Subject: "user_2carol"}},
	}
}

// BrowserSession is a session that lives on the server, in one browser: handshakes and refreshes mint its tokens.
// It is safe for concurrent use.
type BrowserSession struct {
	ID string // sess_…

	in      *Instance
	browser *browser
	person  Person
	since   time.Time

	// Guarded by in.browsers.mu.
	claims       Claims
	verified     [2]time.Time  // when the first and the second factor were verified again; zero: they were not
	verification *verification // the one under way; nil: none
	refresh      [2]string     // the refresh token and the one before, which a second tab may still have
}

// SignIn begins a session of a person in a browser, as the sign-in page does, in the place of the one it had. The
// browser is the jar of its cookies, such as that of Browser; nil: none, Cookies are all there is.
func (in *Instance) SignIn(jar http.CookieJar, p Person) *BrowserSession {
	b := in.browsers.find(in.clientCookie(jar))
	if b == nil {
		b = in.browsers.open()
	}
	s := in.begin(b, p)
	in.leaveCookies(jar, b)
	return s
}

// begin signs a person in.
func (in *Instance) begin(b *browser, p Person) *BrowserSession {
	s := &BrowserSession{
		ID: "sess_" + rand.Text(), in: in, browser: b, person: p, since: in.now(), claims: p.Claims,
		refresh: [2]string{"rt_" + rand.Text()},
	}
	in.browsers.mu.Lock()
	defer in.browsers.mu.Unlock()
	b.session, b.signIn = s, nil
	return s
}

// BrowserSessions are those that have not ended, oldest first.
func (in *Instance) BrowserSessions() []*BrowserSession {
	in.browsers.mu.Lock()
	defer in.browsers.mu.Unlock()
	var live []*BrowserSession
	for _, b := range in.browsers.all {
		if b.session != nil {
			live = append(live, b.session)
		}
	}
	slices.SortStableFunc(live, func(a, b *BrowserSession) int { return a.since.Compare(b.since) })
	return live
}

// SignOut ends the session on the server, as if it happened on another device: the browser learns of it when its
// token has expired. Ending it twice does nothing.
func (s *BrowserSession) SignOut() {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	if s.browser.session == s {
		s.browser.session = nil
	}
}

// SetClaims changes what the tokens of the session say from now on, as Person.Claims would have. Those that are
// out stay as they are.
func (s *BrowserSession) SetClaims(c Claims) {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	s.claims, s.verified = c, [2]time.Time{}
}

// activate makes an organization the active one if the person is a member.
func (s *BrowserSession) activate(organization string) bool {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	c, ok := s.person.in(s.claims, organization)
	s.claims = c
	return ok
}

// current is what the session's tokens say now, but for their dates and what they are for.
func (s *BrowserSession) current() Claims {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	c, now := s.claims, s.in.now()
	if c.FactorAge == nil {
		c.FactorAge = []time.Duration{now.Sub(s.since)}
	}
	c.FactorAge = append(slices.Clone(c.FactorAge), -1, -1)[:2]
	for i, at := range s.verified {
		if !at.IsZero() {
			c.FactorAge[i] = now.Sub(at)
		}
	}
	return c
}

// token mints a token for an origin; empty: it does not say for whom it is.
func (s *BrowserSession) token(origin string) string { return s.mint(s.current(), origin) }

// mintFor mints a token for the script that asks. Behind a proxy at its page's own host a GET has no Origin.
func (s *BrowserSession) mintFor(r *http.Request, c Claims) string {
	origin := r.Header.Get("Origin")
	if origin == "" && c.Issuer == "" {
		c.Issuer = s.in.siteAsked(r).issuer()
	}
	return s.mint(c, origin)
}

func (s *BrowserSession) mint(c Claims, origin string) string {
	c.SessionID = s.ID
	switch {
	case c.AuthorizedParty != "":
	case origin == "":
		c.Extra = merge(map[string]any{"azp": Absent}, c.Extra)
	default:
		c.AuthorizedParty = origin
	}
	if c.Issuer == "" {
		c.Issuer = s.in.siteOf(origin).issuer()
	}
	return s.in.Token(c)
}
