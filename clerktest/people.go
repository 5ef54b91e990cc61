package clerktest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth"
)

// Person is somebody who can sign in. The zero Person has no name and is "user_2clerktest".
type Person struct {
	Name string // for the sign-in page; empty: the Claims' Subject

	// Claims are those of the tokens of the person's sessions. SessionID is ignored, as each session has its own ID. If
	// AuthorizedParty is empty, it is the origin for which a token is minted; Extra can remove it, see Absent. If
	// FirstFactorAt is zero, it is the time of the sign-in.
	Claims Claims

	// Email is the address for signing in. If empty, it is made of the Name, or else the Claims' Subject, in lower case
	// with hyphens for spaces, followed by "+clerk_test@example.com". As with Clerk's own test addresses, the code sent to
	// it is always 424242 (https://clerk.com/docs/guides/development/testing/test-emails-and-phones).
	Email string

	// Organizations are those that the person is a member of, besides Claims.Organization, which is active at first.
	Organizations []clerkauth.Organization

	// Memberships are further organizations, each with its permissions, features and plans.
	Memberships []Membership
}

// Membership is a person's membership of an organization, with the claims that apply while the organization is active.
type Membership struct {
	Organization clerkauth.Organization
	Permissions  []string // "org:invoices:create"
	Features     []string // "o:invoices"; of the organization, besides the person's own in Claims
	Plans        []string // "o:pro"; of the organization too
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

// memberships are all of the person's, first the one that is active at first.
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

// in is the person's claims with another organization active, by its ID or slug; empty: none. ok: they are a member.
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

// exchanged is a list of features or plans in which those of organizations replace those of the organization before.
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

// BrowserSession is a session on the server, of one browser. Handshakes and refreshes mint its tokens. It is safe for
// concurrent use.
type BrowserSession struct {
	ID string // sess_…

	in      *Instance
	browser *browser
	person  Person
	since   time.Time

	// Guarded by in.browsers.mu.
	claims       Claims
	verified     [2]time.Time  // when the factors were verified again; zero: they were not
	verification *verification // the verification that has been started; nil: none
	refresh      [2]string     // the refresh token and the one before, which a second tab may still send
}

// SignIn starts a session of a person in a browser, as the sign-in page does, and replaces the browser's session. jar has
// the browser's cookies, for example the jar of Browser; nil: no browser, only the session's Cookies.
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

// BrowserSessions returns the sessions that have not ended, oldest first.
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

// SignOut ends the session on the server, as if on another device: the browser finds out when its token has expired. A
// second call does nothing.
func (s *BrowserSession) SignOut() {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	if s.browser.session == s {
		s.browser.session = nil
	}
}

// SetClaims changes the claims of tokens that the session mints from now on, as Person.Claims would. Earlier tokens do not
// change.
func (s *BrowserSession) SetClaims(c Claims) {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	s.claims, s.verified = c, [2]time.Time{}
}

// activate makes an organization active if the person is a member of it.
func (s *BrowserSession) activate(organization string) bool {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	c, ok := s.person.in(s.claims, organization)
	s.claims = c
	return ok
}

// current is the claims of the session's tokens now, without their times and authorized party.
func (s *BrowserSession) current() Claims {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	c := s.claims
	if c.FirstFactorAt.IsZero() {
		c.FirstFactorAt = s.since
	}
	for i, at := range []*time.Time{&c.FirstFactorAt, &c.SecondFactorAt} {
		if !s.verified[i].IsZero() {
			*at = s.verified[i]
		}
	}
	return c
}

// token mints a token for an origin; empty: a token without azp.
func (s *BrowserSession) token(origin string) string { return s.mint(s.current(), origin) }

// mintFor mints a token for the script that sent r. A GET through a proxy at the page's own host has no Origin.
func (s *BrowserSession) mintFor(r *http.Request, c Claims) string {
	origin := r.Header.Get("Origin")
	if origin == "" && c.Issuer == "" {
		c.Issuer = s.in.siteFor(r).issuer()
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
