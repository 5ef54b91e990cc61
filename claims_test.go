package clerkauth_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestClaims(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{Now: harness.AtNoon}, func(c *clerkauth.Config) { c.Audience = []string{"me", "us"} })
	const (
		failed  = clerkauth.ReasonTokenVerificationFailed
		parties = clerkauth.ReasonTokenInvalidParties
		issuer  = clerkauth.ReasonTokenIssuer
	)
	type values map[clerkauth.Reason][]any
	for name, values := range map[string]values{
		"sub": {"": {"user_1", "x"}, failed: {clerktest.Absent, nil, "", 5, true, []string{"user_1"}, map[string]any{}}},
		"sid": {"": {"sess_1", "x"}, failed: {clerktest.Absent, nil, "", 5, true, []string{"sess_1"}, map[string]any{}}},
		"aud": {
			"":     {"me", "us", []string{"me"}, []string{"them", "us"}},
			failed: {clerktest.Absent, nil, "", "them", "ME", "me ", 5, true, []string{}, []string{"them"}, []any{"me", 5}, []any{[]string{"me"}}, map[string]any{"me": "me"}},
		},
		"azp": {
			"": {"https://example.com"},
			parties: {
				clerktest.Absent, nil, "", 5, true,
				[]string{"https://example.com"},
				map[string]any{},
				"https://evil.example.com", "https://example.com.evil.com", "https://example.com:444", "http://example.com",
				"example.com", "https://example.com@evil.com", "https://evil.com/https://example.com", "null", "*",
			},
		},
		"iss": {
			"": {clerk.Issuer()},
			issuer: {
				clerktest.Absent, nil, "", 5, true,
				[]string{clerk.Issuer()},
				map[string]any{},
				clerk.Issuer() + "/", clerk.Issuer() + ".evil.com", "http://clerk.example.com", "https://clerk.example.co", "https://CLERK.example.com", "https://clerk.example.org",
			},
		},
		"exp": {
			"":                           {harness.At(1), harness.At(0), harness.At(-4), float64(harness.At(60)) + 0.0, json.Number(fmt.Sprintf("%d.0", harness.At(60))), 253402300799},
			failed:                       {clerktest.Absent, nil, "", fmt.Sprint(harness.At(60)), true, []int64{harness.At(60)}, map[string]any{}, json.Number(fmt.Sprintf("%d.5", harness.At(60))), 253402300800, json.Number("1e300"), json.Number("-253402300800")},
			clerkauth.ReasonTokenExpired: {0, -1, harness.At(-5), harness.At(-3600), json.Number("-253402300799")},
		},
		"nbf": {
			"":                                {clerktest.Absent, harness.At(0), harness.At(5), 0, -1},
			failed:                            {nil, "", fmt.Sprint(harness.At(0)), true, []int64{harness.At(0)}, map[string]any{}, json.Number(fmt.Sprintf("%d.5", harness.At(-60))), 253402300800},
			clerkauth.ReasonTokenNotActiveYet: {harness.At(6), harness.At(3600), 253402300799},
		},
		"iat": {
			"":                                 {clerktest.Absent, harness.At(0), harness.At(5), 0, -1},
			failed:                             {nil, "", fmt.Sprint(harness.At(0)), true, []int64{harness.At(0)}, map[string]any{}, json.Number(fmt.Sprintf("%d.5", harness.At(-60))), 253402300800},
			clerkauth.ReasonTokenFromTheFuture: {harness.At(6), harness.At(3600), 253402300799},
		},
		"sts": {"": {clerktest.Absent, "active"}, clerkauth.ReasonSessionPending: {"pending"}},
		"x":   {"": {clerktest.Absent, nil, 5, "x", []string{}, map[string]any{"sub": "user_2"}}},
	} {
		for want, list := range values {
			for _, value := range list {
				t.Run(fmt.Sprintf("%s %v", name, value), func(t *testing.T) {
					extra := map[string]any{"aud": "me"}
					extra[name] = value
					if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{Extra: extra})); got != want {
						t.Errorf("got %q, want %q", got, want)
					}
				})
			}
		}
	}
}

// Without Audience, aud is not read, whatever it contains.
func TestWithoutAudienceAudIsNotRead(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{})
	for _, aud := range []any{clerktest.Absent, nil, "", "them", 5, []any{5}, map[string]any{}} {
		if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{Extra: map[string]any{"aud": aud}})); got != "" {
			t.Errorf("aud %v: got %q, want a session", aud, got)
		}
	}
}

