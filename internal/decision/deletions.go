package decision

import (
	"slices"
	"strings"

	"github.com/clerkauth/clerkauth/internal/inbound"
	"github.com/clerkauth/clerkauth/internal/origin"
)

// deletePlanted are the Set-Cookie values that delete cookies because of which a handshake cannot sign somebody in, or is
// made for every page: a sibling subdomain may have planted them, and they could stay for a year. An answer with a token has
// deleted the sessions already, before its own cookies.
func (s *Settings) deletePlanted(e *Evidence, o *Outcome) []string {
	switch c := e.chosen(); {
	case o.Stuck != NotStuck && e.Redirects >= maxCounted:
		return s.deletions(&e.Request, inbound.CookieRedirects)
	case !o.handshake && e.result.token == "" && c.read.Raw != "" && c.standing() == unusable:
		return s.deleteDomainSessions(&e.Request)
	}
	return nil
}

// deletions are the Set-Cookie values that delete a cookie of the host and of the root domain.
func (s *Settings) deletions(f *inbound.Request, name string) []string {
	cookies := []string{name + "=; Path=/; Max-Age=0; Secure"}
	if s.servesRoot(f) {
		cookies = append(cookies, name+"=; Path=/; Domain="+s.RootDomain+"; Max-Age=0; Secure")
	}
	return cookies
}

// servesRoot reports whether a request is to the instance's root domain or below it.
func (s *Settings) servesRoot(f *inbound.Request) bool {
	return s.RootDomain != "" && strings.HasSuffix("."+origin.Hostname(f.Host()), "."+s.RootDomain)
}

// deleteDomainSessions are the Set-Cookie values that delete session and refresh cookies of the root domain. Clerk sets none
// there, so a sibling subdomain has planted them. They must be sent before the cookies of an answer: where the application
// is at the root domain itself, a client may take the two for the same cookie.
func (s *Settings) deleteDomainSessions(f *inbound.Request) []string {
	if !s.servesRoot(f) {
		return nil
	}
	var deletions []string
	for _, name := range slices.Concat(s.Names.Session[:], []string{s.Names.Refresh}) {
		if name != "" {
			deletions = append(deletions, name+"=; Path=/; Domain="+s.RootDomain+"; Max-Age=0; Secure")
		}
	}
	return deletions
}
