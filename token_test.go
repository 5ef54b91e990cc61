package clerkauth_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A header that requires an extension, or contains its own key, has no effect.
func TestHeadersThatAskForMore(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{})
	for _, name := range []string{"crit", "b64", "enc", "zip", "jwk", "jku", "x5u", "x5c"} {
		for value, v := range map[string]any{
			"null": nil, "false": false, "true": true, "text": "DEF", "empty list": []string{}, "list": []string{"exp"}, "object": map[string]any{"kty": "RSA"},
		} {
			t.Run(name+" "+value, func(t *testing.T) {
				if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{Header: map[string]any{name: v}})); got != clerkauth.ReasonTokenInvalid {
					t.Errorf("got %q, want %s", got, clerkauth.ReasonTokenInvalid)
				}
			})
		}
	}
}

func TestHeaderMembers(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	auth := harness.New(t, clerk)
	for _, c := range []struct {
		name  string
		value any
		want  clerkauth.Reason
	}{
		{"typ", clerktest.Absent, ""},
		{"typ", "JWT", ""},
		{"typ", "jwt", clerkauth.ReasonTokenInvalid},
		{"typ", "", clerkauth.ReasonTokenInvalid},
		{"typ", nil, clerkauth.ReasonTokenInvalid},
		{"typ", 5, clerkauth.ReasonTokenInvalid},
		{"typ", []string{"JWT"}, clerkauth.ReasonTokenInvalid},
		{"typ", "dpop+jwt", clerkauth.ReasonTokenInvalid},
		{"typ", "at+jwt", clerkauth.ReasonTokenTypeMismatch},
		{"typ", "application/at+jwt", clerkauth.ReasonTokenTypeMismatch},
		{"cat", clerktest.Absent, ""},
		{"cat", "cl_B7d4PD111AAA", ""},
		{"cat", "cl_I7d4PD111III", ""},
		{"cat", "cl_B7d4PD222AAA", clerkauth.ReasonTokenTypeMismatch},
		{"cat", "cl_b7d4pd111aaa", clerkauth.ReasonTokenTypeMismatch},
		{"cat", "", clerkauth.ReasonTokenTypeMismatch},
		{"cat", nil, clerkauth.ReasonTokenTypeMismatch},
		{"cat", 5, clerkauth.ReasonTokenTypeMismatch},
		{"cat", []string{"cl_B7d4PD111AAA"}, clerkauth.ReasonTokenTypeMismatch},
		{"alg", clerktest.Absent, clerkauth.ReasonTokenAlgorithm},
		{"alg", nil, clerkauth.ReasonTokenAlgorithm},
		{"alg", "", clerkauth.ReasonTokenAlgorithm},
		{"alg", "none", clerkauth.ReasonTokenAlgorithm},
		{"alg", "None", clerkauth.ReasonTokenAlgorithm},
		{"alg", "rs256", clerkauth.ReasonTokenAlgorithm},
		{"alg", "RS256 ", clerkauth.ReasonTokenAlgorithm},
		{"alg", []string{"RS256"}, clerkauth.ReasonTokenAlgorithm},
		{"alg", "RS384", clerkauth.ReasonTokenAlgorithm},
		{"alg", "RS512", clerkauth.ReasonTokenAlgorithm},
		{"alg", "PS256", clerkauth.ReasonTokenAlgorithm},
		{"alg", "HS256", clerkauth.ReasonTokenAlgorithm},
		{"alg", "HS512", clerkauth.ReasonTokenAlgorithm},
		{"alg", "ES256", clerkauth.ReasonTokenAlgorithm},
		{"alg", "EdDSA", clerkauth.ReasonTokenAlgorithm},
		{"kid", clerktest.Absent, clerkauth.ReasonKeyUnknown},
		{"kid", nil, clerkauth.ReasonKeyUnknown},
		{"kid", "", clerkauth.ReasonKeyUnknown},
		{"kid", 5, clerkauth.ReasonKeyUnknown},
		{"kid", []string{clerk.KeyID()}, clerkauth.ReasonKeyUnknown},
		{"kid", strings.ToLower(clerk.KeyID()), clerkauth.ReasonKeyUnknown},
		{"kid", clerk.KeyID() + " ", clerkauth.ReasonKeyUnknown},
		{"kid", "../../dev/null", clerkauth.ReasonKeyUnknown},
		{"another", "member", ""},
	} {
		t.Run(fmt.Sprintf("%s %#v", c.name, c.value), func(t *testing.T) {
			if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{Header: map[string]any{c.name: c.value}})); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestHeadersAreReadStrictly(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	auth := harness.New(t, clerk)
	kid := clerk.KeyID()
	for _, c := range []struct {
		name, header string
		want         clerkauth.Reason
	}{
		{"as Clerk writes it", fmt.Sprintf(`{"alg":"RS256","cat":"cl_B7d4PD111AAA","kid":%q,"typ":"JWT"}`, kid), ""},
		{"white space", fmt.Sprintf(" {\n\"alg\" : \"RS256\",\t\"kid\":%q}\r\n", kid), ""},
		{"escapes", fmt.Sprintf(`{"\u0061lg":"RS\u003256","kid":%q}`, kid), ""},
		{"no JSON", "alg: RS256", clerkauth.ReasonTokenInvalid},
		{"a list", fmt.Sprintf(`[{"alg":"RS256","kid":%q}]`, kid), clerkauth.ReasonTokenInvalid},
		{"null", "null", clerkauth.ReasonTokenInvalid},
		{"something after it", fmt.Sprintf(`{"alg":"RS256","kid":%q}{}`, kid), clerkauth.ReasonTokenInvalid},
		{"alg twice", fmt.Sprintf(`{"alg":"RS256","kid":%q,"alg":"RS256"}`, kid), clerkauth.ReasonTokenInvalid},
		{"alg twice, once escaped", fmt.Sprintf(`{"alg":"RS256","kid":%q,"al\u0067":"none"}`, kid), clerkauth.ReasonTokenInvalid},
		{"kid twice", fmt.Sprintf(`{"alg":"RS256","kid":%q,"kid":"x"}`, kid), clerkauth.ReasonTokenInvalid},
		{"something else twice", fmt.Sprintf(`{"alg":"RS256","kid":%q,"x":1,"x":1}`, kid), clerkauth.ReasonTokenInvalid},
		{"ALG instead", fmt.Sprintf(`{"ALG":"RS256","kid":%q}`, kid), clerkauth.ReasonTokenAlgorithm},
		{"ALG beside it", fmt.Sprintf(`{"ALG":"none","alg":"RS256","kid":%q}`, kid), ""},
		{"KID instead", fmt.Sprintf(`{"alg":"RS256","KID":%q}`, kid), clerkauth.ReasonKeyUnknown},
		{"folded kid instead", fmt.Sprintf("{\"alg\":\"RS256\",\"\u212aid\":%q}", kid), clerkauth.ReasonKeyUnknown},
		{"CRIT", fmt.Sprintf(`{"alg":"RS256","kid":%q,"CRIT":["exp"]}`, kid), ""},
		{"crit, escaped", fmt.Sprintf(`{"alg":"RS256","kid":%q,"cri\u0074":["exp"]}`, kid), clerkauth.ReasonTokenInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{RawHeader: []byte(c.header)})); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Clerk signs tokens for machines with the keys of sessions. They name their recipient in other claims.
func TestMachineTokens(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{})
	for name, token := range map[string]string{
		"API key":               "ak_secret",
		"machine token":         "mt_secret",
		"OAuth token":           "oat_secret",
		"API key, nothing else": "ak_",
		"machine's JWT":         clerk.Token(clerktest.Claims{Subject: "mch_2xyz"}),
		"OAuth JWT":             clerk.Token(clerktest.Claims{Header: map[string]any{"typ": "at+jwt", "cat": clerktest.Absent}}),
		"template's JWT":        clerk.Token(clerktest.Claims{Header: map[string]any{"cat": "cl_B7d4PD222AAA"}}),
	} {
		t.Run(name, func(t *testing.T) {
			if got := harness.Judge(t, auth, token); got != clerkauth.ReasonTokenTypeMismatch {
				t.Errorf("got %q, want %s", got, clerkauth.ReasonTokenTypeMismatch)
			}
		})
	}
	for _, token := range []string{"AK_secret", "ak-secret", "xak_secret", "sk_test_secret", "m2m_secret"} {
		if got := harness.Judge(t, auth, token); got != clerkauth.ReasonTokenInvalid {
			t.Errorf("%s: got %q, want %s", token, got, clerkauth.ReasonTokenInvalid)
		}
	}
}

func TestForgedSignatures(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{})
	other := clerktest.New(t, clerktest.Options{})
	token := clerk.Token(clerktest.Claims{})
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	_, rest, _ = strings.Cut(clerk.Token(clerktest.Claims{Subject: "user_another"}), ".")
	otherPayload, _, _ := strings.Cut(rest, ".")
	forged := map[string]string{
		"another key":                   clerk.Forge(clerktest.Claims{}),
		"another instance under my kid": other.Token(clerktest.Claims{Header: map[string]any{"kid": clerk.KeyID()}}),
		"one bit":                       harness.SpoilSignature(token),
		"another payload":               header + "." + otherPayload + "." + signature,
		"none":                          header + "." + payload + ".",
		"short":                         header + "." + payload + "." + signature[:len(signature)-6],
		"long":                          header + "." + payload + "." + "AAAA" + signature,
		"zeros":                         header + "." + payload + "." + strings.Repeat("A", len(signature)),
	}
	for name, token := range forged {
		t.Run(name, func(t *testing.T) {
			if got := harness.Judge(t, auth, token); got != clerkauth.ReasonTokenSignature {
				t.Errorf("got %q, want %s", got, clerkauth.ReasonTokenSignature)
			}
		})
	}
	if got := harness.Judge(t, auth, token); got != "" {
		t.Errorf("the honest token after them: got %q, want accepted", got)
	}
}

// With JWTKey there is one key for every token, so the kid does not matter.
func TestWithJWTKeyTheKIDIsNotRead(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{})
	for _, kid := range []any{clerktest.Absent, nil, "", "another", 5, strings.Repeat("k", 257)} {
		if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{Header: map[string]any{"kid": kid}})); got != "" {
			t.Errorf("kid %v: got %q, want a session", kid, got)
		}
		if got := harness.Judge(t, auth, clerk.Forge(clerktest.Claims{Header: map[string]any{"kid": kid}})); got != clerkauth.ReasonTokenSignature {
			t.Errorf("kid %v, forged: got %q, want %s", kid, got, clerkauth.ReasonTokenSignature)
		}
	}
	if n := len(clerk.Requests()); n != 0 {
		t.Errorf("%d requests, want none", n)
	}
}

