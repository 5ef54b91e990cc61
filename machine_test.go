package clerkauth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// judgeMachine returns why a credential is refused where every kind is accepted; empty: it is not.
func judgeMachine(t *testing.T, auth *clerkauth.Authenticator, credential string) clerkauth.Reason {
	t.Helper()
	m, err := auth.VerifyMachine(t.Context(), credential, clerkauth.APIKeys(), clerkauth.OAuthTokens(), clerkauth.M2MTokens())
	if (m == nil) != (err != nil) {
		t.Fatalf("got %+v with %v, want either a machine or an error", m, err)
	}
	if err == nil {
		return ""
	}
	return harness.ReasonOf(t, err)
}

func TestMachineJWTsAreVerified(t *testing.T) {
	a := harness.NewApp(t)
	const failed, invalid, mismatch = clerkauth.ReasonTokenVerificationFailed, clerkauth.ReasonTokenInvalid, clerkauth.ReasonTokenTypeMismatch
	header := func(name string, value any) clerktest.MachineClaims {
		return clerktest.MachineClaims{Header: map[string]any{name: value}}
	}
	extra := func(name string, value any) clerktest.MachineClaims {
		return clerktest.MachineClaims{Extra: map[string]any{name: value}}
	}
	for name, tc := range map[string]struct {
		claims     clerktest.MachineClaims
		m2m, oauth clerkauth.Reason // empty: let in
	}{
		"honest":              {clerktest.MachineClaims{}, "", ""},
		"expired":             {clerktest.MachineClaims{ExpiresAt: harness.Noon.Add(-6 * time.Second)}, failed, failed},
		"within the skew":     {clerktest.MachineClaims{ExpiresAt: harness.Noon.Add(-4 * time.Second)}, "", ""},
		"without exp":         {extra("exp", clerktest.Absent), failed, failed},
		"exp as text":         {extra("exp", "9999999999"), failed, failed},
		"not yet":             {extra("nbf", harness.At(6)), failed, failed},
		"nbf as text":         {extra("nbf", "1"), failed, failed},
		"from the future":     {extra("iat", harness.At(6)), failed, failed},
		"iat as text":         {extra("iat", "1"), failed, failed},
		"another issuer":      {extra("iss", "https://clerk.evil.test"), failed, failed},
		"without iss":         {extra("iss", clerktest.Absent), failed, failed},
		"iss with a slash":    {extra("iss", "https://clerk.example.com/"), failed, failed},
		"without sub":         {extra("sub", clerktest.Absent), mismatch, failed},
		"an empty sub":        {extra("sub", ""), mismatch, failed},
		"a machine's sub":     {extra("sub", "mch_1"), "", failed}, // an M2M token then, of another typ
		"a session's cat":     {header("cat", "cl_B7d4PD111AAA"), invalid, invalid},
		"a template's cat":    {header("cat", "cl_B7d4PD222AAA"), invalid, invalid},
		"an M2M token's cat":  {header("cat", "cl_B7d4PD333AAA"), "", invalid},
		"the ignored cat":     {header("cat", "cl_I7d4PD111III"), invalid, invalid},
		"an unknown cat":      {header("cat", "cl_x"), invalid, invalid},
		"an empty cat":        {header("cat", ""), invalid, invalid},
		"no cat":              {header("cat", clerktest.Absent), "", ""},
		"cat null":            {header("cat", nil), invalid, invalid},
		"typ at+jwt":          {header("typ", "at+jwt"), failed, ""},
		"typ in full":         {header("typ", "application/at+jwt"), failed, ""},
		"typ in capitals":     {header("typ", "AT+JWT"), failed, mismatch},
		"no typ":              {header("typ", clerktest.Absent), "", mismatch},
		"typ of another":      {header("typ", "x"), failed, mismatch},
		"alg none":            {header("alg", "none"), mismatch, mismatch}, // without a signature it is not a JWT
		"alg HS256":           {header("alg", "HS256"), failed, failed},
		"alg RS512":           {header("alg", "RS512"), failed, failed},
		"another kid":         {header("kid", "x"), failed, failed},
		"no kid":              {header("kid", clerktest.Absent), failed, failed},
		"crit":                {header("crit", []string{"x"}), mismatch, mismatch},
		"scopes as a list":    {clerktest.MachineClaims{Extra: map[string]any{"scopes": []string{clerktest.MachineID}, "scope": []string{"a"}}}, failed, failed},
		"scopes as a number":  {clerktest.MachineClaims{Extra: map[string]any{"scopes": 1, "scope": 1}}, failed, failed},
		"scp as text":         {extra("scp", "a b"), "", failed},
		"scp with a number":   {extra("scp", []any{"a", 1}), "", failed},
		"scp":                 {extra("scp", []string{"a"}), "", ""},
		"azp of anybody":      {extra("azp", "https://evil.test"), "", ""},
		"a session's sid":     {extra("sid", "sess_1"), "", ""},
		"doubled in the text": {clerktest.MachineClaims{Claims: map[string]any{"SUB": "user_x", "ISS": "x"}}, "", ""},
	} {
		for kind, mint := range map[string]func(clerktest.MachineClaims) string{"m2m": a.Clerk.M2MJWT, "oauth": a.Clerk.OAuthJWT} {
			want := tc.m2m
			if kind == "oauth" {
				want = tc.oauth
			}
			token := mint(tc.claims)
			for range 2 { // the second time, a verified one is cached
				if got := judgeMachine(t, a.Authenticator, token); got != want {
					t.Errorf("%s, %s: got %q, want %q", name, kind, got, want)
				}
			}
			if strings.HasSuffix(token, ".") {
				continue
			}
			if got := judgeMachine(t, a.Authenticator, harness.SpoilSignature(token)); got == "" {
				t.Errorf("%s, %s: accepted with another signature", name, kind)
			}
		}
	}
	other := clerktest.New(t, clerktest.Options{Now: harness.AtNoon})
	if got := judgeMachine(t, a.Authenticator, other.M2MJWT(clerktest.MachineClaims{})); got != failed {
		t.Errorf("of another instance: got %q, want %q", got, failed)
	}
	if long := a.Clerk.OAuthJWT(extra("x", strings.Repeat("x", 8<<10))); judgeMachine(t, a.Authenticator, long) != mismatch {
		t.Error("a token that is too long is not refused as of another type")
	}
}

