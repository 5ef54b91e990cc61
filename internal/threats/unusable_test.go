package threats_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// unusable makes session tokens that sign nobody in. The forged ones have all the right claims:
// only their signature is wrong.
type unusable struct {
	*visitor
	rng    *rand.Rand
	tokens []string
	forged []string
}

func newUnusable(v *visitor, rng *rand.Rand) *unusable {
	w := &unusable{visitor: v, rng: rng}
	for n := range 150 {
		c := v.claims(fmt.Sprintf("user_2planted%d", n))
		w.forged = append(w.forged, v.Clerk.Forge(c))
		switch n % 8 {
		case 0:
			w.tokens = append(w.tokens, strings.Repeat("garbage.", n%4)+fmt.Sprint(n))
			continue
		case 1:
			c.IssuedAt = v.Now.Add(-time.Hour)
		case 2:
			c.IssuedAt = v.Now.Add(-time.Hour)
			w.tokens = append(w.tokens, v.Clerk.Forge(c))
			continue
		case 3:
			c.Issuer = "https://clerk.evil.example"
		case 4:
			c.AuthorizedParty = "https://evil.example.com"
		case 5:
			c.Header = map[string]any{"kid": fmt.Sprintf("ins_2planted%d", n)}
		case 6:
			c.Header = map[string]any{"alg": "HS256"}
		case 7:
			c.Header = map[string]any{"cat": "cl_other"}
		}
		w.tokens = append(w.tokens, v.Clerk.Token(c))
	}
	return w
}

// some returns up to limit of these, in any order and perhaps twice.
func (w *unusable) some(tokens []string, limit int) []string {
	picked := make([]string, w.rng.IntN(limit+1))
	for i := range picked {
		picked[i] = tokens[w.rng.IntN(len(tokens))]
	}
	return picked
}

// mix plants tokens among the visitor's own cookies, under either name.
func (w *unusable) mix(own []string, tokens []string) string {
	all := slices.Clone(own)
	for _, token := range tokens {
		name := []string{"__session", "__session_" + harness.Suffix(w.Clerk)}[w.rng.IntN(2)]
		all = slices.Insert(all, w.rng.IntN(len(all)+1), name+"="+token)
	}
	return strings.Join(all, "; ")
}

// own returns the visitor's cookies with this token: under both names, or as older or newer scripts
// set them alone.
func (w *unusable) own(token, party string) []string {
	uat := fmt.Sprint(w.Now.Unix())
	plain := []string{"__session=" + token, "__client_uat=" + uat}
	suffixed := []string{"__session_" + harness.Suffix(w.Clerk) + "=" + token, "__client_uat_" + harness.Suffix(w.Clerk) + "=" + uat}
	own := [][]string{slices.Concat(plain, suffixed), plain, slices.Concat(suffixed, plain[1:])}[w.rng.IntN(3)]
	if party != "" {
		own = append(own, party)
	}
	return own
}

// ask decides with an Authenticator with or without keys, cache and the token in the cache.
func (w *unusable) ask(cookie, token string) (string, *clerkauth.RequestState) {
	auth, how := w.Replica(), "a new replica"
	switch w.rng.IntN(4) {
	case 0:
		auth.AuthenticateRequest(w.Script(token))
		how = "token seen before"
	case 1:
		auth.AuthenticateRequest(w.Script("garbage." + token))
		how = "keys at hand"
	case 2:
		auth = w.Replica(func(c *clerkauth.Config) { c.TokenCacheSize = -1 })
		how = "no cache"
	}
	r := w.Script("")
	if w.rng.IntN(2) == 0 {
		r, how = w.Page(""), how+", page"
	} else if w.rng.IntN(2) == 0 {
		r.Method = http.MethodPost
	}
	r.Header["Cookie"] = []string{cookie}
	return how, auth.AuthenticateRequest(r)
}

// Unusable cookies, in any number and order, never change who is signed in. Where there are more
// than are judged, nobody may be signed in. A few forgeries are not ambiguous, and neither are more
// with a party cookie.
func TestUnusableCookiesChangeNothing(t *testing.T) {
	harness.Long(t)
	v := newVisitor(t)
	rng := rand.New(rand.NewPCG(11, 4)) //nolint:gosec // not for secrets
	party := v.PartyCookie(v.claims(victim))
	w := newUnusable(v, rng)
	doubts := 0
	for range 300 {
		held := []string{"", party}[rng.IntN(2)]
		want, token := victim, v.token(victim)
		switch rng.IntN(4) {
		case 0:
			want, token = "", v.old(victim)
		case 1:
			want, token = "", ""
		}
		forged := []int{0, 3, 80}[rng.IntN(3)]
		planted := slices.Concat(w.some(w.tokens, []int{5, 50, 200}[rng.IntN(3)]), w.some(w.forged, forged))
		rng.Shuffle(len(planted), func(i, j int) { planted[i], planted[j] = planted[j], planted[i] })
		how, state := w.ask(w.mix(w.own(token, held), planted), v.token(victim))
		got := ""
		if state.Status == clerkauth.StatusSignedIn {
			got = state.Session.UserID
		}
		certain := len(planted) < 60 && (held != "" || forged <= 3)
		if want != "" && got == "" && !certain && harness.Reason(t, state) == clerkauth.ReasonSessionTokenAmbiguous {
			doubts++
			continue
		}
		if got != want {
			t.Errorf("%d planted, up to %d forged, party cookie %t, %s: signed in %q, want %q (%v)", len(planted), forged, held != "", how, got, want, state.Err)
		}
	}
	if doubts < 10 || doubts > 100 {
		t.Errorf("%d requests in doubt, want 10 to 100: otherwise the test does not show what it should", doubts)
	}
}

// The same for a token without azp: a party cookie decides, whatever else was sent.
func TestUnusableCookiesBesideATokenWithoutAZP(t *testing.T) {
	harness.Long(t)
	v := newVisitor(t)
	rng := rand.New(rand.NewPCG(11, 5)) //nolint:gosec // not for secrets
	party := v.PartyCookie(v.claims(victim))
	w := newUnusable(v, rng)
	c := v.claims(victim)
	c.Extra = map[string]any{"azp": clerktest.Absent}
	token := v.Clerk.Token(c)
	for range 40 {
		planted := slices.Concat(w.some(w.tokens, 30), w.some(w.forged, 30))
		for held, want := range map[string]string{party: victim, "": ""} {
			how, state := w.ask(w.mix(w.own(token, held), planted), token)
			got := ""
			if state.Status == clerkauth.StatusSignedIn {
				got = state.Session.UserID
			}
			if got != want {
				t.Errorf("party cookie %t, %s: signed in %q, want %q (%v)", held != "", how, got, want, state.Err)
			}
		}
	}
}
