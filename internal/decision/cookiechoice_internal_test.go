package decision

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/clerkauth/clerkauth/internal/reasons"
)

// forged is a token of these claims whose signature is not valid.
func forged(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	signed := token(t, claims)
	at := strings.LastIndexByte(signed, '.') + 1
	flipped := "A"
	if signed[at] == 'A' {
		flipped = "B"
	}
	return signed[:at] + flipped + signed[at+1:]
}

// several are n tokens that mint makes. The iat of each is another; base has the other claims.
func several(t *testing.T, n int, mint func(*testing.T, jwt.MapClaims) string, base jwt.MapClaims) []string {
	t.Helper()
	tokens := make([]string, n)
	for i := range tokens {
		claims := jwt.MapClaims{"sid": fmt.Sprintf("sess_n%d", i), "iat": noon.Unix() - 19 + int64(i)}
		maps.Copy(claims, base)
		tokens[i] = mint(t, claims)
	}
	return tokens
}

// plainNamed are session cookies of the plain name, and suffixNamed are those of the suffixed name.
func plainNamed(tokens ...string) []string  { return pairs("__session", tokens) }
func suffixNamed(tokens ...string) []string { return pairs("__session_"+suffix, tokens) }

func pairs(name string, values []string) []string {
	all := make([]string, len(values))
	for i, value := range values {
		all[i] = name + "=" + value
	}
	return all
}

// whoseCookies is the session that a fetch with these cookies signs in, or the reason why it is
// none.
func whoseCookies(d *Decider, now time.Time, sent ...[]string) string {
	var e Evidence
	o := d.outcome(request(http.MethodGet, appOrigin+"/", "Sec-Fetch-Dest: empty", "Sec-Fetch-Site: same-origin",
		cookies(slices.Concat(sent...)...)), &e, now)
	if o.Reason != "" {
		return string(o.Reason)
	}
	return o.Claims.SID
}

// More signatures than are verified for a request: what was not looked at signs nobody in, and
// neither does another token, if the one that was not looked at might be the visitor's.
func TestCookiesThatAreNotLookedAt(t *testing.T) {
	const ambiguous = string(reasons.SessionTokenAmbiguous)
	uat := []string{"__client_uat=1"}
	both := []string{"__client_uat=1", "__client_uat_" + suffix + "=1"}
	good, evil := token(t, nil), token(t, jwt.MapClaims{"sid": "sess_2", "azp": "https://evil.example.com"})
	forgeries, ofOneSession := several(t, 4, forged, nil), several(t, 6, forged, jwt.MapClaims{"sid": "sess_1"})
	past := jwt.MapClaims{"exp": noon.Unix() - 6, "nbf": nil}
	expired := several(t, 5, token, past)
	past["sid"] = "sess_1"
	oneExpired := several(t, 5, token, past)
	customers := func(s *Settings) {
		s.Policy.Allow = func(_ context.Context, origin, _ string) bool { return origin == "https://customer.example" }
	}
	for name, tc := range map[string]struct {
		change  func(*Settings)
		cookies [][]string
		want    string
	}{
		"another good session":                      {nil, [][]string{uat, plainNamed(forgeries[:3]...), plainNamed(good, token(t, jwt.MapClaims{"sid": "sess_2"}), evil)}, ambiguous},
		"one that AllowParty would allow":           {customers, [][]string{uat, plainNamed(forgeries[:3]...), plainNamed(good, token(t, jwt.MapClaims{"sid": "sess_2", "azp": "https://customer.example"}))}, ambiguous},
		"an expired one":                            {nil, [][]string{uat, plainNamed(forgeries...), plainNamed(expired[0])}, ambiguous},
		"an expired one beside other expired ones":  {nil, [][]string{uat, plainNamed(expired...)}, string(reasons.TokenExpired)},
		"a newer expired one of the other name":     {nil, [][]string{both, plainNamed(oneExpired[:4]...), suffixNamed(oneExpired[4])}, ambiguous},
		"one from the future beside a good session": {nil, [][]string{both, plainNamed(forgeries[:3]...), plainNamed(token(t, jwt.MapClaims{"sid": "sess_2", "iat": noon.Unix() + 20})), suffixNamed(good)}, "sess_1"},
		"forgeries of a session that was here":      {withParty, [][]string{uat, {party("sess_1")}, plainNamed(ofOneSession...), plainNamed(token(t, jwt.MapClaims{"sid": "sess_2"}))}, ambiguous},
	} {
		var changes []func(*Settings)
		if tc.change != nil {
			changes = append(changes, tc.change)
		}
		if got := whoseCookies(decider(t, changes...), noon, tc.cookies...); got != tc.want {
			t.Errorf("whoseCookies(%s) = %s, want %s", name, got, tc.want)
		}
	}
}

