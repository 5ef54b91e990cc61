package sessiontoken

import (
	"context"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// CheckSignature checks form, header, key and signature of a token with a JWKS document, but not its payload: some vectors
// have no claims. kid is used for tokens without one.
func CheckSignature(ctx context.Context, document, kid, token string) reasons.Reason {
	compact, ok := jose.Split(token)
	if !ok {
		return reasons.TokenInvalid
	}
	h, f := decodeHeader(compact.Header)
	if f != NoFault {
		return reasons.TokenInvalid
	}
	if h.kid.State == Absent {
		h.kid = Text{Present, kid}
	}
	set, err := jwks.ParseSet(document)
	if err != nil {
		return reasons.KeysUnavailable
	}
	v := New(jwks.Fixed(set, time.Hour), 0, 0)
	_, reason := v.checkSignature(ctx, &jws{Compact: compact, header: h}, time.Now())
	return reason
}
