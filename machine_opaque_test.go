package clerkauth_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestOpaqueCredentialsEnd(t *testing.T) {
	a := harness.NewApp(t)
	for name, mint := range map[string]func(clerktest.MachineClaims) string{"api key": a.Clerk.APIKey, "m2m": a.Clerk.M2M, "oauth": a.Clerk.OAuth} {
		for end, f := range map[string]func(string){"revoked": a.Clerk.Revoke, "expired": a.Clerk.Expire} {
			credential := mint(clerktest.MachineClaims{})
			if got := judgeMachine(t, a.Authenticator, credential); got != "" {
				t.Errorf("%s: got %q, want none", name, got)
			}
			f(credential)
			for range 2 {
				if got := judgeMachine(t, a.Authenticator, credential); got != clerkauth.ReasonTokenInvalid {
					t.Errorf("%s, %s: got %q, want ReasonTokenInvalid", name, end, got)
				}
			}
		}
		if got := judgeMachine(t, a.Authenticator, mint(clerktest.MachineClaims{ExpiresAt: harness.Noon, Extra: map[string]any{"expired": false}})); got != clerkauth.ReasonTokenInvalid {
			t.Errorf("%s, expired: got %q, want ReasonTokenInvalid", name, got)
		}
		if got := judgeMachine(t, a.Authenticator, mint(clerktest.MachineClaims{})+"x"); got != clerkauth.ReasonTokenInvalid {
			t.Errorf("%s, made up: got %q, want ReasonTokenInvalid", name, got)
		}
	}
}

// An answer of the Backend API signs in only when it is complete, and about the right credential.
func TestAnswersAreReadStrictly(t *testing.T) {
	a := harness.NewApp(t)
	const open, invalid = clerkauth.ReasonCredentialUnverifiable, clerkauth.ReasonTokenInvalid
	for name, tc := range map[string]struct {
		member string
		value  any
		want   clerkauth.Reason
		only   string // the kind that it is for; empty: all
	}{
		"no object":         {"object", clerktest.Absent, open, ""},
		"a session":         {"object", "session", open, ""},
		"another type":      {"type", "session", open, ""},
		"no type":           {"type", clerktest.Absent, open, "api key"},
		"no OAuth type":     {"type", clerktest.Absent, "", "oauth"}, // Clerk's document of the answer has none
		"type null":         {"type", nil, open, ""},
		"another kind's":    {"type", "api_key", open, "oauth"},
		"an API key's id":   {"id", "ak_0123", open, "m2m"},
		"an M2M token's id": {"id", "mt_0123", open, "api key"},
		"a machine's id":    {"id", "mch_0123", open, "oauth"},
		"a prefix as id":    {"id", "oat_", open, "oauth"},
		"a prefix before":   {"id", "xak_0123", open, "api key"},
		"errors":            {"errors", []any{map[string]any{"code": "not_found"}}, open, ""},
		"no errors":         {"errors", []any{}, open, ""},
		"not active":        {"active", false, invalid, "oauth"},
		"not active, a key": {"active", false, open, "api key"},
		"active":            {"active", true, "", "oauth"},
		"active as text":    {"active", "true", open, "oauth"},
		"no id":             {"id", clerktest.Absent, open, ""},
		"an empty id":       {"id", "", open, ""},
		"a number as id":    {"id", 1, open, ""},
		"no subject":        {"subject", clerktest.Absent, open, ""},
		"an empty subject":  {"subject", "", open, ""},
		"subject null":      {"subject", nil, open, ""},
		"a person's":        {"subject", "user_1", open, "m2m"},
		"no revoked":        {"revoked", clerktest.Absent, open, ""},
		"revoked null":      {"revoked", nil, open, ""},
		"revoked as text":   {"revoked", "false", open, ""},
		"revoked":           {"revoked", true, invalid, ""},
		"no expired":        {"expired", clerktest.Absent, open, ""},
		"expired as number": {"expired", 0, open, ""},
		"expired":           {"expired", true, invalid, ""},
		"no expiration":     {"expiration", clerktest.Absent, open, ""},
		"expiration 0":      {"expiration", 0, open, ""},
		"expiration text":   {"expiration", "never", open, ""},
		"expiration past":   {"expiration", harness.At(-1) * 1000, invalid, ""},
		"expiration later":  {"expiration", harness.At(1) * 1000, "", ""},
		"scopes as text":    {"scopes", "read", open, ""},
		"scopes null":       {"scopes", nil, "", "api key"},
		"no scopes":         {"scopes", clerktest.Absent, "", "oauth"},
		"claims as text":    {"claims", "x", open, ""},
		"claims null":       {"claims", nil, "", ""},
		"no client":         {"client_id", nil, open, "oauth"},
		"aud as a number":   {"aud", 1, open, ""},
		"aud null":          {"aud", nil, "", ""},
		"created as text":   {"created_at", "x", open, ""},
		"something new":     {"more", map[string]any{"a": 1}, "", ""},
		"in capitals":       {"SUBJECT", "user_evil", "", ""},
	} {
		for kind, mint := range map[string]func(clerktest.MachineClaims) string{"api key": a.Clerk.APIKey, "m2m": a.Clerk.M2M, "oauth": a.Clerk.OAuth} {
			if tc.only != "" && tc.only != kind {
				continue
			}
			if got := judgeMachine(t, a.Authenticator, mint(clerktest.MachineClaims{Extra: map[string]any{tc.member: tc.value}})); got != tc.want {
				t.Errorf("%s, %s: got %q, want %q", name, kind, got, tc.want)
			}
		}
	}
	whole := `{"object":"api_key","type":"api_key","id":"ak_1","subject":"user_1","scopes":[],"revoked":false,"expired":false,"expiration":null}`
	for body, want := range map[string]clerkauth.Reason{
		whole: "", whole + " ": "", whole + "x": open, "[" + whole + "]": open, "null": open, "": open, "{}": open, whole[:len(whole)-1]: open,
		strings.Replace(whole, `"revoked"`, `"revoked":true,"revoked"`, 1): open, strings.Replace(whole, `"revoked"`, `"Revoked"`, 1): open,
		strings.Replace(whole, "{", `{"x":"`+strings.Repeat("x", 256<<10)+`",`, 1): open,
	} {
		a.Clerk.Fault(clerktest.BackendVerifyAPIKey, func(http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		})
		if got := judgeMachine(t, a.Replica(), a.Clerk.APIKey(clerktest.MachineClaims{})); got != want {
			t.Errorf("%.150s: got %q, want %q", body, got, want)
		}
	}
}

