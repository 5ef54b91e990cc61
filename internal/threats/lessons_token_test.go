package threats_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// These are mistakes of others with tokens and keys, each under the name of its advisory or issue.

// golang-jwt reported that a token had expired when its signature was bad too. Callers who ignored
// the first ignored both.
func TestGHSA_29wx_vh33_7x7r(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{Now: harness.AtNoon})
	expired := clerktest.Claims{ExpiresAt: harness.Noon.Add(-time.Hour)}
	if got := harness.Judge(t, auth, clerk.Token(expired)); got != clerkauth.ReasonTokenExpired {
		t.Errorf("expired: got %q, want %s", got, clerkauth.ReasonTokenExpired)
	}
	if got := harness.Judge(t, auth, clerk.Forge(expired)); got != clerkauth.ReasonTokenSignature {
		t.Errorf("expired and forged: got %q, want %s alone", got, clerkauth.ReasonTokenSignature)
	}
}

// golang-jwt and go-jose split a token at all its dots before anything else.
func TestGHSA_mh63_6h87_95cp(t *testing.T) { refusesDotsForNothing(t) }

func TestGHSA_c6gw_w398_hv78(t *testing.T) { refusesDotsForNothing(t) }

func refusesDotsForNothing(t *testing.T) {
	t.Helper()
	_, auth := harness.Offline(t, clerktest.Options{})
	ctx := t.Context()
	for _, size := range []int{100, 8 << 10, 1 << 20} {
		for name, token := range map[string]string{
			"dots": strings.Repeat(".", size), "dots after a header": "eyJhbGciOiJSUzI1NiJ9." + strings.Repeat(".", size), "letters": strings.Repeat("A", size),
		} {
			if got := harness.Judge(t, auth, token); got != clerkauth.ReasonTokenInvalid {
				t.Errorf("%d %s: got %q, want %s", size, name, got, clerkauth.ReasonTokenInvalid)
			}
			if n := testing.AllocsPerRun(10, func() { _, _ = auth.VerifyToken(ctx, token) }); n != 1 { // the error
				t.Errorf("%d %s: %v allocations, want only that of the error", size, name, n)
			}
		}
	}
}

// The reference judged claims before the signature, so that anybody could learn what is accepted.
func TestClerkJavaScript8332(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{Now: harness.AtNoon})
	for name, c := range map[string]clerktest.Claims{
		"honest": {}, "another party": {AuthorizedParty: "https://evil.example.com"}, "another issuer": {Issuer: "https://evil.example.com"},
		"expired": {ExpiresAt: harness.Noon.Add(-time.Hour)}, "pending": {Pending: true}, "no user": {Extra: map[string]any{"sub": clerktest.Absent}},
	} {
		if got := harness.Judge(t, auth, clerk.Forge(c)); got != clerkauth.ReasonTokenSignature {
			t.Errorf("%s, forged: got %q, want %s", name, got, clerkauth.ReasonTokenSignature)
		}
	}
}

// Tokens for machines, for OAuth and from templates are signed with the same keys, and were
// accepted as sessions.
func TestClerkJavaScript9168(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{})
	for name, c := range map[string]clerktest.Claims{
		"machine":                    {Subject: "mch_2clerktest"},
		"OAuth":                      {Header: map[string]any{"typ": "at+jwt"}},
		"template":                   {Header: map[string]any{"cat": "cl_B7d4PD222AAA"}},
		"template with a handshake":  {Header: map[string]any{"cat": "cl_B7d4PD222AAA"}, Extra: map[string]any{"handshake": []string{"__session=x"}}},
		"machine with category":      {Subject: "mch_2clerktest", Header: map[string]any{"cat": "cl_B7d4PD111AAA"}},
		"OAuth with category":        {Header: map[string]any{"typ": "application/at+jwt", "cat": "cl_B7d4PD111AAA"}},
		"category of another type":   {Header: map[string]any{"cat": 1}},
		"category that is not given": {Header: map[string]any{"cat": nil}},
	} {
		if got := harness.Judge(t, auth, clerk.Token(c)); got != clerkauth.ReasonTokenTypeMismatch {
			t.Errorf("%s: got %q, want %s", name, got, clerkauth.ReasonTokenTypeMismatch)
		}
	}
}

