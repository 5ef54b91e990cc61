package threats_test

import (
	"context"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// While the keys cannot be fetched, a planted token with an unknown kid may be anybody's. The
// cached keys verify a handshake's result, so a page starts one and is not 503.
func TestPlantedUnknownKeyInAnOutage(t *testing.T) {
	for _, own := range []string{"expired", "gone"} {
		now := harness.Noon
		v := newTraveller(t, production(&now))
		v.clerk.SignIn(v.browser.Jar, alice)
		v.visit("/me")
		now = now.Add(time.Hour)
		v.clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
		v.browser.Jar = v.clerk.Browser(nil).Jar // without a refresh cookie
		v.clerk.SignIn(v.browser.Jar, alice)
		v.plant("", harness.PartyName+"AAAAAAAA", "v2.1.x")
		if own == "expired" {
			v.plant("", "__session_"+harness.Suffix(v.clerk), v.clerk.Token(clerktest.Claims{Subject: alice.Claims.Subject, IssuedAt: now.Add(-30 * time.Minute)}))
		}
		v.plant("example.com", "__session", v.clerk.Token(clerktest.Claims{Subject: attacker, SessionID: "sess_2attacker", Header: map[string]any{"kid": "ins_other"}}))
		v.want("a page, its own token "+own, v.visit("/me"), 200, "hello user_2alice", 1)
		now = now.Add(10 * time.Hour)
		v.want("ten hours later", v.visit("/me"), 200, "hello user_2alice", 0) // refreshed: by now there is a party cookie
	}
}

// The same, request by request.
func TestUnknownKeyInAnOutage(t *testing.T) {
	for name, tt := range map[string]struct {
		own    string
		script bool
		noKeys bool
		first  bool // there is no party cookie
		ask    bool // AllowParty allows the origin, so that all tokens have the same rank
		status clerkauth.Status
		reason clerkauth.Reason
	}{
		"a page of its own":           {own: "good", status: clerkauth.StatusSignedIn},
		"a script":                    {own: "good", script: true, status: clerkauth.StatusSignedIn},
		"a page, asked for":           {own: "good", ask: true, status: clerkauth.StatusSignedIn},
		"a script, asked for":         {own: "good", ask: true, script: true, status: clerkauth.StatusSignedIn},
		"a page, expired":             {own: "expired", status: clerkauth.StatusHandshake, reason: clerkauth.ReasonKeysUnavailable},
		"a script, expired":           {own: "expired", script: true, status: clerkauth.StatusSignedOut, reason: clerkauth.ReasonKeysUnavailable},
		"a page, nothing":             {status: clerkauth.StatusHandshake, reason: clerkauth.ReasonKeysUnavailable},
		"a page, a first visit":       {own: "expired", first: true, status: clerkauth.StatusSignedOut, reason: clerkauth.ReasonKeysUnavailable},
		"a page, nothing and no keys": {noKeys: true, status: clerkauth.StatusSignedOut, reason: clerkauth.ReasonKeysUnavailable},
	} {
		var changes []func(*clerkauth.Config)
		if tt.ask {
			changes = append(changes, allowOnly(harness.Origin))
		}
		a := harness.NewApp(t, changes...)
		token := map[string]string{"good": a.Clerk.Token(clerktest.Claims{}), "expired": a.Expired(clerktest.Claims{}), "": "garbage"}[tt.own]
		if !tt.noKeys {
			a.AuthenticateRequest(a.Script(a.Clerk.Token(clerktest.Claims{Subject: "user_2warm"})))
		}
		a.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
		r := a.Page(token)
		if tt.script {
			r = a.Script(token)
		}
		planted := a.Clerk.Token(clerktest.Claims{SessionID: "sess_2attacker", Header: map[string]any{"kid": "ins_other"}})
		if !tt.first {
			r.Header.Add("Cookie", harness.PartyName+"AAAAAAAA=v2.1.x")
		}
		r.Header["Cookie"] = append([]string{"__session=" + planted}, r.Header["Cookie"]...)
		state := a.AuthenticateRequest(r)
		if reason := harness.Reason(t, state); state.Status != tt.status || reason != tt.reason {
			t.Errorf("%s: got %s %q, want %s %q", name, state.Status, reason, tt.status, tt.reason)
		}
		a.Clerk.Close()
	}
}

// allowOnly has AllowParty allow an origin that is not in the list.
func allowOnly(party string) func(*clerkauth.Config) {
	return func(c *clerkauth.Config) {
		c.AuthorizedParties = []string{"https://elsewhere.example.com"}
		c.AllowParty = func(_ context.Context, origin, _ string) bool { return origin == party }
	}
}
