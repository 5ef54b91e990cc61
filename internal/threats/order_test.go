package threats_test

import (
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// fault is one thing wrong with a token, in its claims or in its text.
type fault struct {
	name   string
	claims func(*clerktest.Claims)
	text   func(string) string
	reason clerkauth.Reason
}

// faults are what can be wrong with a token, in the order in which it is checked.
var faults = []fault{
	{"size", harness.Claim("x", strings.Repeat("x", 8<<10)), nil, clerkauth.ReasonTokenInvalid},
	{"machine token", nil, func(token string) string { return "ak_" + token }, clerkauth.ReasonTokenTypeMismatch},
	{"form", nil, func(token string) string { return token + "\n" }, clerkauth.ReasonTokenInvalid},
	{"header", harness.HeaderMember("crit", []string{"exp"}), nil, clerkauth.ReasonTokenInvalid},
	{"kind", harness.HeaderMember("cat", "cl_B7d4PD222AAA"), nil, clerkauth.ReasonTokenTypeMismatch},
	{"kid", harness.HeaderMember("kid", "ins_unknown"), nil, clerkauth.ReasonKeyUnknown},
	{"typ", harness.HeaderMember("typ", "JWS"), nil, clerkauth.ReasonTokenInvalid},
	{"alg", harness.HeaderMember("alg", "RS384"), nil, clerkauth.ReasonTokenAlgorithm},
	{"signature", nil, harness.SpoilSignature, clerkauth.ReasonTokenSignature},
	{"sub", harness.Claim("sub", clerktest.Absent), nil, clerkauth.ReasonTokenVerificationFailed},
	{"sid", harness.Claim("sid", clerktest.Absent), nil, clerkauth.ReasonTokenVerificationFailed},
	{"aud", harness.Claim("aud", "another"), nil, clerkauth.ReasonTokenVerificationFailed},
	{"azp", harness.Claim("azp", "https://evil.example.com"), nil, clerkauth.ReasonTokenInvalidParties},
	{"iss", harness.Claim("iss", "https://clerk.example.org"), nil, clerkauth.ReasonTokenIssuer},
	{"exp", harness.Claim("exp", harness.At(-5)), nil, clerkauth.ReasonTokenExpired},
	{"nbf", harness.Claim("nbf", harness.At(6)), nil, clerkauth.ReasonTokenNotActiveYet},
	{"iat", harness.Claim("iat", harness.At(6)), nil, clerkauth.ReasonTokenFromTheFuture},
	{"sts", harness.Claim("sts", "pending"), nil, clerkauth.ReasonSessionPending},
}

// mint makes a token with these faults, in the order of the checks: claims first, then the text.
func mint(clerk *clerktest.Instance, faults ...fault) string {
	c := clerktest.Claims{Header: map[string]any{}, Extra: map[string]any{"aud": "me"}}
	for _, f := range faults {
		if f.claims != nil {
			f.claims(&c)
		}
	}
	token := clerk.Token(c)
	for i := range faults {
		if f := faults[len(faults)-1-i]; f.text != nil {
			token = f.text(token)
		}
	}
	return token
}

// The reason is the first fault in the order of the checks, whatever else is wrong. So nothing
// after the signature is ever said about a token that somebody else made.
func TestTheFirstFaultIsTheReason(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Now: harness.AtNoon})
	auth := harness.New(t, clerk, func(c *clerkauth.Config) { c.Audience = []string{"me"} })
	check := func(t *testing.T, want clerkauth.Reason, with ...fault) {
		t.Helper()
		token := mint(clerk, with...)
		if got := harness.Judge(t, auth, token); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	t.Run("none", func(t *testing.T) { check(t, "") })
	for i, first := range faults {
		t.Run(first.name, func(t *testing.T) {
			check(t, first.reason, first)
			for _, second := range faults[i+1:] {
				if testing.Short() {
					break
				}
				t.Run("and "+second.name, func(t *testing.T) { check(t, first.reason, first, second) })
			}
			t.Run("and all that follow", func(t *testing.T) { check(t, first.reason, faults[i:]...) })
		})
	}
}

// A malformed token has one reason, wherever the mistake is.
func TestTokensOfAnotherForm(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{})
	token := clerk.Token(clerktest.Claims{})
	parts := strings.Split(token, ".")
	insert := func(i int, s string) string {
		spoilt := append([]string{}, parts...)
		spoilt[i] = spoilt[i][:8] + s + spoilt[i][8:]
		return strings.Join(spoilt, ".")
	}
	cases := map[string]string{
		"empty": "", "space": " ", "a word": "token", "dots": "..", "many dots": strings.Repeat(".", 8000),
		"two parts": parts[0] + "." + parts[1], "no signature": parts[0] + "." + parts[1] + ".",
		"no payload": parts[0] + ".." + parts[2], "no header": "." + parts[1] + "." + parts[2],
		"four parts": token + ".", "Bearer before it": "Bearer " + token, "quotes": `"` + token + `"`,
		"space after it": token + " ", "padding": token + "=", "NUL after it": token + "\x00",
		"spare bits in the signature": harness.SpareBits(token),
	}
	for i, part := range []string{"header", "payload", "signature"} {
		for name, s := range map[string]string{"CR": "\r", "LF": "\n", "CRLF": "\r\n", "space": " ", "padding": "=", "plus": "+", "slash": "/", "percent": "%41"} {
			cases[name+" in the "+part] = insert(i, s)
		}
	}
	for name, token := range cases {
		t.Run(name, func(t *testing.T) {
			got := harness.Judge(t, auth, token)
			want := clerkauth.ReasonTokenInvalid
			if name == "no signature" {
				want = clerkauth.ReasonTokenSignature // JWS allows this form
			}
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestTheLargestTokenHasEightKiB(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{})
	for size, want := range map[int]clerkauth.Reason{
		8<<10 - 1: "", 8 << 10: "", 8<<10 + 1: clerkauth.ReasonTokenInvalid, 8<<10 + 2: clerkauth.ReasonTokenInvalid,
	} {
		if got := harness.Judge(t, auth, sized(t, clerk, size)); got != want {
			t.Errorf("%d bytes: got %q, want %q", size, got, want)
		}
	}
}

// sized returns an honest token of that many bytes.
func sized(t *testing.T, clerk *clerktest.Instance, size int) string {
	t.Helper()
	for pad := range 4 { // base64 has no text of every length
		header := map[string]any{"pad": strings.Repeat("x", pad)}
		token := func(n int) string {
			return clerk.Token(clerktest.Claims{Header: header, Extra: map[string]any{"x": strings.Repeat("x", n)}})
		}
		missing := size - len(token(0))
		for _, n := range []int{missing * 3 / 4, missing*3/4 - 1} {
			if token := token(n); len(token) == size {
				return token
			}
		}
	}
	t.Fatalf("no token of %d bytes could be made", size)
	return ""
}
