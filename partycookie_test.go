package clerkauth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// Other ports and services of the same host, other instances and other keys have party cookies of
// other names.
func TestPartyCookieNames(t *testing.T) {
	origins := []string{"https://example.com", "https://example.com:8443", "https://www.example.com"}
	names := map[string]string{}
	for what, clerk := range map[string]*clerktest.Instance{
		"one instance": clerktest.New(t, clerktest.Options{Origins: origins}),
		"another":      clerktest.New(t, clerktest.Options{Origins: origins, Domain: "other.example"}),
	} {
		for _, secret := range []string{strings.Repeat("a", 32), strings.Repeat("b", 32)} {
			auth := harness.New(t, clerk, func(c *clerkauth.Config) { c.StateKey = []byte(secret) })
			for _, origin := range origins {
				r := harness.Request("GET", origin, harness.With("Sec-Fetch-Site", "none"))
				for _, c := range clerk.Cookies(clerk.Token(clerktest.Claims{AuthorizedParty: origins[0]})) {
					r.AddCookie(c)
				}
				c := harness.SetPartyCookie(auth.AuthenticateRequest(r))
				if c == nil || len(c.Name) != len(harness.PartyName)+8 {
					t.Fatalf("%s at %s: got the party cookie %v, want one with a suffix of 8", what, origin, c)
				}
				here := what + ", key " + secret[:1] + ", " + origin
				if there, ok := names[c.Name]; ok {
					t.Errorf("%s and %s have the same cookie name %s", here, there, c.Name)
				}
				names[c.Name] = here
			}
		}
	}
}

// Without a key no party cookie is accepted: anybody can compute a MAC without a key.
func TestPartyCookieWithoutAKey(t *testing.T) {
	b := harness.NewApp(t, func(c *clerkauth.Config) { c.SecretKey = "" })
	token := b.Clerk.Token(clerktest.Claims{})
	state := b.AuthenticateRequest(b.Page(token))
	harness.WantState(t, state, clerkauth.StatusSignedIn, "")
	if c := harness.SetPartyCookie(state); c != nil {
		t.Errorf("got the party cookie %v without a key, want none", c)
	}
	keyless := func(fields ...string) string {
		h := hmac.New(sha256.New, nil)
		h.Write([]byte(strings.Join(fields, "\x00")))
		return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
	}
	const origin, until = "https://example.com", "9999999999"
	forged := harness.PartyName + keyless("name", b.Clerk.Issuer(), origin)[:8] + "=v2." + until + "." +
		keyless("v2", b.Clerk.Issuer(), origin, state.Session.ID, state.Session.UserID, until)
	harness.WantState(t, b.AuthenticateRequest(b.Script(b.WithoutAZP(clerktest.Claims{}), forged)), clerkauth.StatusSignedOut, clerkauth.ReasonTokenMissingAZP)
}