// An issuer was compared by its prefix, or not at all.
func TestClerkSDKGo309(t *testing.T) { comparesIssuersExactly(t) }

func TestClerkJavaScript8772(t *testing.T) { comparesIssuersExactly(t) }

func comparesIssuersExactly(t *testing.T) {
	t.Helper()
	clerk, auth := harness.Offline(t, clerktest.Options{})
	for _, iss := range []any{
		"https://clerk.evil.com", "https://clerk.example.com.evil.com", "https://clerk.example.com/", "https://clerk.example.com:443",
		"https://evil.accounts.dev", "https://clerk.example.co", "https://example.com", "clerk.example.com", "", nil, clerktest.Absent,
	} {
		if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{Extra: map[string]any{"iss": iss}})); got != clerkauth.ReasonTokenIssuer {
			t.Errorf("iss %v: got %q, want %s", iss, got, clerkauth.ReasonTokenIssuer)
		}
	}
}

// Clocks differ: without leeway, tokens that had just been issued were "issued in the future".
func TestClerkSDKGo587(t *testing.T) {
	now := harness.Noon
	clerk, auth := harness.Offline(t, clerktest.Options{Now: func() time.Time { return now }})
	token := clerk.Token(clerktest.Claims{NotBefore: harness.Noon})
	for behind, want := range map[time.Duration]clerkauth.Reason{
		0: "", 5 * time.Second: "", 5*time.Second + 1: clerkauth.ReasonTokenNotActiveYet,
	} {
		now = harness.Noon.Add(-behind)
		if got := harness.Judge(t, auth, token); got != want {
			t.Errorf("%v behind: got %q, want %q", behind, got, want)
		}
	}
}

// encoding/json ignores case and takes the last of two equal names, so that two readers of a token
// saw different claims.
func TestTrailOfBits202506(t *testing.T) {
	clerk, auth := harness.Offline(t, clerktest.Options{Now: harness.AtNoon})
	good := fmt.Sprintf(`"iss":%q,"sub":"user_1","sid":"sess_1","azp":"https://example.com","exp":%d`, clerk.Issuer(), harness.At(60))
	for payload, want := range map[string]clerkauth.Reason{
		`{` + good + `,"azp":"https://evil.example.com"}`:                   clerkauth.ReasonTokenInvalid,
		`{"azp":"https://evil.example.com",` + good + `}`:                   clerkauth.ReasonTokenInvalid,
		`{` + good + `,"AZP":"https://evil.example.com","ſub":"user_evil"}`: "",
		strings.Replace(`{`+good+`}`, `"azp"`, `"AZP"`, 1):                  clerkauth.ReasonTokenInvalidParties,
		strings.Replace(`{`+good+`}`, `"sub"`, `"ſub"`, 1):                  clerkauth.ReasonTokenVerificationFailed,
	} {
		token := clerk.Token(clerktest.Claims{RawPayload: []byte(payload)})
		if got := harness.Judge(t, auth, token); got != want {
			t.Errorf("%s: got %q, want %q", payload, got, want)
		}
		if s, err := auth.VerifyToken(t.Context(), token); err == nil && (s.UserID != "user_1" || s.AuthorizedParty != "https://example.com") {
			t.Errorf("%s: accepted as %s at %s, want user_1 at https://example.com, or an error", payload, s.UserID, s.AuthorizedParty)
		}
	}
}

// A cache of keys by kid, shared in the process, accepted one instance's key for another's.
func TestClerkJavaScript9394(t *testing.T) { keysAreNotShared(t) }

func TestClerkSDKGo588(t *testing.T) { keysAreNotShared(t) }

