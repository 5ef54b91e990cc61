package e2e_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/clerkauth/clerkauth/clerktest"
)

// mallory has an account at the same instance, and a page on the sibling subdomain.
func (s *site) mallory() clerktest.Claims {
	now := s.time.now()
	return clerktest.Claims{Subject: "user_2mallory", SessionID: "sess_2mallory", IssuedAt: now, ExpiresAt: now.Add(60 * lifetime)}
}

// plant sets a cookie for the whole domain, from the sibling subdomain, and checks that the app
// will get it.
func (b *tab) plant(name, value, path string) {
	b.t.Helper()
	b.visit(evilOrigin + "/")
	evaluate[any](b, `void (document.cookie = %q)`, name+"="+value+"; Domain="+domain+"; Path="+path+"; Secure")
	if !slices.ContainsFunc(b.cookies(appOrigin+path), func(c *network.Cookie) bool {
		return c.Name == name && c.Value == value && c.Domain == "."+domain && c.Path == path
	}) {
		b.t.Fatalf("the browser did not accept a cookie %s for %s", name, path)
	}
}

func TestPlantedCookieIsRefusedAndTheHonestSessionGoesOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		plant func(*site) string
	}{
		{"garbage", func(*site) string { return "garbage" }},
		{"a token for the sibling subdomain", func(s *site) string {
			c := s.mallory()
			c.AuthorizedParty = evilOrigin
			return s.clerk.Token(c)
		}},
		{"a token without azp", func(s *site) string {
			c := s.mallory()
			c.Extra = map[string]any{"azp": clerktest.Absent}
			return s.clerk.Token(c)
		}},
		{"a forged token", func(s *site) string { return s.clerk.Forge(s.mallory()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := production(t, clerktest.Options{}, nil)
			b := s.open(t)
			s.signIn(b, "/private")
			planted := c.plant(s)
			for _, name := range s.sessionCookies(b) {
				for _, path := range []string{"/", "/private", "/write"} {
					b.plant(name, planted, path)
				}
			}
			for _, when := range []string{"at once", "after expiry"} {
				b.visit(s.home + "/private")
				b.expect(when, s.signedIn("/private"))
				if got := evaluate[int](b, postFetch, "/write"); got != http.StatusOK {
					t.Errorf("%s: a write: got %d, want 200", when, got)
				}
				s.expire()
			}
			b.picture()
		})
	}
}

// sessionCookies returns the names of the session cookies, plain and of the instance.
func (s *site) sessionCookies(b *tab) []string {
	b.t.Helper()
	var names []string
	for _, c := range s.clerk.Cookies("") {
		if strings.HasPrefix(c.Name, "__session") {
			names = append(names, c.Name)
		}
	}
	if len(names) != 2 {
		b.t.Fatalf("got the session cookies %q, want two", names)
	}
	return names
}

func TestPlantedTokenWithoutAZPSignsNobodyIn(t *testing.T) {
	t.Parallel()
	s := production(t, clerktest.Options{}, nil)
	b := s.open(t)
	c := s.mallory()
	c.Extra = map[string]any{"azp": clerktest.Absent}
	for _, cookie := range s.clerk.Cookies(s.clerk.Token(c)) {
		b.plant(cookie.Name, cookie.Value, "/")
	}
	b.visit(s.home + "/")
	b.expect("a planted token", s.nobody("/"))
	if got := evaluate[int](b, postFetch, "/write"); got != http.StatusUnauthorized {
		t.Errorf("a write: got %d, want 401", got)
	}
	b.picture()
	s.time.advance(2 * time.Second) // within the same second as a sign-in, the planted token could not be distinguished from a newer one
	s.signIn(b, "/private")
}

// Mallory's own token is valid, and its origin is the app's. It must not be used instead of Alice's.
func TestPlantedTokenOfAnotherAccountDoesNotReplaceTheHonestOne(t *testing.T) {
	t.Parallel()
	s := production(t, clerktest.Options{}, nil)
	b := s.open(t)
	s.signIn(b, "/private")
	planted := s.clerk.Token(s.mallory())
	for _, name := range s.sessionCookies(b) {
		for _, path := range []string{"/private", "/write"} {
			b.plant(name, planted, path)
		}
	}
	b.visit(s.home + "/private")
	b.expect("with the planted token", s.signedIn("/private"))
	if got := evaluate[int](b, postFetch, "/write"); got != http.StatusUnauthorized || s.app.writes.Load() != 0 {
		t.Errorf("a write that could be either's: got %d, want 401", got)
	}
	b.picture()
}
