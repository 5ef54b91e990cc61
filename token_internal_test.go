package clerkauth

import (
	"context"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/jwks"
)

// CheckSignature judges form, header, key and signature of a token against a JWKS document, and not its payload:
// there are vectors whose payload is no set of claims. kid is that of tokens without one.
func CheckSignature(ctx context.Context, document, kid, token string) Reason {
	compact, ok := jose.Split(token)
	if !ok {
		return ReasonTokenInvalid
	}
	h, ok := decodeHeader(compact.Header)
	if !ok {
		return ReasonTokenInvalid
	}
	if h.kid.state == absent {
		h.kid = text{present, kid}
	}
	set, err := jwks.ParseSet(document)
	if err != nil {
		return ReasonKeysUnavailable
	}
	v := verifier{keys: keys{jwks.Fixed(set, time.Hour)}}
	_, reason := v.checkSignature(ctx, &parsed{outside: &outside{Compact: compact, header: h}}, time.Now())
	return reason
}

// Generation is that of the keys at hand; 0: there are none.
func (a *Authenticator) Generation() uint64 {
	if s := a.verifier.keys.Current(); s != nil {
		return s.Generation
	}
	return 0
}