// For an OAuth token that is no longer active, Clerk's answer has no other member.
func TestOAuthTokenThatIsNotActive(t *testing.T) {
	a := harness.NewApp(t)
	a.Clerk.Fault(clerktest.BackendVerifyOAuth, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"active":false}`) })
	})
	if got := judgeMachine(t, a.Authenticator, a.Clerk.OAuth(clerktest.MachineClaims{})); got != clerkauth.ReasonTokenInvalid {
		t.Errorf("got %q, want %q", got, clerkauth.ReasonTokenInvalid)
	}
}

// An error response that does not have the form of Clerk's errors decides nothing: another server
// may have sent it.
func TestErrorsOfOthersRefuseNoCredential(t *testing.T) {
	const open, invalid = clerkauth.ReasonCredentialUnverifiable, clerkauth.ReasonTokenInvalid
	a := harness.NewApp(t)
	for body, want := range map[string]clerkauth.Reason{
		`{"errors":[{"code":"resource_not_found","message":"x"}]}`: invalid,
		`{"errors":[]}`:                         open,
		`{"errors":["no handler for route"]}`:   open,
		`{"errors":[null]}`:                     open,
		`{"errors":[{"message":"no route"}]}`:   open,
		`{"errors":[{"code":404}]}`:             open,
		`{"errors":[{"code":""}]}`:              open,
		`{"errors":[{"code":"x"},"x"]}`:         open,
		`{"errors":{"code":"x"}}`:               open,
		`{"code":"x"}`:                          open,
		`<h1>Not found</h1>`:                    open,
		`{"errors":[{"code":"x","code":"x"}]}`:  open,
		`{"errors":[{"code":"x"}],"errors":[]}`: open,
	} {
		for _, status := range []int{http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity} {
			a.Clerk.Fault(clerktest.BackendVerifyAPIKey, func(http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(status)
					_, _ = io.WriteString(w, body)
				})
			})
			if got := judgeMachine(t, a.Authenticator, a.Clerk.APIKey(clerktest.MachineClaims{})); got != want {
				t.Errorf("%d %s: got %q, want %q", status, body, got, want)
			}
		}
	}
	// An answer that contradicts itself decides nothing either.
	a.Clerk.Fault(clerktest.BackendVerifyOAuth, func(http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"active":false,"errors":[{"code":"internal"}]}`)
		})
	})
	if got := judgeMachine(t, a.Authenticator, a.Clerk.OAuth(clerktest.MachineClaims{})); got != open {
		t.Errorf("inactive, and an error: got %q, want a refusal that decides nothing", got)
	}
}

