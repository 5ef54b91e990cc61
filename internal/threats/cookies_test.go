package threats_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// visitor is a person's browser, in which a sibling subdomain plants cookies.
type visitor struct {
	*harness.App
	second *clerkauth.Authenticator // another process of the same application
}

const (
	victim   = "user_2victim"
	attacker = "user_2attacker"
)

func newVisitor(t *testing.T, changes ...func(*clerkauth.Config)) *visitor {
	t.Helper()
	v := &visitor{App: harness.NewApp(t, changes...)}
	v.second = v.Replica()
	return v
}

func (v *visitor) claims(user string) clerktest.Claims {
	return clerktest.Claims{Subject: user, SessionID: strings.Replace(user, "user_2", "sess_2", 1), IssuedAt: v.Now}
}

// token is a good session token of a user at the application.
func (v *visitor) token(user string) string { return v.Clerk.Token(v.claims(user)) }

// old returns an expired session token of a user.
func (v *visitor) old(user string) string { return v.Expired(v.claims(user)) }

// forged returns a token that looks like a good one of the instance under its published key. They
// differ in n.
func (v *visitor) forged(n int) string {
	c := v.claims(fmt.Sprintf("user_2forged%d", n))
	c.ExpiresAt = v.Now.Add(400 * 24 * time.Hour)
	return v.Clerk.Forge(c)
}

// planted returns session cookies of the plain name with these tokens, as one header line.
func planted(tokens ...string) string {
	return "__session=" + strings.Join(tokens, "; __session=")
}

func repeat(n int, token func(int) string) []string {
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = token(i)
	}
	return tokens
}

// requests returns the requests of a browser with these cookies: planted ones before or behind its own.
func (v *visitor) requests(token, plant string, own ...string) map[string]*http.Request {
	all := map[string]*http.Request{}
	for kind, r := range map[string]*http.Request{"page": v.Page(token, own...), "fetch": v.Script(token, own...), "write": v.Script(token, own...)} {
		if kind == "write" {
			r.Method = http.MethodPost
		}
		mine := strings.Join(r.Header["Cookie"], "; ")
		for where, cookie := range map[string]string{"before": plant + "; " + mine, "behind": mine + "; " + plant} {
			ask := r.Clone(r.Context())
			ask.Header["Cookie"] = []string{cookie}
			all[kind+", planted "+where] = ask
		}
	}
	return all
}

// who returns the user that a decision signs in, or the reason why it signs nobody in.
func who(t *testing.T, s *clerkauth.RequestState) string {
	t.Helper()
	if reason := harness.Reason(t, s); reason != "" {
		return string(reason)
	}
	return s.Session.UserID
}

// unusablePlants returns cookies that sign nobody in, up to as many as are read.
func (v *visitor) unusablePlants() map[string]string {
	expired := func(n int) string { return v.old(fmt.Sprintf("user_2old%d", n)) }
	return map[string]string{
		"garbage":                planted(repeat(500, func(n int) string { return fmt.Sprintf("garbage.%d", n) })...),
		"three forgeries":        planted(repeat(3, v.forged)...),
		"the attacker's expired": planted(repeat(60, expired)...),
		"the sibling's own": planted(repeat(60, func(n int) string {
			c := v.claims(attacker)
			c.AuthorizedParty = fmt.Sprintf("https://s%d.example.com", n)
			return v.Clerk.Token(c)
		})...),
		"another issuer's": planted(repeat(60, func(n int) string {
			c := v.claims(attacker)
			c.Issuer = fmt.Sprintf("https://clerk%d.evil.example", n)
			return v.Clerk.Token(c)
		})...),
		"of keys that nobody has": planted(repeat(15, func(n int) string {
			c := v.claims(attacker)
			c.Header = map[string]any{"kid": fmt.Sprintf("ins_%d", n)}
			return v.Clerk.Forge(c)
		})...),
		"of no key": planted(repeat(60, func(n int) string {
			c := v.claims(fmt.Sprintf("user_2kid%d", n))
			c.Header = map[string]any{"kid": clerktest.Absent}
			return v.Clerk.Token(c)
		})...),
		"of a key's name too long": planted(repeat(60, func(n int) string {
			c := v.claims(fmt.Sprintf("user_2kid%d", n))
			c.Header = map[string]any{"kid": strings.Repeat("k", 300)}
			return v.Clerk.Token(c)
		})...),
		"of another type": planted(repeat(60, func(n int) string {
			c := v.claims(fmt.Sprintf("user_2typ%d", n))
			c.Header = map[string]any{"typ": "JOSE"}
			return v.Clerk.Token(c)
		})...),
		"that never expire": planted(repeat(60, func(n int) string {
			c := v.claims(fmt.Sprintf("user_2exp%d", n))
			c.Extra = map[string]any{"exp": clerktest.Absent}
			return v.Clerk.Token(c)
		})...),
		"signed with another alg": planted(repeat(60, func(n int) string {
			c := v.claims(fmt.Sprintf("user_2alg%d", n))
			c.Header = map[string]any{"alg": "RS512"}
			return v.Clerk.Token(c)
		})...),
		"expired, with refresh cookie": planted(repeat(16, expired)...) + "; __refresh_" + harness.Suffix(v.Clerk) + "=rt_attacker",
	}
}