func keysAreNotShared(t *testing.T) {
	t.Helper()
	ours, theirs := clerktest.New(t, clerktest.Options{}), clerktest.New(t, clerktest.Options{Domain: "example.org"})
	var auths []*clerkauth.Authenticator
	for _, clerk := range []*clerktest.Instance{ours, theirs} {
		auth := harness.New(t, clerk, func(c *clerkauth.Config) {
			c.Issuers = []string{ours.Issuer(), theirs.Issuer()}
			c.AuthorizedParties = []string{"https://example.com", "https://example.org"}
		})
		if got := harness.Judge(t, auth, clerk.Token(clerktest.Claims{})); got != "" {
			t.Fatalf("its own token: got %q, want accepted", got)
		}
		auths = append(auths, auth)
	}
	if got := harness.Judge(t, auths[0], theirs.Token(clerktest.Claims{})); got != clerkauth.ReasonKeyUnknown {
		t.Errorf("the other's token: got %q, want %s", got, clerkauth.ReasonKeyUnknown)
	}
	stolen := theirs.Token(clerktest.Claims{Header: map[string]any{"kid": ours.KeyID()}})
	if got := harness.Judge(t, auths[0], stolen); got != clerkauth.ReasonTokenSignature {
		t.Errorf("the other's token under our kid: got %q, want %s", got, clerkauth.ReasonTokenSignature)
	}
}

// Every use of a key extended its life: a key in use was never fetched again, even if revoked.
func TestClerkSDKGo544(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		kid := k.Clerk.KeyID()
		k.Clerk.RotateKey()
		k.Clerk.RevokeKey(kid)
		for time.Since(k.Begun) < 5*time.Minute {
			_, _ = k.Auth.VerifyToken(k.Context(), k.Token) // use it all the time
			synctest.Wait()
			time.Sleep(time.Second)
		}
		k.Want(k.Token, clerkauth.ReasonKeyUnknown, 0)
	})
}

// A refresh added keys and removed none.
func TestGHSA_675f_rq2r_jw82(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Clerk.RotateKey() // two are published
		k.Want(k.Token, "", 0)
		second, kid := k.Mint(), k.Clerk.KeyID()
		k.Want(second, "", 0)
		k.Clerk.RevokeKey(kid)
		time.Sleep(5 * time.Minute)
		k.Want(second, clerkauth.ReasonKeyUnknown, 0)
		k.Want(k.Token, "", 0)
	})
}

// Behind a rate limiter, fetches of unknown keys waited for minutes, and honest ones behind them.
func TestJwkset26(t *testing.T) { nobodyQueues(t) }

func TestCosmo2216(t *testing.T) { nobodyQueues(t) }

func nobodyQueues(t *testing.T) {
	t.Helper()
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		k.Fault(clerktest.Hang)
		go k.Strangers(k.Context(), 1000)
		for range 100 {
			time.Sleep(100 * time.Millisecond)
			k.Want(k.Token, "", 0)
			begin := time.Now()
			_, _ = k.Auth.VerifyToken(k.Context(), k.Stranger("ins_x"))
			if waited := time.Since(begin); waited > 3*time.Second {
				k.Errorf("a token of an unknown key waited %v, want at most 3s", waited)
			}
		}
		time.Sleep(10 * time.Second)
	})
}

// Every token that did not verify fetched the keys again.
func TestGoOIDC482(t *testing.T) {
	harness.WithKeys(t, func(k *harness.Keyed) {
		k.Want(k.Token, "", 0)
		k.WantFetches(1)
		for i := range 1000 { // 100 s
			_, _ = k.Auth.VerifyToken(k.Context(), harness.SpoilSignature(k.Token))
			_, _ = k.Auth.VerifyToken(k.Context(), k.Stranger(fmt.Sprint("ins_", i)))
			time.Sleep(100 * time.Millisecond)
		}
		k.WantFetches(10)
	})
}

// A token is verified with the configured key, whatever key it names or contains.
func TestTokensBringNoKeys(t *testing.T) {
	calls := 0
	clerk, auth := harness.Offline(t, clerktest.Options{}, func(c *clerkauth.Config) {
		c.HTTPClient = &http.Client{Transport: harness.Transport(func(*http.Request) (*http.Response, error) {
			calls++
			return nil, http.ErrServerClosed
		})}
	})
	for _, name := range []string{"jku", "x5u"} {
		token := clerk.Forge(clerktest.Claims{Header: map[string]any{name: "https://evil.example.com/jwks.json"}})
		if got := harness.Judge(t, auth, token); got != clerkauth.ReasonTokenInvalid || calls != 0 {
			t.Errorf("%s: got %q after %d requests, want %s after none", name, got, calls, clerkauth.ReasonTokenInvalid)
		}
	}
}
