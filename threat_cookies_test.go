package clerkauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// visitor is somebody's browser, in which a sibling subdomain plants cookies of its own.
type visitor struct {
	*bound
	suffix string
}

const (
	victim   = "user_2victim"
	attacker = "user_2attacker"
)

func newVisitor(t *testing.T, changes ...func(*clerkauth.Config)) *visitor {
	t.Helper()
	v := &visitor{bound: newBound(t, func(c *clerkauth.Config) {
		for _, change := range changes {
			change(c)
		}
	})}
	_, v.suffix, _ = strings.Cut(v.clerk.Cookies("x")[1].Name, "__session_")
	return v
}

func (v *visitor) claims(user string) clerktest.Claims {
	return clerktest.Claims{Subject: user, SessionID: strings.Replace(user, "user_2", "sess_2", 1), IssuedAt: v.now}
}

// token is a good session token of a user at the application.
func (v *visitor) token(user string) string { return v.clerk.Token(v.claims(user)) }

// old is one that has expired.
func (v *visitor) old(user string) string { return v.expired(v.claims(user)) }

// forged claims to be a good token of the instance, under its published key. They differ in n.
func (v *visitor) forged(n int) string {
	c := v.claims(fmt.Sprintf("user_2forged%d", n))
	c.ExpiresAt = v.now.Add(400 * 24 * time.Hour)
	return v.clerk.Forge(c)
}

// planted are session cookies of the plain name with these tokens, as one header line.
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

// requests are what a browser with these cookies may send: its own, and planted ones before or behind them.
func (v *visitor) requests(token, plant string, own ...string) map[string]*http.Request {
	all := map[string]*http.Request{}
	for kind, r := range map[string]*http.Request{"page": v.page(token, own...), "fetch": v.script(token, own...), "write": v.script(token, own...)} {
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

// replica is an Authenticator that has seen nothing yet, neither keys nor tokens.
func (v *visitor) replica() *clerkauth.Authenticator { return v.authenticator(nil) }

// who is the user that a decision signs in, or the reason why it is nobody.
func who(t *testing.T, s *clerkauth.RequestState) string {
	t.Helper()
	if reason := reasonOf(t, s); reason != "" {
		return string(reason)
	}
	return s.Session.UserID
}

// worthlessPlants are cookies that sign nobody in, up to as many as are read.
func (v *visitor) worthlessPlants() map[string]string {
	expired := func(n int) string { return v.old(fmt.Sprintf("user_2old%d", n)) }
	return map[string]string{
		"garbage":                planted(repeat(500, func(n int) string { return fmt.Sprintf("garbage.%d", n) })...),
		"three forgeries":        planted(repeat(3, v.forged)...),
		"the attacker's expired": planted(repeat(60, expired)...),
		"the sibling's own": planted(repeat(60, func(n int) string {
			c := v.claims(attacker)
			c.AuthorizedParty = fmt.Sprintf("https://s%d.example.com", n)
			return v.clerk.Token(c)
		})...),
		"another issuer's": planted(repeat(60, func(n int) string {
			c := v.claims(attacker)
			c.Issuer = fmt.Sprintf("https://clerk%d.evil.example", n)
			return v.clerk.Token(c)
		})...),
		"of keys that nobody has": planted(repeat(15, func(n int) string {
			c := v.claims(attacker)
			c.Header = map[string]any{"kid": fmt.Sprintf("ins_%d", n)}
			return v.clerk.Forge(c)
		})...),
		"of no key": planted(repeat(60, func(n int) string {
			c := v.claims(attacker)
			c.IssuedAt = v.now.Add(-time.Duration(n) * time.Millisecond)
			c.Header = map[string]any{"kid": clerktest.Absent}
			return v.clerk.Token(c)
		})...),
		"signed with another alg": planted(repeat(60, func(n int) string {
			c := v.claims(fmt.Sprintf("user_2alg%d", n))
			c.Header = map[string]any{"alg": "HS256"}
			return v.clerk.Token(c)
		})...),
		"expired, with refresh cookie": planted(repeat(16, expired)...) + "; __refresh_" + v.suffix + "=rt_attacker",
	}
}

// Worthless cookies hide nobody, with a party cookie or without, whether or not the keys are at hand and the visitor's
// own token was seen before.
func TestPlantedCookiesHideNobody(t *testing.T) {
	v := newVisitor(t)
	party := v.party(v.claims(victim))
	for what, plant := range v.worthlessPlants() {
		for held, own := range map[string][]string{"no party cookie": nil, "a party cookie": {party}} {
			token := v.token(victim)
			for kind, r := range v.requests(token, plant, own...) {
				auth := v.replica()
				if got := who(t, auth.AuthenticateRequest(r)); got != victim {
					t.Errorf("%s, %s, %s, keys not at hand: %s", what, held, kind, got)
				}
				if got := who(t, auth.AuthenticateRequest(r)); got != victim {
					t.Errorf("%s, %s, %s, seen before: %s", what, held, kind, got)
				}
			}
		}
	}
}

// On a quiet site the keys are too old to be used as they are. What the tokens say is known all the same.
func TestQuietSite(t *testing.T) {
	v := newVisitor(t)
	wantState(t, v.auth.AuthenticateRequest(v.page(v.token(victim))), clerkauth.SignedIn, "")
	for _, kind := range []string{"page", "fetch", "write"} {
		for _, where := range []string{"before", "behind"} {
			v.now = v.now.Add(10 * time.Minute)
			plant := planted(repeat(6, func(n int) string { return v.old(fmt.Sprintf("user_2old%d", n)) })...)
			r := v.requests(v.token(victim), plant)[kind+", planted "+where]
			if got := who(t, v.auth.AuthenticateRequest(r)); got != victim {
				t.Errorf("%s, planted %s: %s", kind, where, got)
			}
		}
	}
}

// The attacker's own session and forgeries that say all the right things come before the visitor's token. With a party
// cookie they change nothing; without one nobody can tell, and it is not the attacker's.
func TestPlantedSessionAndForgeries(t *testing.T) {
	v := newVisitor(t)
	party := v.party(v.claims(victim))
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
					auth := v.replica()
					if seen == "seen before" {
						wantState(t, auth.AuthenticateRequest(v.script(token)), clerkauth.SignedIn, "")
					}
					if got := who(t, auth.AuthenticateRequest(r)); got != want {
						t.Errorf("%d forgeries, %s, %s, %s: %s, want %s", n, seen, held, kind, got, want)
					}
				}
			}
		}
	}
}