// FuzzVerifyToken: no text panics, every refusal has a reason, and only tokens of the instance are
// sessions.
func FuzzVerifyToken(f *testing.F) {
	clerk, auth := harness.Offline(f, clerktest.Options{Now: harness.AtNoon})
	honest := map[string]bool{
		clerk.Token(clerktest.Claims{}): true,
		clerk.Token(clerktest.Claims{Version: 1, Organization: clerkauth.Organization{ID: "org_1", Slug: "acme", Role: "admin"}}): true,
	}
	for token := range maps.Clone(honest) {
		f.Add(token)
		f.Add(token + "\n")
		f.Add(harness.SpoilSignature(token))
		f.Add(harness.SpareBits(token))
	}
	for _, token := range []string{
		"", "..", "ak_x", "e30.e30.", "bnVsbA.bnVsbA.bnVsbA", clerk.Forge(clerktest.Claims{}),
		clerk.Token(clerktest.Claims{Header: map[string]any{"alg": "none"}}),
		clerk.Token(clerktest.Claims{Header: map[string]any{"alg": "HS256"}}),
		clerk.Token(clerktest.Claims{RawPayload: []byte(`{"exp":1e400,"o":{"fpm":[]},"fva":[],"act":[],"aud":{}}`)}),
	} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if got := harness.Judge(t, auth, token); (got == "") != honest[token] {
			t.Errorf("VerifyToken(%q) = %q, want accepted: %t", token, got, honest[token])
		}
	})
}
