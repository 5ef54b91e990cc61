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

// ofKey is a good token of a user, except that its kid is another.
func (v *visitor) ofKey(user, kid string) string {
	c := v.claims(user)
	c.Header = map[string]any{"kid": kid}
	return v.Clerk.Token(c)
}

// While the keys cannot be loaded, nobody can tell who a visitor is, and that is the answer however
// many cookies were planted.
func TestPlantedCookiesDuringAnOutage(t *testing.T) {
	v := newVisitor(t)
	v.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	four := planted(repeat(4, func(n int) string { return v.token(fmt.Sprintf("user_2planted%d", n)) })...)
	for kind, r := range v.requests(v.token(victim), four) {
		if got := who(t, v.Replica().AuthenticateRequest(r)); got != string(clerkauth.ReasonKeysUnavailable) {
			t.Errorf("AuthenticateRequest(%s, four tokens) = %s, want %s", kind, got, clerkauth.ReasonKeysUnavailable)
		}
	}
	many := v.Script("")
	many.Header.Set("Cookie", "__client_uat=1; "+planted(repeat(20, func(n int) string { return v.token(fmt.Sprintf("user_2planted%d", n)) })...))
	if got := who(t, v.Replica().AuthenticateRequest(many)); got != string(clerkauth.ReasonKeysUnavailable) {
		t.Errorf("AuthenticateRequest(twenty planted tokens) = %s, want %s", got, clerkauth.ReasonKeysUnavailable)
	}
}

// The keys are old and the fetch of new ones hangs. A token of a key that is not among the old ones
// may be the visitor's new session, so that one of the old keys does not count beside it.
func TestUnknownKeyWhileTheFetchHangs(t *testing.T) {
	for _, where := range []string{"before", "behind"} {
		harness.WithKeys(t, func(k *harness.Keyed) {
			k.Want(k.Token, "", 0)
			time.Sleep(10 * time.Minute)
			k.Fault(clerktest.Hang)
			cookies := []string{k.Token, k.Clerk.Token(clerktest.Claims{
				SessionID: "sess_2new", IssuedAt: k.Begun, ExpiresAt: k.Begun.Add(time.Hour), Header: map[string]any{"kid": "ins_2new"},
			})}
			if where == "before" {
				slices.Reverse(cookies)
			}
			r := harness.Request("GET", harness.Origin, harness.With("Sec-Fetch-Dest", "empty"), harness.With("Cookie", planted(cookies...)+"; __client_uat=1"))
			if got := harness.Reason(k.T, k.Auth.AuthenticateRequest(r)); got != clerkauth.ReasonSessionTokenAmbiguous {
				k.Errorf("AuthenticateRequest(the unknown key %s) = %q, want %q", where, got, clerkauth.ReasonSessionTokenAmbiguous)
			}
		})
	}
}

// Before any key is loaded, a token whose kid no key can have does not take the place of the
// visitor's.
func TestImpossibleKidsBeforeTheKeysAreLoaded(t *testing.T) {
	v := newVisitor(t)
	plant := planted(repeat(16, func(n int) string { return v.ofKey(fmt.Sprintf("user_2kid%d", n), strings.Repeat("k", 300)) })...)
	if got := who(t, v.AuthenticateRequest(v.requests(v.token(victim), plant)["fetch, planted before"])); got != victim {
		t.Errorf("AuthenticateRequest(sixteen planted before) = %s, want %s", got, victim)
	}
}

// AllowParty may look into a database: it is called once for each token, also where the keys are
// loaded meanwhile.
func TestAllowPartyIsCalledOncePerToken(t *testing.T) {
	calls := map[string]int{}
	v := newVisitor(t, func(c *clerkauth.Config) {
		c.AllowParty = func(_ context.Context, origin, _ string) bool { calls[origin]++; return false }
	})
	tokens := map[string]string{}
	for _, party := range []string{"https://a.test", "https://b.test"} {
		c := v.claims(attacker)
		c.AuthorizedParty = party
		tokens[party] = v.Clerk.Token(c)
	}
	r := v.Script("")
	r.Header.Set("Cookie", "__client_uat=1; "+planted(tokens["https://a.test"], tokens["https://b.test"]))
	v.AuthenticateRequest(r)
	for party := range tokens {
		if calls[party] != 1 {
			t.Errorf("AllowParty was called %d times for %s, want once", calls[party], party)
		}
	}
}

// What is not read of too many session cookies may be of another session, so that no expired token
// among them is refreshed.
func TestNotRefreshedAmongTooManyCookies(t *testing.T) {
	v := newVisitor(t)
	v.AnswerRefreshes(0, "__session="+v.token(victim)+"; Path=/")
	expired, suffix := v.old(victim), harness.Suffix(v.Clerk)
	v.AuthenticateRequest(v.Script(expired))
	v.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	for more, want := range map[int]string{0: victim, 64: string(clerkauth.ReasonTokenExpired)} {
		r := v.Script("")
		r.Header.Set("Cookie", strings.Join([]string{
			"__session=" + v.ofKey(victim, "ins_2new"), "__client_uat=0", v.NewRefreshCookie(), "__client_uat_" + suffix + "=1",
			strings.Repeat("__session_"+suffix+"="+expired+"; ", 1+more),
		}, "; "))
		if got := who(t, v.AuthenticateRequest(r)); got != want {
			t.Errorf("AuthenticateRequest(%d more cookies) = %s, want %s", more, got, want)
		}
	}
}

// No browser keeps a cookie that is larger than 4 KB, so that the Backend API gets no request for
// one.
func TestLargestRefreshCookie(t *testing.T) {
	v := newVisitor(t)
	v.AnswerRefreshes(0, "__session="+v.token(victim)+"; Path=/")
	for size, want := range map[int]string{4 << 10: victim, 4<<10 + 1: string(clerkauth.ReasonTokenExpired)} {
		before := harness.Requests(v.Clerk, clerktest.BackendRefresh)
		r := v.Script(v.old(victim), "__refresh_"+harness.Suffix(v.Clerk)+"="+strings.Repeat("r", size))
		if got := who(t, v.AuthenticateRequest(r)); got != want {
			t.Errorf("AuthenticateRequest(a refresh cookie of %d bytes) = %s, want %s", size, got, want)
		}
		if n := harness.Requests(v.Clerk, clerktest.BackendRefresh) - before; (n == 1) != (want == victim) {
			t.Errorf("a refresh cookie of %d bytes: %d requests to the Backend API, want one only if it is used", size, n)
		}
	}
}
