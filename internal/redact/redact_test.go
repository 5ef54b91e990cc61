package redact_test

import (
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/redact"
)

// What looks like a key, a token or a password is not shown, except for the part that identifies it.
func TestText(t *testing.T) {
	const secret = "0123456789abcdef!?#secret"
	pem := "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0B\n-----END PUBLIC KEY-----"
	for name, tc := range map[string]struct{ message, want, never string }{
		"a plain message":      {`AuthorizedParties[0]: "https://example.com/x" has a path`, `AuthorizedParties[0]: "https://example.com/x" has a path`, ""},
		"a secret key":         {`SecretKey: "sk_live_abcdefgh12345678"`, `SecretKey: "sk_live_"`, "abcdefgh12345678"},
		"a machine's key":      {"used ak_abcdef123456 here", "used ak_ here", "abcdef123456"},
		"a key's prefix alone": {"sk_live_ or sk_test_", "sk_live_ or sk_test_", ""},
		"a variable":           {"CLERK_SECRET_KEY=sk_live_abcdefgh12345678", "CLERK_SECRET_KEY=sk_live_", "abcdefgh12345678"},
		"a name before it":     {"my_sk_live_abcdefgh", "my_sk_live_", "abcdefgh"},
		"a letter before it":   {"xoat_abcdefghijklmnop", "xoat_", "abcdefghij"},
		"a secret with one":    {"got 4fQ8zR1mXw7Yk2Vnsk_4fQ8zR1mXw7Yk2Vn", "got 4fQ8…sk_", "zR1mXw7Yk2Vn"},
		"a secret before one":  {"got 4fQ8zR1mXw7Yk2Vn-sk_4fQ8zR1mXw7Yk2Vn", "got 4fQ8…sk_", "zR1mXw7Yk2Vn"},
		"a token":              {"got eyJhbGciOiJSUzI1NiJ9.payload", "got eyJh….payload", "hbGciOiJSUzI1NiJ9"},
		"a password in a URL":  {`"https://user:pass@example.com"`, `"https://…@example.com"`, "pass"},
		"a PEM block":          {"JWTKey: " + pem, "JWTKey: -----BEGIN…", "MIIBIjANBg"},
		"a known secret":       {"it is " + secret, "it is …", secret},
		"a short known secret": {"abc in abcd", "abc in abcd", ""},
	} {
		got := redact.Text(tc.message, secret, "abc")
		if got != tc.want || tc.never != "" && strings.Contains(got, tc.never) {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}
