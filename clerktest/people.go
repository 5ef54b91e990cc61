package clerktest

import (
	"crypto/rand"
	"net/http"
	"slices"
	"time"

	"github.com/clerkauth/clerkauth"
)

// Person can sign in. The zero Person has no name and is "user_2clerktest".
type Person struct {
	Name string // as the sign-in page shows it; empty: the Claims' Subject

	// Claims of the tokens of a session of theirs. SessionID is ignored, as every session has an ID of its own; an empty
	// AuthorizedParty is the origin that the token is for, and Extra takes it out, see Absent.
	Claims Claims

	// Organizations are those they are members of, beside Claims.Organization, which is active at first.
	Organizations []clerkauth.Organization
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

// in is the person's claims with another organization active, by its ID or slug; empty: none. ok: they are a member.
func (p Person) in(organization string) (c Claims, ok bool) {
	c = p.Claims
	if organization == c.Organization.ID || organization == c.Organization.Slug {
		return c, true
	}
	c.Organization, c.Permissions = clerkauth.Organization{}, nil
	if organization == "" {
		return c, true
	}
	i := slices.IndexFunc(p.Organizations, func(o clerkauth.Organization) bool {
		return o.ID == organization || o.Slug == organization
	})
	if i < 0 {
		return p.Claims, false
	}
	c.Organization = p.Organizations[i]
	return c, true
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
	claims  Claims
	refresh [2]string // the refresh token and the one before, which a second tab may still have
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
	b.session = s
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
	s.claims = c
}

// activate makes an organization the active one if the person is a member.
func (s *BrowserSession) activate(organization string) {
	s.in.browsers.mu.Lock()
	defer s.in.browsers.mu.Unlock()
	if c, ok := s.person.in(organization); ok {
		s.claims.Organization, s.claims.Permissions = c.Organization, c.Permissions
	}
}

// token mints a token for an origin.
func (s *BrowserSession) token(origin string) string {
	s.in.browsers.mu.Lock()
	c := s.claims
	s.in.browsers.mu.Unlock()
	c.SessionID = s.ID
	if c.AuthorizedParty == "" {
		c.AuthorizedParty = origin
	}
	if c.FactorAge == nil {
		c.FactorAge = []time.Duration{s.in.now().Sub(s.since)}
	}
	return s.in.Token(c)
}
