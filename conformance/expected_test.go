package conformance_test

import (
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
)

// TestDevelopmentAnswersAreExpected tests what sendOut omits. In development anybody's link can contain a handshake result. If
// the browser was not redirected to a handshake, its result is neither accepted nor used up, and the browser is redirected.
func TestDevelopmentAnswersAreExpected(t *testing.T) {
	seen, sent := 0, 0
	for _, c := range load(t).cases["e_resolution"] {
		if !c.wasSentOut() || !c.navigates() || c.head() || c.hasBearer() || c.skipCause(t) != "" || only(append(
			c.handshakeParameters("__clerk_handshake"), c.handshakeParameters("__clerk_handshake_nonce")...)) == "" {
			continue
		}
		api := &backend{}
		api.serve(c.Backend)
		auth, err := clerkauth.New(c.config(t, api, c.parties()))
		if err != nil {
			continue
		}
		req, err := c.Request.build(t)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		state := auth.AuthenticateRequest(req)
		for _, made := range api.requests() {
			if strings.HasSuffix(made.URL, "/handshake_payload") {
				t.Errorf("%s: the nonce was exchanged", c.Name)
			}
		}
		if state.Token() != "" && state.Token() == c.Expect.Token {
			t.Errorf("%s: the handshake result was accepted", c.Name)
		}
		if back := state.Header.Get("Location"); strings.Contains(back, "__clerkauth_sent%3D") {
			sent++
		}
	}
	if load(t).builtIn && (seen == 0 || sent == 0) {
		t.Errorf("%d requests had a handshake result, and %d were redirected; want all", seen, sent)
	}
}
