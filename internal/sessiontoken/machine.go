package sessiontoken

import (
	"context"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth/internal/jose"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/reasons"
)

// MachineToken is a JWT of a machine or of OAuth: signed with the keys of session tokens, but never a session. Like a
// Token, it was read but not verified.
type MachineToken struct {
	*Claims

	OAuth    bool // an OAuth access token; otherwise a machine's
	Category bool // cat is not that of another kind
	Members  []jose.Member

	jws *jws
}

// accessToken reports whether typ is that of an OAuth access token (RFC 9068 section 2.1).
func (h *header) accessToken() bool {
	return h.typ.Value == "at+jwt" || h.typ.Value == "application/at+jwt"
}

// ofMachine reports whether the subject is a machine.
func ofMachine(c *Claims) bool { return strings.HasPrefix(c.Sub, "mch_") }

// ReadMachine reads a JWT of a machine or of OAuth. It reports false for anything else.
func ReadMachine(raw string) (*MachineToken, bool) {
	if Reject(raw, MaxSize) != NoFault {
		return nil, false
	}
	t := read(raw)
	if t.Fault != NoFault || len(t.jws.Signature) == 0 {
		return nil, false
	}
	m := &MachineToken{Claims: t.Claims, Members: t.jws.members, jws: t.jws}
	h := &t.jws.header
	switch {
	case ofMachine(t.Claims):
		m.Category = h.cat.State == Absent || h.cat.Value == categoryM2M
	case h.accessToken():
		// Clerk's access tokens have no category: each cat is of another kind.
		m.OAuth, m.Category, t.jws.access = true, h.cat.State == Absent, true
	default:
		return nil, false
	}
	return m, true
}

// VerifyMachine verifies the signature of a machine's token and reads the rest of its claims. It returns the keys with
// which it did.
func (v *Verifier) VerifyMachine(ctx context.Context, t *MachineToken, now time.Time) (*jwks.Snapshot, reasons.Reason) {
	keys, reason := v.checkSignature(ctx, t.jws, now)
	if reason == "" {
		t.expand(t.Members)
	}
	return keys, reason
}

// Detail describes, for logs, why VerifyMachine refused a token for reason.
func (t *MachineToken) Detail(reason reasons.Reason) error {
	return (&Token{jws: t.jws}).Detail(reason)
}
