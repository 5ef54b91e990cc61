package sessiontoken

import (
	"strings"

	"github.com/clerkauth/clerkauth/internal/jose"
)

// compact prepares claims to be cached with their token, a string of its own: they then hold what was read of the payload
// in one allocation, and nothing else of it.
func (c *Claims) compact(token *string) {
	texts := make([]string, 0, 24) // enough for most tokens
	c.eachText(func(s *string) { texts = append(texts, *s) })
	rest := strings.Join(texts, "")
	c.eachText(func(s *string) { *s, rest = rest[:len(*s)], rest[len(*s):] })
	c.Payload, c.token = nil, token
}

// eachText calls f with every string that was read from the payload.
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

// Text is the payload, JSON text. For a cached token it is decoded each time, as it is rarely needed.
func (c *Claims) Text() string {
	if c.Payload != nil {
		return *c.Payload
	}
	token, _ := jose.Split(*c.token)
	return token.Payload
}