func TestClockSkew(t *testing.T) {
	for _, c := range []struct {
		name   string
		config time.Duration
		want   time.Duration
	}{{"left out", 0, 5 * time.Second}, {"none", -1, 0}, {"a second", time.Second, time.Second}, {"a minute", time.Minute, time.Minute}} {
		t.Run(c.name, func(t *testing.T) {
			now := harness.Noon
			clerk, auth := harness.Offline(t, clerktest.Options{Now: func() time.Time { return now }}, func(cfg *clerkauth.Config) { cfg.ClockSkew = c.config })
			for claim, steps := range map[string]struct {
				good, bad time.Duration // of the clock, from the claim
				reason    clerkauth.Reason
			}{
				"exp": {c.want - 1, c.want, clerkauth.ReasonTokenExpired},
				"nbf": {-c.want, -c.want - 1, clerkauth.ReasonTokenNotActiveYet},
				"iat": {-c.want, -c.want - 1, clerkauth.ReasonTokenFromTheFuture},
			} {
				now = harness.Noon
				extra := map[string]any{"exp": harness.At(3600), "nbf": harness.At(-3600), "iat": harness.At(-3600)}
				extra[claim] = harness.At(0)
				token := clerk.Token(clerktest.Claims{Extra: extra})
				for clock, want := range map[time.Duration]clerkauth.Reason{steps.good: "", steps.bad: steps.reason} {
					now = harness.Noon.Add(clock)
					if got := harness.Judge(t, auth, token); got != want {
						t.Errorf("%s, read %v after: got %q, want %q", claim, clock, got, want)
					}
				}
			}
		})
	}
}

// Claim names are exact: encoding/json would accept each of these as a known one.
func TestNamesOfClaimsAreExact(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{Now: harness.AtNoon})
	evil := map[string]any{
		"AZP": "https://evil.example.com", "SUB": "user_evil", "\u017fub": "user_evil", "\u017fid": "sess_evil", "Sid": "sess_evil",
		"ISS": "https://evil.example.com", "i\u017f\u017f": "https://evil.example.com", "EXP": harness.At(-3600), "Exp": "x", "NBF": harness.At(3600), "IAT": harness.At(3600),
		"STS": "pending", "\u017ft\u017f": "pending", "ACT": map[string]any{"sub": "user_evil"}, "O": map[string]any{"id": "org_evil"}, "FVA": []int{0, 0},
	}
	session, err := auth.VerifyToken(t.Context(), clerk.Token(clerktest.Claims{Subject: "user_1", SessionID: "sess_1", Extra: evil}))
	if err != nil {
		t.Fatalf("claims with other names beside the known ones: %v", err)
	}
	if session.UserID != "user_1" || session.ID != "sess_1" || session.AuthorizedParty != "https://example.com" ||
		session.Pending || session.Actor != (clerkauth.Actor{}) || session.Organization != (clerkauth.Organization{}) || !session.SecondFactorAt.IsZero() {
		t.Errorf("claims with other names were read: got %+v", session)
	}
	for name, instead := range map[string]string{"sub": "\u017fub", "sid": "SID", "azp": "AZP", "iss": "I\u017fs", "exp": "Exp"} {
		t.Run(instead, func(t *testing.T) {
			value := map[string]any{"sub": "user_1", "sid": "sess_1", "azp": "https://example.com", "iss": clerk.Issuer(), "exp": harness.At(60)}[name]
			token := clerk.Token(clerktest.Claims{Extra: map[string]any{name: clerktest.Absent, instead: value}})
			if got, want := harness.Judge(t, auth, token), harness.Judge(t, auth, clerk.Token(clerktest.Claims{Extra: map[string]any{name: clerktest.Absent}})); got != want || got == "" {
				t.Errorf("got %q, want %q, as if there were none", got, want)
			}
		})
	}
}

