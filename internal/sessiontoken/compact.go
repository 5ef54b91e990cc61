package sessiontoken

import (
	"strings"

	"github.com/clerkauth/clerkauth/internal/jose"
)

// compact prepares claims to be remembered with their token, a text of its own: they then hold what was read of the
// payload in one piece of memory, and nothing else of it.
func (c *Claims) compact(token *string) {
	size := 0
	c.eachText(func(s *string) { size += len(*s) })
	var all strings.Builder
	all.Grow(size)
	c.eachText(func(s *string) { all.WriteString(*s) })
	rest := all.String()
	c.eachText(func(s *string) { *s, rest = rest[:len(*s)], rest[len(*s):] })
	c.Payload, c.token = nil, token
}

// eachText calls f with every text that was read of the payload.
func (c *Claims) eachText(f func(*string)) {
	for _, s := range []*string{
		&c.Sub, &c.SID, &c.Iss, &c.AZP.Value, &c.Actor.Subject, &c.Actor.SessionID,
		&c.Organization.ID, &c.Organization.Slug, &c.Organization.Role,
	} {
		f(s)
	}
	for _, list := range [][]string{c.Aud, c.Permissions, c.Features, c.Plans} {
		for i := range list {
			f(&list[i])
		}
	}
}

// Text is the payload, JSON text. That of a token which is remembered is decoded each time, as few ask for it.
func (c *Claims) Text() string {
	if c.Payload != nil {
		return *c.Payload
	}
	token, _ := jose.Split(*c.token)
	return token.Payload
}