// Unusable cookies sign nobody out, with a party cookie or without, whether or not the keys are
// cached and the visitor's own token was seen before.
func TestPlantedCookiesHideNobody(t *testing.T) {
	harness.Long(t)
	v := newVisitor(t)
	party := v.PartyCookie(v.claims(victim))
	for what, plant := range v.unusablePlants() {
		for held, own := range map[string][]string{"no party cookie": nil, "a party cookie": {party}} {
			token := v.token(victim)
			for kind, r := range v.requests(token, plant, own...) {
				auth := v.Replica()
				if got := who(t, auth.AuthenticateRequest(r)); got != victim {
					t.Errorf("%s, %s, %s, keys not at hand: got %s, want %s", what, held, kind, got, victim)
				}
				if got := who(t, auth.AuthenticateRequest(r)); got != victim {
					t.Errorf("%s, %s, %s, seen before: got %s, want %s", what, held, kind, got, victim)
				}
			}
		}
	}
}

// On a site with few requests the cached keys are too old to be used. What the tokens say is read
// all the same.
func TestQuietSite(t *testing.T) {
	v := newVisitor(t)
	harness.WantState(t, v.AuthenticateRequest(v.Page(v.token(victim))), clerkauth.StatusSignedIn, "")
	for _, kind := range []string{"page", "fetch", "write"} {
		for _, where := range []string{"before", "behind"} {
			v.Now = v.Now.Add(10 * time.Minute)
			plant := planted(repeat(6, func(n int) string { return v.old(fmt.Sprintf("user_2old%d", n)) })...)
			r := v.requests(v.token(victim), plant)[kind+", planted "+where]
			if got := who(t, v.AuthenticateRequest(r)); got != victim {
				t.Errorf("%s, planted %s: got %s, want %s", kind, where, got, victim)
			}
		}
	}
}

// The attacker's own session and forgeries with all the right claims precede the visitor's token.
// With a party cookie they change nothing. Without one the session is ambiguous, and the attacker's
// is not chosen.
func TestPlantedSessionAndForgeries(t *testing.T) {
	harness.Long(t)
	v := newVisitor(t)
	party := v.PartyCookie(v.claims(victim))
	for n := range 20 {
		plant := planted(append(repeat(n, v.forged), v.token(attacker))...)
		for _, seen := range []string{"not seen before", "seen before"} {
			token := v.token(victim)
			for held, own := range map[string][]string{"no party cookie": nil, "a party cookie": {party}} {
				want := victim
				if own == nil {
					want = string(clerkauth.ReasonSessionTokenAmbiguous)
				}
				for kind, r := range v.requests(token, plant, own...) {
					auth := v.Replica()
					if seen == "seen before" {
						harness.WantState(t, auth.AuthenticateRequest(v.Script(token)), clerkauth.StatusSignedIn, "")
					}
					if got := who(t, auth.AuthenticateRequest(r)); got != want {
						t.Errorf("%d forgeries, %s, %s, %s: got %s, want %s", n, seen, held, kind, got, want)
					}
				}
			}
		}
	}
}

