package threats_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// Forgeries under the published key, planted for 400 days, cause no handshake once the visitor has
// a party cookie. Without one they do until their signatures were tried, a few for each request.
func TestForgeriesPlantedForLong(t *testing.T) {
	harness.Long(t)
	for n, without := range map[int]int{3: 0, 4: 1, 12: 3, 60: 15} {
		for held, want := range map[bool]int{true: 0, false: without} {
			synctest.Test(t, func(t *testing.T) {
				if got := handshakesAmongForgeries(t, n, held); got != want {
					t.Errorf("%d forgeries, party cookie %t: %d handshakes for 50 pages, want %d", n, held, got, want)
				}
			})
		}
	}
}

// handshakesAmongForgeries returns how many of 50 page loads with n forgeries make a handshake.
// Call it in a synctest bubble, where it waits for the fetch of keys that a page load begins.
func handshakesAmongForgeries(t *testing.T, n int, held bool) int {
	t.Helper()
	v := newVisitor(t)
	plant := planted(repeat(n, v.forged)...)
	var own []string
	if held {
		own = []string{v.PartyCookie(v.claims(victim))}
	}
	handshakes := 0
	for range 50 {
		v.Now = v.Now.Add(50 * time.Second)
		state := v.AuthenticateRequest(v.requests(v.token(victim), plant, own...)["page, planted before"])
		synctest.Wait()
		if state.Status == clerkauth.StatusHandshake {
			handshakes++
		} else if got := who(t, state); got != victim {
			t.Fatalf("%d forgeries, party cookie %t: got %s, want %s", n, held, got, victim)
		}
	}
	return handshakes
}

// A forgery is remembered for a minute, with the keys that it was tried with: another key may have
// signed it.
func TestForgeriesAreTriedAgain(t *testing.T) {
	v := newVisitor(t)
	plant := planted(repeat(5, v.forged)...)
	ask := func() string {
		return who(t, v.AuthenticateRequest(v.requests(v.token(victim), plant)["fetch, planted before"]))
	}
	ambiguous := string(clerkauth.ReasonSessionTokenAmbiguous)
	if first, second := ask(), ask(); first != ambiguous || second != victim {
		t.Fatalf("got %s, then %s, want %s %s", first, second, ambiguous, victim)
	}
	v.Clerk.RotateKey()
	harness.WantState(t, v.AuthenticateRequest(v.Script(v.token(victim))), clerkauth.StatusSignedIn, "")
	if first, second := ask(), ask(); first != ambiguous || second != victim {
		t.Errorf("with new keys %s, then %s, want %s %s", first, second, ambiguous, victim)
	}
	v.Now = v.Now.Add(time.Minute)
	if first, second := ask(), ask(); first != ambiguous || second != victim {
		t.Errorf("a minute later %s, then %s, want %s %s", first, second, ambiguous, victim)
	}
}

// An unknown key is not fetched when another token has passed. When none has, it is, once.
func TestUnknownKeysBesideAGoodToken(t *testing.T) {
	v := newVisitor(t)
	party := v.PartyCookie(v.claims(victim))
	plant := planted(repeat(10, func(n int) string {
		c := v.claims(attacker)
		c.Header = map[string]any{"kid": fmt.Sprintf("ins_%d", n)}
		return v.Clerk.Token(c)
	})...)
	for _, own := range [][]string{nil, {party}} {
		for _, where := range []string{"before", "behind"} {
			v.Now = v.Now.Add(11 * time.Second)
			v.Clerk.ResetRequests()
			if got := who(t, v.AuthenticateRequest(v.requests(v.token(victim), plant, own...)["fetch, planted "+where])); got != victim {
				t.Errorf("planted %s: got %s, want %s", where, got, victim)
			}
			if n := len(v.Clerk.Requests()); n != 0 {
				t.Errorf("planted %s: %d requests for keys, want none", where, n)
			}
		}
	}
	v.Now = v.Now.Add(11 * time.Second)
	v.Clerk.ResetRequests()
	who(t, v.AuthenticateRequest(v.requests(v.old(victim), plant)["fetch, planted before"]))
	if n := len(v.Clerk.Requests()); n != 1 {
		t.Errorf("%d requests for keys where nothing passes, want 1", n)
	}
}

// After a rotation the visitor's token has a key that is not cached, and the attacker's token
// passes. The key of the session with a party cookie is fetched nevertheless.
func TestRotationBesideAPlantedSession(t *testing.T) {
	v := newVisitor(t)
	party, old := v.PartyCookie(v.claims(victim)), v.token(attacker)
	harness.WantState(t, v.AuthenticateRequest(v.Script(old)), clerkauth.StatusSignedIn, "")
	v.Clerk.RotateKey()
	for kind, r := range v.requests(v.token(victim), planted(old), party) {
		if got := who(t, v.AuthenticateRequest(r)); got != victim {
			t.Errorf("%s: got %s, want %s", kind, got, victim)
		}
	}
}