// A credential that does not have the form of Clerk's is not sent to Clerk.
func TestFormsAreCheckedBeforeAnyQuestion(t *testing.T) {
	a := harness.NewApp(t)
	for _, credential := range []string{
		"ak_", "mt_", "oat_", "ak_a.b.c", "mt_a.b.c", "ak_a b", "ak_ä", "ak_a\x00", "ak_\"}", "ak_a\n", "ak_%61", "ak_" + strings.Repeat("x", 510),
	} {
		if got := judgeMachine(t, a.Authenticator, credential); got != clerkauth.ReasonTokenInvalid {
			t.Errorf("%q: got %q, want ReasonTokenInvalid", credential, got)
		}
	}
	for _, credential := range []string{"", "AK_abc", "xak_abc", "ask_abc", "sk_live_abc", "garbage", "a.b.c", "..", strings.Repeat("x", 1<<20)} {
		if got := judgeMachine(t, a.Authenticator, credential); got != clerkauth.ReasonTokenTypeMismatch && (credential != "" || got != clerkauth.ReasonCredentialMissing) {
			t.Errorf("%.20q: got %q, want %q", credential, got, clerkauth.ReasonTokenTypeMismatch)
		}
	}
	if n := len(a.Clerk.Requests()); n != 0 {
		t.Errorf("got %d requests, want none", n)
	}
	if got := judgeMachine(t, a.Authenticator, "ak_"+strings.Repeat("x", 509)); got != clerkauth.ReasonTokenInvalid || harness.Requests(a.Clerk, clerktest.BackendVerifyAPIKey) != 1 {
		t.Errorf("the longest API key: got %q, want %q after one call", got, clerkauth.ReasonTokenInvalid)
	}
}

// Each key is sent only where it belongs.
func TestWhoseSecretVerifies(t *testing.T) {
	a := harness.NewApp(t, func(c *clerkauth.Config) { c.MachineSecretKey = "ak_a_machine_of_another_instance" })
	if got := judgeMachine(t, a.Authenticator, a.Clerk.M2M(clerktest.MachineClaims{})); got != clerkauth.ReasonSecretKeyInvalid {
		t.Errorf("an M2M token by another machine's key: got %q, want ReasonSecretKeyInvalid", got)
	}
	if got := judgeMachine(t, a.Authenticator, a.Clerk.APIKey(clerktest.MachineClaims{})); got != "" {
		t.Errorf("an API key by the secret key: got %q, want none", got)
	}
	own := a.Replica(func(c *clerkauth.Config) {
		c.SecretKey, c.MachineSecretKey, c.JWTKey = "", a.Clerk.MachineSecretKey(), a.Clerk.JWTKey()
	})
	if _, err := own.VerifyMachine(t.Context(), a.Clerk.M2M(clerktest.MachineClaims{}), clerkauth.M2MTokens()); err != nil {
		t.Errorf("an M2M token by its own machine's key: %v", err)
	}
	if _, err := own.VerifyMachine(t.Context(), a.Clerk.OAuth(clerktest.MachineClaims{}), clerkauth.OAuthTokens()); harness.ReasonOf(t, err) != clerkauth.ReasonCredentialUnverifiable {
		t.Errorf("an opaque OAuth token without a secret key: got %v, want %s", err, clerkauth.ReasonCredentialUnverifiable)
	}
}
