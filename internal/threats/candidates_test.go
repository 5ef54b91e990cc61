package threats_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A cookie that a handshake can replace still leads to one beside cookies that it cannot help.
func TestRecoverableBesideUnusableCookies(t *testing.T) {
	v := newVisitor(t)
	future := v.Now.Add(time.Hour)
	for want, c := range map[clerkauth.Reason]clerktest.Claims{
		clerkauth.ReasonTokenExpired:       {IssuedAt: v.Now.Add(-time.Hour)},
		clerkauth.ReasonTokenNotActiveYet:  {IssuedAt: v.Now, NotBefore: future, ExpiresAt: future},
		clerkauth.ReasonTokenFromTheFuture: {IssuedAt: future, NotBefore: v.Now, ExpiresAt: future},
		clerkauth.ReasonTokenMissingAZP:    {Extra: map[string]any{"azp": clerktest.Absent}},
	} {
		for what, plant := range map[string]string{
			"garbage":   planted("garbage"),
			"a forgery": planted(v.forged(0)),
			"the sibling's own": planted(repeat(20, func(n int) string {
				return v.Clerk.Token(clerktest.Claims{AuthorizedParty: fmt.Sprintf("https://s%d.example.com", n)})
			})...),
		} {
			for _, where := range []string{"before", "behind"} {
				r := v.requests(v.Clerk.Token(c), plant)["page, planted "+where]
				harness.WantState(t, v.Replica().AuthenticateRequest(r), clerkauth.StatusHandshake, want)
				if t.Failed() {
					t.Fatalf("in the case %s %s", what, where)
				}
			}
		}
	}
}

// Unknown keys are fetched for a few tokens of a request only. With more, it is unclear whether
// anybody is signed in.
func TestManyUnknownKeys(t *testing.T) {
	v := newVisitor(t)
	for n, want := range map[int]clerkauth.Reason{15: clerkauth.ReasonTokenExpired, 16: clerkauth.ReasonSessionTokenAmbiguous, 20: clerkauth.ReasonSessionTokenAmbiguous} {
		plant := planted(repeat(n, func(n int) string {
			c := v.claims(attacker)
			c.Header = map[string]any{"kid": fmt.Sprintf("ins_%d", n)}
			return v.Clerk.Token(c)
		})...)
		harness.WantState(t, v.Replica().AuthenticateRequest(v.requests(v.old(victim), plant)["page, planted before"]), clerkauth.StatusHandshake, want)
	}
}

// Claims that are not verified only rank a token. What they say of a session with a party cookie is
// not believed when the signature fails.
func TestForgeriesOfTheVisitorsSession(t *testing.T) {
	v := newVisitor(t)
	party := v.PartyCookie(v.claims(victim))
	c := v.claims(victim)
	c.ExpiresAt = v.Now.Add(time.Hour)
	fresh := v.Clerk.Forge(c)
	c.ExpiresAt, c.IssuedAt = time.Time{}, v.Now.Add(-time.Hour)
	expired := v.Clerk.Forge(c)
	for what, plant := range map[string]string{"fresh": planted(fresh), "expired": planted(expired), "both": planted(expired, fresh)} {
		for kind, r := range v.requests(v.token(attacker), plant, party) {
			if strings.HasPrefix(kind, "page") {
				continue
			}
			if got := who(t, v.Replica().AuthenticateRequest(r)); got != attacker { // only the party cookie is the victim's
				t.Errorf("%s, %s: got %s, want %s", what, kind, got, attacker)
			}
		}
		for kind, r := range v.requests(v.token(victim), plant, party) {
			if got := who(t, v.Replica().AuthenticateRequest(r)); got != victim {
				t.Errorf("%s beside the honest one, %s: got %s, want %s", what, kind, got, victim)
			}
		}
	}
	// There are more of them than signatures are verified: which token is the visitor's is unclear.
	plant := planted(repeat(6, func(n int) string {
		c.IssuedAt = c.IssuedAt.Add(time.Duration(n) * time.Second)
		return v.Clerk.Forge(c)
	})...)
	for _, kind := range []string{"fetch, planted before", "write, planted before"} {
		r := v.requests(v.token(attacker), plant, party)[kind]
		if got := who(t, v.Replica().AuthenticateRequest(r)); got != string(clerkauth.ReasonSessionTokenAmbiguous) {
			t.Errorf("six forgeries, %s: got %s, want %s", kind, got, clerkauth.ReasonSessionTokenAmbiguous)
		}
	}
}

// The same session is under both names, once older. The party cookie lets the newer token count.
func TestOneSessionUnderTwoNames(t *testing.T) {
	v := newVisitor(t)
	older := v.token(victim)
	v.Now = v.Now.Add(20 * time.Second)
	party, newer := v.PartyCookie(v.claims(victim)), v.token(victim)
	for _, own := range [][]string{nil, {party}} {
		for what, names := range map[string][2]string{"plain": {older, newer}, "suffixed": {newer, older}} {
			r := v.Script("", own...)
			r.Header["Cookie"] = []string{strings.Join(append([]string{
				"__session_" + harness.Suffix(v.Clerk) + "=" + names[0], "__session=" + names[1], planted(v.old(attacker)),
				fmt.Sprintf("__client_uat=%d", v.Now.Unix()-30), fmt.Sprintf("__client_uat_%s=%d", harness.Suffix(v.Clerk), v.Now.Unix()-30),
			}, own...), "; ")}
			state := v.AuthenticateRequest(r)
			if got := who(t, state); got != victim || state.Token() != newer {
				t.Errorf("newer %s, party cookie %t: got %s, newer token %t, want %s with the newer token", what, own != nil, got, state.Token() == newer, victim)
			}
		}
	}
}

