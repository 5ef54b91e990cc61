package sessiontoken

import (
	"context"
	"slices"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// maxHandshake is the size of the largest handshake token, in bytes: it carries several cookies.
const maxHandshake = 16 << 10

// Handshake verifies the signature of a handshake token, and returns its claims and the Set-Cookie values in it. It has a
// session token's category and is not one: a session whose claims an application fills in must not set cookies. The
// reason is that of its signature, if that is what is wrong.
func (v *Verifier) Handshake(ctx context.Context, raw string, now time.Time) (c *Claims, cookies []string, reason reasons.Reason, ok bool) {
	t := parse(raw, maxHandshake)
	if t.Reason != "" || t.Claims.SID != "" {
		return nil, nil, "", false
	}
	if _, reason := v.checkSignature(ctx, t.jws, now); reason != "" {
		return nil, nil, reason, false
	}
	i := slices.IndexFunc(t.jws.members, func(m jose.Member) bool { return m.Name == "handshake" })
	if i < 0 {
		return t.Claims, nil, "", true
	}
	elements, ok := jose.Array(t.jws.members[i].Raw)
	for _, e := range elements {
		cookie, isText := jose.String(e)
		ok = ok && isText
		cookies = append(cookies, cookie)
	}
	return t.Claims, cookies, "", ok
}