// The visitor's token has just expired, and a fresh one was planted beside it. The visitor's
// session is recovered, on pages and for fetches, and nobody else is signed in.
func TestPlantedBesideAnExpiredSession(t *testing.T) {
	v := newVisitor(t)
	party, expired := v.PartyCookie(v.claims(victim)), v.old(victim)
	for what, plant := range map[string]string{
		"a session":                planted(v.token(attacker)),
		"a session and its old":    planted(v.token(attacker), v.old(attacker)),
		"a session and forgeries":  planted(append(repeat(10, v.forged), v.token(attacker))...),
		"sixteen expired sessions": planted(repeat(16, func(n int) string { return v.old(fmt.Sprintf("user_2old%d", n)) })...),
	} {
		for kind, r := range v.requests(expired, plant, party) {
			for _, auth := range []*clerkauth.Authenticator{v.Replica(), v.Authenticator} {
				state := auth.AuthenticateRequest(r)
				want := clerkauth.StatusSignedOut
				if strings.HasPrefix(kind, "page") {
					want = clerkauth.StatusHandshake
				}
				harness.WantState(t, state, want, clerkauth.ReasonTokenExpired)
				if t.Failed() {
					t.Fatalf("in the case %s, %s", what, kind)
				}
			}
		}
		// With a refresh cookie the visitor's session is refreshed, and no other.
		fresh := v.token(victim)
		v.AnswerRefreshes(0, "__session="+fresh+"; Path=/")
		for kind, r := range v.requests(expired, plant, party, v.RefreshCookie()) {
			if r.Method == http.MethodPost {
				continue
			}
			v.Clerk.ResetRequests()
			if got := who(t, v.Replica().AuthenticateRequest(r)); got != victim {
				t.Errorf("%s, %s, to be refreshed: got %s, want %s", what, kind, got, victim)
			}
			for _, requested := range v.Clerk.Requests() {
				if requested.Endpoint == clerktest.BackendRefresh && requested.Path != "/v1/sessions/sess_2victim/refresh" {
					t.Errorf("%s, %s: the refresh is sent to %s, want /v1/sessions/sess_2victim/refresh", what, kind, requested.Path)
				}
			}
		}
	}
}

// Without a party cookie, expired tokens of different sessions are not refreshed: it is not known
// which of them the refresh cookie belongs to.
func TestExpiredSessionsThatDisagreeAreNotRefreshed(t *testing.T) {
	v := newVisitor(t)
	v.AnswerRefreshes(0, "__session="+v.token(attacker)+"; Path=/")
	for what, plant := range map[string]string{
		"one":  planted(v.old(attacker)),
		"many": planted(repeat(20, func(n int) string { return v.old(fmt.Sprintf("user_2old%d", n)) })...),
		"forgeries": planted(repeat(8, func(n int) string {
			c := v.claims(fmt.Sprintf("user_2old%d", n))
			c.IssuedAt = v.Now.Add(-time.Hour)
			return v.Clerk.Forge(c)
		})...),
		"more than many": planted(repeat(70, func(n int) string { return v.old(fmt.Sprintf("user_2old%d", n)) })...),
	} {
		for kind, r := range v.requests(v.old(victim), plant, v.RefreshCookie()) {
			state := v.Replica().AuthenticateRequest(r)
			if got := who(t, state); got == attacker || got == victim {
				t.Errorf("%s, %s: signed in as %s, want nobody", what, kind, got)
			}
			if page := strings.HasPrefix(kind, "page"); page != (state.Status == clerkauth.StatusHandshake) {
				t.Errorf("%s, %s: got %s, want a handshake for pages only", what, kind, state.Status)
			}
		}
	}
}