// The same while the keys cannot be fetched: it is not known whether the visitor's token is good,
// and the attacker's does not replace it.
func TestRotationOutOfReachBesideAPlantedSession(t *testing.T) {
	v := newVisitor(t)
	party, old := v.PartyCookie(v.claims(victim)), v.token(attacker)
	harness.WantState(t, v.AuthenticateRequest(v.Script(old)), clerkauth.StatusSignedIn, "")
	v.Clerk.RotateKey()
	v.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	for kind, r := range v.requests(v.token(victim), planted(old), party) {
		if got := who(t, v.AuthenticateRequest(r)); got != string(clerkauth.ReasonSessionTokenAmbiguous) {
			t.Errorf("%s: got %s, want %s", kind, got, clerkauth.ReasonSessionTokenAmbiguous)
		}
	}
}

// Keys that cannot be fetched sign nobody out, whatever was planted beside the token that needs them.
func TestCannotTellBesidePlantedCookies(t *testing.T) {
	harness.Long(t)
	v := newVisitor(t)
	v.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	for what, plant := range v.unusablePlants() {
		for kind, r := range v.requests(v.token(victim), plant) {
			if got := who(t, v.Replica().AuthenticateRequest(r)); got != string(clerkauth.ReasonKeysUnavailable) {
				t.Errorf("%s, %s: got %s, want %s", what, kind, got, clerkauth.ReasonKeysUnavailable)
			}
		}
	}
}

// AllowParty is called for tokens whose signature is valid, and not before, with the request's own
// deadline.
func TestAllowPartyAmongPlantedCookies(t *testing.T) {
	var calls []string
	v := newVisitor(t, func(c *clerkauth.Config) {
		c.AuthorizedParties = []string{"https://www.example.com"}
		c.AllowParty = func(ctx context.Context, origin, _ string) bool {
			if _, ok := ctx.Deadline(); ok {
				t.Error("AllowParty has a deadline that is not the request's")
			}
			calls = append(calls, origin)
			return origin == "https://example.com"
		}
	})
	plant := planted(slices.Concat(repeat(2, v.forged), repeat(1, func(int) string {
		c := v.claims(attacker)
		c.AuthorizedParty = "https://sibling.example.com"
		return v.Clerk.Token(c)
	}), repeat(20, func(n int) string {
		c := v.claims(attacker)
		c.AuthorizedParty, c.IssuedAt = fmt.Sprintf("https://s%d.example.com", n), v.Now.Add(-time.Hour)
		return v.Clerk.Forge(c)
	}))...)
	for kind, r := range v.requests(v.token(victim), plant) {
		calls = nil
		if got := who(t, v.AuthenticateRequest(r)); got != victim {
			t.Errorf("%s: got %s, want %s", kind, got, victim)
		}
		if i := slices.IndexFunc(calls, func(origin string) bool { return strings.HasPrefix(origin, "https://s0") }); i >= 0 {
			t.Errorf("%s: AllowParty was called for the forgery of %s", kind, calls[i])
		}
	}
}

// A request waits once for keys that are never sent, and not once for each cookie.
func TestKeysThatHangBesidePlantedCookies(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Clerk.Fault(clerktest.BackendJWKS, clerktest.Hang)
		r := harness.Request("GET", "/", harness.With("Cookie", planted(repeat(16, func(n int) string {
			return k.Clerk.Token(clerktest.Claims{SessionID: fmt.Sprintf("sess_%d", n), Header: map[string]any{"kid": fmt.Sprintf("ins_%d", n)}})
		})...)+"; __client_uat=1"))
		begun := time.Now()
		if got := who(k.T, k.Auth.AuthenticateRequest(r)); got != string(clerkauth.ReasonKeysUnavailable) {
			k.Errorf("got %s, want %s", got, clerkauth.ReasonKeysUnavailable)
		}
		if waited := time.Since(begun); waited > 3*time.Second {
			k.Errorf("waited for %s, want 3 s at most", waited)
		}
	})
}

// A cached token shares no memory with its request: it keeps no Cookie header alive.
func TestCachedTokensKeepNoHeaders(t *testing.T) {
	v := newVisitor(t)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	const tokens, size = 32, 1 << 20
	ask := func(n int) {
		c := v.claims(fmt.Sprintf("user_2n%d", n))
		party := v.PartyCookie(c)
		r := v.Script(v.Clerk.Token(c), party)
		// One string, as net/http reads it.
		r.Header["Cookie"] = []string{"theme=" + strings.Repeat("x", size) + "; " + strings.Join(r.Header["Cookie"], "; ")}
		auth := v.Authenticator
		if n%2 == 0 {
			auth = v.second // did not set the cookie, but accepts it
		}
		harness.WantState(t, auth.AuthenticateRequest(r), clerkauth.StatusSignedIn, "")
	}
	ask(0)
	before := heap()
	for n := range tokens {
		ask(n)
	}
	if grown := int64(heap()) - int64(before); grown > tokens*size/8 { //nolint:gosec // a heap is far smaller than 1<<63
		t.Errorf("%d cached tokens, whose requests had %d bytes of cookies, keep %d bytes, want %d at most", tokens, size, grown, tokens*size/8)
	}
	runtime.KeepAlive(v)
}
