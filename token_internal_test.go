package clerkauth

import (
	"context"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
)

// CheckSignature judges form, header, key and signature of a token against a JWKS document, and not its payload:
// there are vectors whose payload is no set of claims. kid is that of tokens without one.
func CheckSignature(ctx context.Context, jwks, kid, token string) Reason {
	v := verifier{keys: &keys{
		source: func(context.Context, string, bool) (document, error) { return document{body: jwks}, nil },
		now:    time.Now, maxAge: time.Hour, warn: func(error) {},
	}}
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
	_, reason := v.checkSignature(ctx, &parsed{outside: &outside{Compact: compact, header: h}}, time.Now())
	return reason
}

// Generation is that of the keys at hand; 0: there are none.
func (a *Authenticator) Generation() uint64 {
	if s := a.verifier.keys.current.Load(); s != nil {
		return s.generation
	}
	return 0
}