// Two sessions that this browser had here, and both are good: as before, nobody can tell.
func TestTwoSessionsWithPartyCookies(t *testing.T) {
	v := newVisitor(t)
	parties := []string{v.party(v.claims(victim)), v.party(v.claims(attacker))}
	for kind, r := range v.requests(v.token(victim), planted(v.token(attacker)), parties...) {
		if got := who(t, v.auth.AuthenticateRequest(r)); got != string(clerkauth.ReasonSessionTokenAmbiguous) {
			t.Errorf("%s: %s", kind, got)
		}
	}
	// Of one of them there is only an expired token left: the other decides.
	for kind, r := range v.requests(v.token(victim), planted(v.old(attacker)), parties...) {
		if got := who(t, v.auth.AuthenticateRequest(r)); got != victim {
			t.Errorf("%s, the other expired: %s", kind, got)
		}
	}
}

// A party cookie does not make an old token the browser's present state: __client_uat has moved since.
func TestPartyCookieOfASessionBeforeTheLastSignIn(t *testing.T) {
	v := newVisitor(t)
	party, old := v.party(v.claims(victim)), v.token(victim)
	v.now = v.now.Add(10 * time.Second)
	for kind, r := range v.requests(v.token(attacker), planted(old), party) {
		if got := who(t, v.auth.AuthenticateRequest(r)); got != string(clerkauth.ReasonSessionTokenAmbiguous) {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

// The visitor's token has just expired, and a fresh one was planted beside it. Theirs is the session to recover, on pages
// and for fetches: recovering it signs nobody else in.
func TestPlantedBesideAnExpiredSession(t *testing.T) {
	v := newVisitor(t)
	party, expired := v.party(v.claims(victim)), v.old(victim)
	for what, plant := range map[string]string{
		"a session":                planted(v.token(attacker)),
		"a session and its old":    planted(v.token(attacker), v.old(attacker)),
		"a session and forgeries":  planted(append(repeat(10, v.forged), v.token(attacker))...),
		"sixteen expired sessions": planted(repeat(16, func(n int) string { return v.old(fmt.Sprintf("user_2old%d", n)) })...),
	} {
		for kind, r := range v.requests(expired, plant, party) {
			for _, auth := range []*clerkauth.Authenticator{v.replica(), v.auth} {
				state := auth.AuthenticateRequest(r)
				want := clerkauth.SignedOut
				if strings.HasPrefix(kind, "page") {
					want = clerkauth.Handshake
				}
				wantState(t, state, want, clerkauth.ReasonTokenExpired)
				if t.Failed() {
					t.Fatalf("%s, %s", what, kind)
				}
			}
		}
		// With a refresh cookie it is refreshed, and nobody else's is.
		fresh := v.token(victim)
		v.refreshes(0, "__session="+fresh+"; Path=/")
		for kind, r := range v.requests(expired, plant, party, v.refreshCookie()) {
			if r.Method == http.MethodPost {
				continue
			}
			v.clerk.ResetRequests()
			if got := who(t, v.replica().AuthenticateRequest(r)); got != victim {
				t.Errorf("%s, %s, to be refreshed: %s", what, kind, got)
			}
			for _, asked := range v.clerk.Requests() {
				if asked.Endpoint == clerktest.BackendRefresh && asked.Path != "/v1/sessions/sess_2victim/refresh" {
					t.Errorf("%s, %s: asked %s", what, kind, asked.Path)
				}
			}
		}
	}
}

// Without a party cookie, expired tokens that disagree are not refreshed: whose refresh cookie came is not known.
func TestExpiredSessionsThatDisagreeAreNotRefreshed(t *testing.T) {
	v := newVisitor(t)
	v.refreshes(0, "__session="+v.token(attacker)+"; Path=/")
	for what, plant := range map[string]string{
		"one":            planted(v.old(attacker)),
		"many":           planted(repeat(20, func(n int) string { return v.old(fmt.Sprintf("user_2old%d", n)) })...),
		"more than many": planted(repeat(70, func(n int) string { return v.old(fmt.Sprintf("user_2old%d", n)) })...),
	} {
		for kind, r := range v.requests(v.old(victim), plant, v.refreshCookie()) {
			state := v.replica().AuthenticateRequest(r)
			if got := who(t, state); got == attacker || got == victim {
				t.Errorf("%s, %s: signed in as %s", what, kind, got)
			}
			if page := strings.HasPrefix(kind, "page"); page != (state.Status == clerkauth.Handshake) {
				t.Errorf("%s, %s: %s", what, kind, state.Status)
			}
		}
	}
}

// Forgeries under the published key, planted for 400 days, send the visitor nowhere once they have a party cookie, and
// without one until their signatures were tried, a few for each request.
func TestForgeriesPlantedForLong(t *testing.T) {
	for n, without := range map[int]int{3: 0, 4: 1, 12: 3, 60: 15} {
		for _, held := range []bool{true, false} {
			v := newVisitor(t)
			plant := planted(repeat(n, v.forged)...)
			var own []string
			want := without
			if held {
				own, want = []string{v.party(v.claims(victim))}, 0
			}
			handshakes := 0
			for range 50 {
				v.now = v.now.Add(50 * time.Second)
				state := v.auth.AuthenticateRequest(v.requests(v.token(victim), plant, own...)["page, planted before"])
				v.auth.Settle()
				if state.Status == clerkauth.Handshake {
					handshakes++
				} else if got := who(t, state); got != victim {
					t.Fatalf("%d forgeries, party cookie %t: %s", n, held, got)
				}
			}
			if handshakes != want {
				t.Errorf("%d forgeries, party cookie %t: %d handshakes for 50 pages, want %d", n, held, handshakes, want)
			}
		}
	}
}

// A forgery is remembered for a minute, with the keys that it was tried with: others may have signed it.
func TestForgeriesAreTriedAgain(t *testing.T) {
	v := newVisitor(t)
	plant := planted(repeat(5, v.forged)...)
	ask := func() string {
		return who(t, v.auth.AuthenticateRequest(v.requests(v.token(victim), plant)["fetch, planted before"]))
	}
	ambiguous := string(clerkauth.ReasonSessionTokenAmbiguous)
	if first, second := ask(), ask(); first != ambiguous || second != victim {
		t.Fatalf("got %s, then %s", first, second)
	}
	v.clerk.RotateKey()
	wantState(t, v.auth.AuthenticateRequest(v.script(v.token(victim))), clerkauth.SignedIn, "")
	if first, second := ask(), ask(); first != ambiguous || second != victim {
		t.Errorf("with new keys %s, then %s", first, second)
	}
	v.now = v.now.Add(time.Minute)
	if first, second := ask(), ask(); first != ambiguous || second != victim {
		t.Errorf("a minute later %s, then %s", first, second)
	}
}

// When another token has passed, a key that nobody knows is not asked for; when none has, it is, once.
func TestUnknownKeysBesideAGoodToken(t *testing.T) {
	v := newVisitor(t)
	party := v.party(v.claims(victim))
	plant := planted(repeat(10, func(n int) string {
		c := v.claims(attacker)
		c.Header = map[string]any{"kid": fmt.Sprintf("ins_%d", n)}
		return v.clerk.Token(c)
	})...)
	for _, own := range [][]string{nil, {party}} {
		for _, where := range []string{"before", "behind"} {
			v.now = v.now.Add(11 * time.Second)
			v.clerk.ResetRequests()
			if got := who(t, v.auth.AuthenticateRequest(v.requests(v.token(victim), plant, own...)["fetch, planted "+where])); got != victim {
				t.Errorf("planted %s: %s", where, got)
			}
			if n := len(v.clerk.Requests()); n != 0 {
				t.Errorf("planted %s: %d requests for keys, want none", where, n)
			}
		}
	}
	v.now = v.now.Add(11 * time.Second)
	v.clerk.ResetRequests()
	who(t, v.auth.AuthenticateRequest(v.requests(v.old(victim), plant)["fetch, planted before"]))
	if n := len(v.clerk.Requests()); n != 1 {
		t.Errorf("%d requests for keys where nothing passes, want 1", n)
	}
}

// After a rotation the visitor's token has a key that is not at hand, and the attacker's passes. What a party cookie
// holds for is asked for all the same.
func TestRotationBesideAPlantedSession(t *testing.T) {
	v := newVisitor(t)
	party, old := v.party(v.claims(victim)), v.token(attacker)
	wantState(t, v.auth.AuthenticateRequest(v.script(old)), clerkauth.SignedIn, "")
	v.clerk.RotateKey()
	for kind, r := range v.requests(v.token(victim), planted(old), party) {
		if got := who(t, v.auth.AuthenticateRequest(r)); got != victim {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

// Keys out of reach are no reason to sign anybody out, whatever was planted beside the token that needs them.
func TestCannotTellBesidePlantedCookies(t *testing.T) {
	v := newVisitor(t)
	v.clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	for what, plant := range v.worthlessPlants() {
		for kind, r := range v.requests(v.token(victim), plant) {
			if got := who(t, v.replica().AuthenticateRequest(r)); got != string(clerkauth.ReasonKeysUnavailable) {
				t.Errorf("%s, %s: %s", what, kind, got)
			}
		}
	}
}

// A fetch between two page loads carries a planted session alone. It cannot be told from an account switch, but it does
// not take the party cookie, so that the next page knows who was here.
func TestPlantedBetweenTwoPages(t *testing.T) {
	v := newVisitor(t)
	party := v.party(v.claims(victim))
	state := v.auth.AuthenticateRequest(v.script(v.token(attacker), party))
	if c := setParty(state); c != nil {
		t.Fatalf("a fetch replaces another session's party cookie: %v", c)
	}
	for _, kind := range []string{"page", "fetch", "write"} {
		r := v.requests(v.token(victim), planted(v.token(attacker)), party)[kind+", planted before"]
		if got := who(t, v.auth.AuthenticateRequest(r)); got != victim {
			t.Errorf("%s after it: %s", kind, got)
		}
	}
	// Past half its life a fetch of the same session renews it, planted session or not, and of another does not.
	v.now = v.now.Add(4 * 24 * time.Hour)
	renewed := setParty(v.auth.AuthenticateRequest(v.requests(v.token(victim), planted(v.token(attacker)), party)["fetch, planted before"]))
	if renewed == nil || renewed.Name+"="+renewed.Value == party {
		t.Errorf("party cookie %v, want it renewed", renewed)
	}
	if c := setParty(v.auth.AuthenticateRequest(v.script(v.token(attacker), party))); c != nil {
		t.Errorf("a fetch of another session renews it: %v", c)
	}
}

// A StateKey that is changed makes party cookies worthless, and no more: they are as if they were not there.
func TestStateKeyRotated(t *testing.T) {
	v := newVisitor(t, func(c *clerkauth.Config) { c.StateKey = []byte(strings.Repeat("a", 32)) })
	party := v.party(v.claims(victim))
	rotated := v.authenticator(func(c *clerkauth.Config) { c.StateKey = []byte(strings.Repeat("b", 32)) })
	for kind, r := range map[string]*http.Request{"page": v.page(v.token(victim), party), "fetch": v.script(v.token(victim), party)} {
		state := rotated.AuthenticateRequest(r)
		if got := who(t, state); got != victim {
			t.Errorf("%s: %s", kind, got)
		}
		fresh := setParty(state)
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
		services = append(services, v.authenticator(func(c *clerkauth.Config) { c.StateKey = []byte(strings.Repeat(key, 32)) }))
	}
	for i, auth := range append(services, services...) {
		c := setParty(auth.AuthenticateRequest(v.page(v.token(victim), cookies...)))
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
		if got := who(t, auth.AuthenticateRequest(v.script(v.without(v.claims(victim)), cookies...))); got != victim {
			t.Errorf("service %d, a token without azp: %s", i, got)
		}
	}
}
