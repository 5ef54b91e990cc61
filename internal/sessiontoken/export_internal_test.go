package sessiontoken

import (
	"context"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// CheckSignature judges form, header, key and signature of a token against a JWKS document, and not its payload:
// there are vectors whose payload is no set of claims. kid is that of tokens without one.
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