// Parsers disagree about which of two claims with one name counts.
func TestPayloadsAreReadStrictly(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{Now: harness.AtNoon})
	honest := fmt.Sprintf(`"iss":%q,"sub":"user_1","sid":"sess_1","azp":"https://example.com","exp":%d,"iat":%d`, clerk.Issuer(), harness.At(60), harness.At(0))
	for name, c := range map[string]struct {
		payload string
		want    clerkauth.Reason
	}{
		"honest":                     {"{" + honest + "}", ""},
		"white space":                {"\n{ " + honest + "\t}\r\n", ""},
		"escaped name":               {`{"\u0061ct":null,` + honest + "}", ""},
		"azp twice":                  {"{" + honest + `,"azp":"https://example.com"}`, clerkauth.ReasonTokenInvalid},
		"azp twice, once escaped":    {"{" + honest + `,"\u0061zp":"https://evil.example.com"}`, clerkauth.ReasonTokenInvalid},
		"sub twice, first another":   {`{"sub":"user_2",` + honest + "}", clerkauth.ReasonTokenInvalid},
		"exp twice":                  {"{" + honest + fmt.Sprintf(`,"exp":%d}`, harness.At(3600)), clerkauth.ReasonTokenInvalid},
		"something else twice":       {"{" + honest + `,"x":1,"x":1}`, clerkauth.ReasonTokenInvalid},
		"something twice, nested":    {"{" + honest + `,"x":{"y":1,"y":1}}`, ""},
		"a list":                     {"[{" + honest + "}]", clerkauth.ReasonTokenInvalid},
		"null":                       {"null", clerkauth.ReasonTokenInvalid},
		"text":                       {`"` + "x" + `"`, clerkauth.ReasonTokenInvalid},
		"nothing":                    {"", clerkauth.ReasonTokenInvalid},
		"something after the object": {"{" + honest + "}{}", clerkauth.ReasonTokenInvalid},
		"a comma at the end":         {"{" + honest + ",}", clerkauth.ReasonTokenInvalid},
		"byte order mark":            {"\ufeff{" + honest + "}", clerkauth.ReasonTokenInvalid},
		"NUL after the object":       {"{" + honest + "}\x00", clerkauth.ReasonTokenInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{RawPayload: []byte(c.payload)})); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPartiesOfTokens(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	calls := []string{}
	for _, c := range []struct {
		name   string
		change func(*clerkauth.Config)
		good   []any
		bad    []any
	}{
		{
			"a pattern", func(c *clerkauth.Config) { c.AuthorizedParties = []string{"https://*.example.com"} },
			[]any{"https://a.example.com", "https://a-b-1.example.com"},
			[]any{"https://example.com", "https://.example.com", "https://a.b.example.com", "https://a.example.com.evil.com", "https://a_b.example.com", "https://a.example.com/", clerktest.Absent},
		},
		{
			"bearer tokens without", func(c *clerkauth.Config) { c.InsecureAllowBearerWithoutParty = true },
			[]any{clerktest.Absent, "https://example.com"},
			[]any{nil, "", 5, "https://evil.example.com"},
		},
		{
			"cookie tokens without", func(c *clerkauth.Config) { c.InsecureAllowCookieWithoutParty = true },
			[]any{"https://example.com"},
			[]any{clerktest.Absent, nil, ""},
		},
		{
			"anybody", func(c *clerkauth.Config) { c.AuthorizedParties, c.InsecureAllowAnyParty = nil, true },
			[]any{clerktest.Absent, nil, "", 5, "https://evil.example.com"},
			nil,
		},
		{
			"a function", func(c *clerkauth.Config) {
				c.AllowParty = func(_ context.Context, origin, host string) bool {
					calls = append(calls, origin+" "+host)
					return origin == "https://tenant.example.net"
				}
			},
			[]any{"https://example.com", "https://tenant.example.net"},
			[]any{clerktest.Absent, nil, "", "https://Tenant.example.net", "https://tenant.example.net/", "https://tenant.example.net:443", "https://other.example.net", "null"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			auth := harness.New(t, clerk, func(c *clerkauth.Config) { c.JWTKey = clerk.JWTKey() }, c.change)
			for want, list := range map[clerkauth.Reason][]any{"": c.good, clerkauth.ReasonTokenInvalidParties: c.bad} {
				for _, azp := range list {
					if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{Extra: map[string]any{"azp": azp}})); got != want {
						t.Errorf("azp %v: got %q, want %q", azp, got, want)
					}
				}
			}
		})
	}
	slices.Sort(calls)
	if want := []string{"https://other.example.net ", "https://tenant.example.net "}; !slices.Equal(calls, want) {
		t.Errorf("got AllowParty calls %q, want %q: origins in normal form only, and no host", calls, want)
	}
}