// A cached token is checked again on every request, and never accepted as another kind.
func TestRememberedMachinesAreJudgedAgain(t *testing.T) {
	a := harness.NewApp(t)
	for _, token := range []string{a.Clerk.M2MJWT(clerktest.MachineClaims{}), a.Clerk.OAuthJWT(clerktest.MachineClaims{})} {
		a.Now = harness.Noon
		a.Events()
		for range 2 {
			if got := judgeMachine(t, a.Authenticator, token); got != "" {
				t.Fatalf("an honest token: got %q, want none", got)
			}
		}
		if events := a.Events(); events[0].CacheHit || !events[1].CacheHit {
			t.Errorf("events %+v, want a hit the second time", events)
		}
		if got := harness.Judge(t, a.Authenticator, token); got != clerkauth.ReasonTokenTypeMismatch {
			t.Errorf("as a session: got %q, want ReasonTokenTypeMismatch", got)
		}
		if w := harness.Serve(a.Require(who(t)), harness.Request("GET", "/", a.WithCookies(token))); w.Code != 401 {
			t.Errorf("as a session's cookie: got %d, want 401", w.Code)
		}
		a.Now = harness.Noon.Add(66 * time.Second)
		if got := judgeMachine(t, a.Authenticator, token); got != clerkauth.ReasonTokenVerificationFailed {
			t.Errorf("expired: got %q, want ReasonTokenVerificationFailed", got)
		}
	}
	a.Now = harness.Noon
	session := a.Clerk.Token(clerktest.Claims{})
	for range 2 {
		if harness.Judge(t, a.Authenticator, session) != "" || judgeMachine(t, a.Authenticator, session) != clerkauth.ReasonTokenTypeMismatch {
			t.Error("a session token is accepted as a machine's, or refused as a session's")
		}
	}
}