// Tokens that can sign nobody in are looked at last, so that the visitor's behind them is among
// those that are.
func TestPlantedCookiesDoNotUseUpTheSignatures(t *testing.T) {
	elsewhere, withoutAZP := several(t, 5, token, jwt.MapClaims{"azp": "https://evil.example.com"}), several(t, 5, token, jwt.MapClaims{"azp": nil})
	for name, tc := range map[string]struct {
		change  func(*Settings)
		planted []string
	}{
		"without azp":                         {func(*Settings) {}, withoutAZP},
		"of another origin":                   {func(*Settings) {}, elsewhere},
		"of another origin, azp not required": {func(s *Settings) { s.Policy.CookieWithout = true }, elsewhere},
		"of the same session, of an origin that AllowParty denies": {func(s *Settings) {
			withParty(s)
			s.Policy.Allow = func(context.Context, string, string) bool { return false }
		}, several(t, 5, token, jwt.MapClaims{"azp": "https://evil.example.com", "sid": "sess_1"})},
	} {
		if got := whoseCookies(decider(t, tc.change), noon, []string{"__client_uat=1"}, []string{party("sess_1")}, plainNamed(tc.planted...), plainNamed(token(t, nil))); got != "sess_1" {
			t.Errorf("whoseCookies(behind tokens %s) = %s, want sess_1", name, got)
		}
	}
}

// A session with a party cookie decides alone, if __client_uat does not say that the browser has
// signed in or out since.
func TestSessionWithAPartyCookie(t *testing.T) {
	other := token(t, jwt.MapClaims{"sid": "sess_2"})
	good, older := token(t, nil), token(t, jwt.MapClaims{"sid": "sess_3", "iat": noon.Unix() - 30})
	signedIn := fmt.Sprintf("__client_uat=%d", noon.Unix()-20)
	newer := token(t, jwt.MapClaims{"sid": "sess_2", "iat": noon.Unix() - 5})
	for name, tc := range map[string]struct {
		cookies [][]string
		want    string
	}{
		"beside another session":               {[][]string{{signedIn}, plainNamed(other, good)}, "sess_1"},
		"beside what is no token":              {[][]string{{signedIn}, suffixNamed("garbage"), plainNamed(good)}, "sess_1"},
		"without iat":                          {[][]string{{signedIn}, plainNamed(other, token(t, jwt.MapClaims{"iat": nil}))}, "sess_1"},
		"beside one of before the sign-in":     {[][]string{{signedIn}, plainNamed(older, good)}, "sess_1"},
		"of before the sign-in":                {[][]string{{signedIn}, plainNamed(older, other)}, string(reasons.SessionTokenAmbiguous)},
		"its name without __client_uat":        {[][]string{{signedIn}, suffixNamed(good, forged(t, nil))}, string(reasons.UATWithoutSessionToken)},
		"its name without it, the other's not": {[][]string{{"__client_uat_" + suffix + "=1"}, plainNamed(good), suffixNamed(newer)}, string(reasons.SessionTokenAmbiguous)},
	} {
		if got := whoseCookies(decider(t, withParty), noon, append(tc.cookies, []string{party("sess_1"), party("sess_3")})...); got != tc.want {
			t.Errorf("whoseCookies(%s) = %s, want %s", name, got, tc.want)
		}
	}
}

// Once a session with a party cookie has passed, AllowParty is not called for what was planted,
// whatever else passes.
func TestSessionWithAPartyCookieEndsTheSearch(t *testing.T) {
	const planted = "https://customer.example"
	var seen []string
	d := decider(t, withParty, func(s *Settings) {
		s.Policy.Allow = func(_ context.Context, origin, _ string) bool { seen = append(seen, origin); return true }
	})
	uat, good, other := []string{"__client_uat=1"}, token(t, nil), token(t, jwt.MapClaims{"sid": "sess_2"})
	for _, before := range []string{good, other} {
		whoseCookies(d, noon, uat, plainNamed(before))
	}
	if got := whoseCookies(d, noon, uat, plainNamed(good, other, token(t, jwt.MapClaims{"sid": "sess_3", "azp": planted})), []string{party("sess_1")}); got != "sess_1" {
		t.Errorf("whoseCookies(three sessions) = %s, want sess_1", got)
	}
	if slices.Contains(seen, planted) {
		t.Errorf("AllowParty was called with %q, want not with %s", seen, planted)
	}
}

// A forgery that a sibling subdomain has planted for a year costs a signature at first, and not
// once a minute.
func TestForgeriesStayKnown(t *testing.T) {
	d, forgeries := decider(t), several(t, 6, forged, jwt.MapClaims{"exp": noon.Add(365 * 24 * time.Hour).Unix()})
	for _, tc := range []struct {
		after time.Duration
		want  string
	}{{0, string(reasons.SessionTokenAmbiguous)}, {0, "sess_1"}, {40 * time.Second, "sess_1"}, {80 * time.Second, "sess_1"}} {
		now := noon.Add(tc.after)
		good := token(t, jwt.MapClaims{"iat": now.Unix() - 5, "exp": now.Unix() + 55})
		if got := whoseCookies(d, now, []string{"__client_uat=1"}, plainNamed(forgeries...), plainNamed(good)); got != tc.want {
			t.Errorf("whoseCookies(after %s) = %s, want %s", tc.after, got, tc.want)
		}
	}
}
