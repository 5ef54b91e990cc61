package sessiontoken

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// maxHandshake is the size of the largest handshake token, in bytes: it contains several cookies.
const maxHandshake = 16 << 10

// Handshake verifies the signature of a handshake token, and returns its claims and the Set-Cookie values in it. It has the
// category of a session token but is not one: a session token, whose claims an application can add to, must not set
// cookies. The reason is set if the signature is wrong, and the error is a detail for logs.
func (v *Verifier) Handshake(ctx context.Context, raw string, now time.Time) (c *Claims, cookies []string, reason reasons.Reason, err error) {
	t := parse(raw, maxHandshake)
	named := func(name string) func(jose.Member) bool {
		return func(m jose.Member) bool { return m.Name == name }
	}
	switch {
	case t.Fault != NoFault:
		return nil, nil, "", t.Detail(t.Reason)
	case slices.ContainsFunc(t.jws.members, named("sid")):
		return nil, nil, "", errSessionToken
	case t.Claims.Iss == "" && slices.ContainsFunc(t.jws.members, named("iss")):
		return nil, nil, "", errIssuer
	}
	if _, reason := v.checkSignature(ctx, t.jws, now); reason != "" {
		return nil, nil, reason, t.Detail(reason)
	}
	i := slices.IndexFunc(t.jws.members, named("handshake"))
	if i < 0 {
		return t.Claims, nil, "", nil
	}
	elements, ok := jose.Array(t.jws.members[i].Raw)
	for _, e := range elements {
		cookie, isText := jose.String(e)
		ok = ok && isText
		cookies = append(cookies, cookie)
	}
	if !ok {
		return nil, nil, "", errDirectives
	}
	return t.Claims, cookies, "", nil
}

var (
	errSessionToken = errors.New("it is a session token, not a handshake token")
	errIssuer       = errors.New("the claim iss is not the name of an issuer")
	errDirectives   = errors.New("the claim handshake is not a list of strings")
)