// M2M tokens are for one machine. Otherwise, whoever receives one could act as its sender here.
func TestM2MTokensForOthers(t *testing.T) {
	a := harness.NewApp(t)
	anybody := a.Replica(func(c *clerkauth.Config) { c.MachineID, c.InsecureAllowAnyMachine = "", true })
	for name, tc := range map[string]struct {
		claims clerktest.MachineClaims
		ours   bool
	}{
		"ours":                  {clerktest.MachineClaims{}, true},
		"ours among more":       {clerktest.MachineClaims{Scopes: []string{"mch_other", clerktest.MachineID}}, true},
		"another's":             {clerktest.MachineClaims{Scopes: []string{"mch_other"}}, false},
		"of no machine":         {clerktest.MachineClaims{Scopes: []string{}}, false},
		"a longer name":         {clerktest.MachineClaims{Scopes: []string{clerktest.MachineID + "x"}}, false},
		"ours as its sender":    {clerktest.MachineClaims{Subject: clerktest.MachineID, Scopes: []string{}}, false},
		"ours among its claims": {clerktest.MachineClaims{Scopes: []string{}, Claims: map[string]any{"machine": clerktest.MachineID}}, false},
	} {
		for form, token := range map[string]string{"opaque": a.Clerk.M2M(tc.claims), "JWT": a.Clerk.M2MJWT(tc.claims)} {
			if got := judgeMachine(t, a.Authenticator, token); (got == "") != tc.ours || got != "" && got != clerkauth.ReasonTokenVerificationFailed {
				t.Errorf("%s, %s: got %q, want let in %t", name, form, got, tc.ours)
			}
			if got := judgeMachine(t, anybody, token); got != "" {
				t.Errorf("%s, %s, where any will do: got %q, want none", name, form, got)
			}
		}
	}
	for name, claims := range map[string]clerktest.MachineClaims{
		"aud alone":    {Audience: []string{clerktest.MachineID}, Extra: map[string]any{"scopes": clerktest.Absent}},
		"aud and more": {Audience: []string{"x", clerktest.MachineID}, Scopes: []string{"mch_other"}},
	} {
		if got := judgeMachine(t, a.Authenticator, a.Clerk.M2MJWT(claims)); got != "" {
			t.Errorf("%s: got %q, want let in", name, got)
		}
	}
}

func TestMachineAudience(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) {
		c.MachineAudience, c.InsecureAllowAnyMachine, c.MachineID = []string{"a", "b"}, true, ""
	})
	for name, tc := range map[string]struct {
		aud []string
		met bool
	}{"one of ours": {[]string{"x", "b"}, true}, "others": {[]string{"x"}, false}, "none": {nil, false}, "an empty list": {[]string{}, false}, "longer": {[]string{"ab"}, false}} {
		claims := clerktest.MachineClaims{Audience: tc.aud}
		for kind, token := range map[string]string{"oauth": a.Clerk.OAuth(claims), "oauth jwt": a.Clerk.OAuthJWT(claims), "m2m jwt": a.Clerk.M2MJWT(claims)} {
			if got := judgeMachine(t, a.Authenticator, token); (got == "") != tc.met {
				t.Errorf("%s, %s: got %q, want let in %t", name, kind, got, tc.met)
			}
		}
		for kind, token := range map[string]string{"api key": a.Clerk.APIKey(claims), "m2m": a.Clerk.M2M(claims)} {
			if got := judgeMachine(t, a.Authenticator, token); got != "" {
				t.Errorf("%s, %s: got %q, want accepted, as it has no aud", name, kind, got)
			}
		}
	}
}
