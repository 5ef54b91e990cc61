package sessiontoken_test

import (
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
	"github.com/clerkauth/clerkauth/internal/jwks"
	"github.com/clerkauth/clerkauth/internal/reasons"
	"github.com/clerkauth/clerkauth/internal/sessiontoken"
)

// The claims of a machine's token that say what it may do are read only once its signature is verified.
func TestVerifyMachineReadsVerifiedClaims(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Now: harness.AtNoon})
	set, err := jwks.ParsePEM(clerk.JWTKey())
	if err != nil {
		t.Fatal(err)
	}
	v := sessiontoken.New(jwks.Fixed(set, time.Hour), 8, 0)
	honest := clerk.M2MJWT(clerktest.MachineClaims{Audience: []string{"billing"}})
	for raw, want := range map[string]struct {
		reason   reasons.Reason
		audience int
	}{honest: {"", 1}, harness.SpoilSignature(honest): {reasons.TokenSignature, 0}} {
		m, ok := sessiontoken.ReadMachine(raw)
		if !ok {
			t.Fatalf("ReadMachine(%q) = false, want true", raw)
		}
		if _, reason := v.VerifyMachine(t.Context(), m, harness.Noon); reason != want.reason || len(m.Aud) != want.audience {
			t.Errorf("VerifyMachine(%q) = %q with the audience %q, want %q with %d", raw, reason, m.Aud, want.reason, want.audience)
		}
	}
}
