package threats_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// This browser had two sessions here, and both are good: which one is meant is ambiguous.
func TestTwoSessionsWithPartyCookies(t *testing.T) {
	v := newVisitor(t)
	parties := []string{v.PartyCookie(v.claims(victim)), v.PartyCookie(v.claims(attacker))}
	for kind, r := range v.requests(v.token(victim), planted(v.token(attacker)), parties...) {
		for _, auth := range []*clerkauth.Authenticator{v.Replica(), v.Authenticator} {
			if got := who(t, auth.AuthenticateRequest(r)); got != string(clerkauth.ReasonSessionTokenAmbiguous) {
				t.Errorf("%s: got %s, want %s", kind, got, clerkauth.ReasonSessionTokenAmbiguous)
			}
		}
	}
	// Only an expired token is left of one of them: the other decides.
	for kind, r := range v.requests(v.token(victim), planted(v.old(attacker)), parties...) {
		if got := who(t, v.AuthenticateRequest(r)); got != victim {
			t.Errorf("%s, the other expired: got %s, want %s", kind, got, victim)
		}
	}
}

// A party cookie does not make an old token the browser's present state: __client_uat has changed
// since.
func TestPartyCookieOfASessionBeforeTheLastSignIn(t *testing.T) {
	v := newVisitor(t)
	party, old := v.PartyCookie(v.claims(victim)), v.token(victim)
	v.Now = v.Now.Add(10 * time.Second)
	for kind, r := range v.requests(v.token(attacker), planted(old), party) {
		if got := who(t, v.AuthenticateRequest(r)); got != string(clerkauth.ReasonSessionTokenAmbiguous) {
			t.Errorf("%s: got %s, want %s", kind, got, clerkauth.ReasonSessionTokenAmbiguous)
		}
	}
}

// A fetch between two page loads has only a planted session. It looks like an account switch, but
// it does not replace the party cookie, so that the next page knows whose browser it is.
func TestPlantedBetweenTwoPages(t *testing.T) {
	v := newVisitor(t)
	party := v.PartyCookie(v.claims(victim))
	state := v.AuthenticateRequest(v.Script(v.token(attacker), party))
	if c := harness.SetPartyCookie(state); c != nil {
		t.Fatalf("a fetch replaces the party cookie of another session: %v", c)
	}
	for _, kind := range []string{"page", "fetch", "write"} {
		r := v.requests(v.token(victim), planted(v.token(attacker)), party)[kind+", planted before"]
		if got := who(t, v.AuthenticateRequest(r)); got != victim {
			t.Errorf("%s after it: got %s, want %s", kind, got, victim)
		}
	}
	// After half its life a fetch of the same session renews it, with or without a planted session.
	// One of another does not.
	v.Now = v.Now.Add(4 * 24 * time.Hour)
	renewed := harness.SetPartyCookie(v.AuthenticateRequest(v.requests(v.token(victim), planted(v.token(attacker)), party)["fetch, planted before"]))
	if renewed == nil || renewed.Name+"="+renewed.Value == party {
		t.Errorf("party cookie %v, want it renewed", renewed)
	}
	if c := harness.SetPartyCookie(v.AuthenticateRequest(v.Script(v.token(attacker), party))); c != nil {
		t.Errorf("a fetch of another session renews the party cookie: %v", c)
	}
}

// A changed StateKey makes party cookies unusable: it is as if there were none.
func TestStateKeyRotated(t *testing.T) {
	v := newVisitor(t, func(c *clerkauth.Config) { c.StateKey = []byte(strings.Repeat("a", 32)) })
	party := v.PartyCookie(v.claims(victim))
	rotated := v.Replica(func(c *clerkauth.Config) { c.StateKey = []byte(strings.Repeat("b", 32)) })
	for kind, r := range map[string]*http.Request{"page": v.Page(v.token(victim), party), "fetch": v.Script(v.token(victim), party)} {
		state := rotated.AuthenticateRequest(r)
		if got := who(t, state); got != victim {
			t.Errorf("%s: got %s, want %s", kind, got, victim)
		}
		fresh := harness.SetPartyCookie(state)
		if fresh == nil || strings.HasPrefix(party, fresh.Name+"=") {
			t.Errorf("%s: party cookie %v, want one of another name", kind, fresh)
			continue
		}
		ask := v.requests(v.token(victim), planted(v.token(attacker)), party, fresh.Name+"="+fresh.Value)["fetch, planted before"]
		if got := who(t, rotated.AuthenticateRequest(ask)); got != victim {
			t.Errorf("%s, then a planted session: got %s, want %s", kind, got, victim)
		}
	}
}

// Two services of one host share its cookies and have different keys: neither changes the other's.
func TestTwoServicesOfOneHost(t *testing.T) {
	v := newVisitor(t)
	var cookies []string
	services := []*clerkauth.Authenticator{}
	for _, key := range []string{"a", "b"} {
		services = append(services, v.Replica(func(c *clerkauth.Config) { c.StateKey = []byte(strings.Repeat(key, 32)) }))
	}
	for i, auth := range append(services, services...) {
		c := harness.SetPartyCookie(auth.AuthenticateRequest(v.Page(v.token(victim), cookies...)))
		if (c != nil) != (i < 2) {
			t.Fatalf("visit %d: set the party cookie %v, want one: %t", i, c, i < 2)
		}
		if c != nil {
			cookies = append(cookies, c.Name+"="+c.Value)
		}
	}
	for i, auth := range services {
		for kind, r := range v.requests(v.token(victim), planted(v.token(attacker)), cookies...) {
			if got := who(t, auth.AuthenticateRequest(r)); got != victim {
				t.Errorf("service %d, %s: got %s, want %s", i, kind, got, victim)
			}
		}
		if got := who(t, auth.AuthenticateRequest(v.Script(v.WithoutAZP(v.claims(victim)), cookies...))); got != victim {
			t.Errorf("service %d, a token without azp: got %s, want %s", i, got, victim)
		}
	}
}

// A response that also deletes handshake parameters must not be cached at all. A party cookie in it
// does not change that.
func TestPartyCookieBesideADeletion(t *testing.T) {
	v := newVisitor(t)
	state := v.AuthenticateRequest(v.Page(v.token(victim), "__clerk_handshake_nonce=nonexistent"))
	harness.WantState(t, state, clerkauth.StatusSignedIn, "")
	if set := harness.SetCookies(state); harness.SetPartyCookie(state) == nil || set["__clerk_handshake_nonce"] == nil {
		t.Fatalf("cookies %v, want a party cookie and the deletion of the nonce", set)
	}
	if got := state.Header.Get("Cache-Control"); !strings.Contains(got, "no-store") {
		t.Errorf("Cache-Control %q, want no-store", got)
	}
}
