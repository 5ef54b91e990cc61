package threats_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// Two sessions that this browser had here, and both are good: as before, nobody can tell.
func TestTwoSessionsWithPartyCookies(t *testing.T) {
	v := newVisitor(t)
	parties := []string{v.PartyCookie(v.claims(victim)), v.PartyCookie(v.claims(attacker))}
	for kind, r := range v.requests(v.token(victim), planted(v.token(attacker)), parties...) {
		for _, auth := range []*clerkauth.Authenticator{v.Replica(), v.Authenticator} {
			if got := who(t, auth.AuthenticateRequest(r)); got != string(clerkauth.ReasonSessionTokenAmbiguous) {
				t.Errorf("%s: %s", kind, got)
			}
		}
	}
	// Of one of them there is only an expired token left: the other decides.
	for kind, r := range v.requests(v.token(victim), planted(v.old(attacker)), parties...) {
		if got := who(t, v.AuthenticateRequest(r)); got != victim {
			t.Errorf("%s, the other expired: %s", kind, got)
		}
	}
}

// A party cookie does not make an old token the browser's present state: __client_uat has moved since.
func TestPartyCookieOfASessionBeforeTheLastSignIn(t *testing.T) {
	v := newVisitor(t)
	party, old := v.PartyCookie(v.claims(victim)), v.token(victim)
	v.Now = v.Now.Add(10 * time.Second)
	for kind, r := range v.requests(v.token(attacker), planted(old), party) {
		if got := who(t, v.AuthenticateRequest(r)); got != string(clerkauth.ReasonSessionTokenAmbiguous) {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

// A fetch between two page loads carries a planted session alone. It cannot be told from an account switch, but it does
// not take the party cookie, so that the next page knows who was here.
func TestPlantedBetweenTwoPages(t *testing.T) {
	v := newVisitor(t)
	party := v.PartyCookie(v.claims(victim))
	state := v.AuthenticateRequest(v.Script(v.token(attacker), party))
	if c := harness.SetPartyCookie(state); c != nil {
		t.Fatalf("a fetch replaces another session's party cookie: %v", c)
	}
	for _, kind := range []string{"page", "fetch", "write"} {
		r := v.requests(v.token(victim), planted(v.token(attacker)), party)[kind+", planted before"]
		if got := who(t, v.AuthenticateRequest(r)); got != victim {
			t.Errorf("%s after it: %s", kind, got)
		}
	}
	// Past half its life a fetch of the same session renews it, planted session or not, and of another does not.
	v.Now = v.Now.Add(4 * 24 * time.Hour)
	renewed := harness.SetPartyCookie(v.AuthenticateRequest(v.requests(v.token(victim), planted(v.token(attacker)), party)["fetch, planted before"]))
	if renewed == nil || renewed.Name+"="+renewed.Value == party {
		t.Errorf("party cookie %v, want it renewed", renewed)
	}
	if c := harness.SetPartyCookie(v.AuthenticateRequest(v.Script(v.token(attacker), party))); c != nil {
		t.Errorf("a fetch of another session renews it: %v", c)
	}
}

// A StateKey that is changed makes party cookies unusable, and no more: they are as if they were not there.
func TestStateKeyRotated(t *testing.T) {
	v := newVisitor(t, func(c *clerkauth.Config) { c.StateKey = []byte(strings.Repeat("a", 32)) })
	party := v.PartyCookie(v.claims(victim))
	rotated := v.Replica(func(c *clerkauth.Config) { c.StateKey = []byte(strings.Repeat("b", 32)) })
	for kind, r := range map[string]*http.Request{"page": v.Page(v.token(victim), party), "fetch": v.Script(v.token(victim), party)} {
		state := rotated.AuthenticateRequest(r)
		if got := who(t, state); got != victim {
			t.Errorf("%s: %s", kind, got)
		}
		fresh := harness.SetPartyCookie(state)
		if fresh == nil || strings.HasPrefix(party, fresh.Name+"=") {
			t.Errorf("%s: party cookie %v, want one of another name", kind, fresh)
			continue
		}
		ask := v.requests(v.token(victim), planted(v.token(attacker)), party, fresh.Name+"="+fresh.Value)["fetch, planted before"]
		if got := who(t, rotated.AuthenticateRequest(ask)); got != victim {
			t.Errorf("%s, then a planted session: %s", kind, got)
		}
	}
}

// Two services of one host share its cookies and have different keys: neither touches the other's.
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
			t.Fatalf("visit %d: party cookie %v", i, c)
		}
		if c != nil {
			cookies = append(cookies, c.Name+"="+c.Value)
		}
	}
	for i, auth := range services {
		for kind, r := range v.requests(v.token(victim), planted(v.token(attacker)), cookies...) {
			if got := who(t, auth.AuthenticateRequest(r)); got != victim {
				t.Errorf("service %d, %s: %s", i, kind, got)
			}
		}
		if got := who(t, auth.AuthenticateRequest(v.Script(v.WithoutAZP(v.claims(victim)), cookies...))); got != victim {
			t.Errorf("service %d, a token without azp: %s", i, got)
		}
	}
}

// A response that also deletes what a handshake left must not be cached at all; that it gets a party cookie too does
// not change that.
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