// On a site with few requests, a token that was verified before is recognized as soon as the keys
// are fetched. No signature is verified for it.
func TestVerifiedBeforeTheKeysWentStale(t *testing.T) {
	v := newVisitor(t)
	c := v.claims(victim)
	c.ExpiresAt = v.Now.Add(time.Hour)
	token := v.Clerk.Token(c)
	harness.WantState(t, v.AuthenticateRequest(v.Script(token)), clerkauth.StatusSignedIn, "")
	v.Now = v.Now.Add(10 * time.Minute)
	r := v.requests(token, planted(repeat(4, v.forged)...))["fetch, planted before"]
	if got := who(t, v.AuthenticateRequest(r)); got != victim {
		t.Errorf("behind four forgeries: got %s, want %s", got, victim)
	}
}

// Once a session with a party cookie passes, planted tokens cost no signature and no call of
// AllowParty.
func TestPartyCookieEndsTheSearch(t *testing.T) {
	var requested []string
	v := newVisitor(t, func(c *clerkauth.Config) {
		c.AllowParty = func(_ context.Context, origin, _ string) bool {
			requested = append(requested, origin)
			return false
		}
	})
	c := v.claims(attacker)
	c.AuthorizedParty = "https://sibling.example.com"
	party, plant := v.PartyCookie(v.claims(victim)), planted(v.Clerk.Token(c))
	for _, own := range [][]string{{party}, nil} {
		requested = nil
		if got := who(t, v.AuthenticateRequest(v.requests(v.token(victim), plant, own...)["fetch, planted before"])); got != victim {
			t.Errorf("party cookie %t: got %s, want %s", own != nil, got, victim)
		}
		if got := slices.Contains(requested, c.AuthorizedParty); got != (own == nil) {
			t.Errorf("party cookie %t: AllowParty was called for the planted token: %t, want %t", own != nil, got, own == nil)
		}
	}
}

// An expired token is not refreshed when another one, of any session, could not be judged.
func TestNotRefreshedBesideATokenThatCannotBeJudged(t *testing.T) {
	v := newVisitor(t)
	v.AnswerRefreshes(0, "__session="+v.token(attacker)+"; Path=/")
	expired := v.old(attacker)
	v.AuthenticateRequest(v.Script(expired))
	v.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	c := v.claims(victim)
	c.Header = map[string]any{"kid": "ins_2new"}
	r := v.Script("")
	r.Header["Cookie"] = []string{strings.Join([]string{
		"__session=" + v.Clerk.Token(c), "__client_uat=0",
		"__session_" + harness.Suffix(v.Clerk) + "=" + expired, "__client_uat_" + harness.Suffix(v.Clerk) + "=1", v.RefreshCookie(),
	}, "; ")}
	if got := who(t, v.AuthenticateRequest(r)); got == attacker {
		t.Error("the attacker's session was refreshed")
	}
	if n := harness.Requests(v.Clerk, clerktest.BackendRefresh); n != 0 {
		t.Errorf("%d refreshes, want none", n)
	}
}

// Where tokens without azp, or of any party, are accepted, they are judged like any other.
func TestInsecurelyAllowedAmongExpiredTokens(t *testing.T) {
	for what, change := range map[string]func(*clerkauth.Config){
		"without azp":  func(c *clerkauth.Config) { c.InsecureAllowCookieWithoutParty = true },
		"of any party": func(c *clerkauth.Config) { c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true },
	} {
		v := newVisitor(t, change)
		token := v.WithoutAZP(v.claims(victim))
		if what == "of any party" {
			c := v.claims(victim)
			c.AuthorizedParty = "https://anywhere.example.com"
			token = v.Clerk.Token(c)
		}
		plant := planted(repeat(20, func(n int) string { return v.old(fmt.Sprintf("user_2old%d", n)) })...)
		for kind, r := range v.requests(token, plant) {
			if got := who(t, v.Replica(change).AuthenticateRequest(r)); got != victim {
				t.Errorf("%s, %s: got %s, want %s", what, kind, got, victim)
			}
		}
	}
}

// Beside the visitor's expired token, what can sign nobody in causes no fetch of its key.
func TestUnusableBesideAnExpiredTokenCostsNothing(t *testing.T) {
	v := newVisitor(t)
	c := v.claims(attacker)
	c.Issuer, c.Header = "https://clerk.evil.example", map[string]any{"kid": "ins_unknown"}
	plant := planted(v.Clerk.Token(c))
	auth := v.Replica()
	auth.AuthenticateRequest(v.Script(v.token(victim)))
	before := len(v.Clerk.Requests())
	harness.WantState(t, auth.AuthenticateRequest(v.requests(v.old(victim), plant)["page, planted before"]), clerkauth.StatusHandshake, clerkauth.ReasonTokenExpired)
	if requested := v.Clerk.Requests()[before:]; len(requested) > 0 {
		t.Errorf("asked for %v, want nothing", requested)
	}
}
