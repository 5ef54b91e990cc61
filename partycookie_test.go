package clerkauth_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// Other ports and services of the same host, other instances and other keys have party cookies of other names.
func TestPartyCookieNames(t *testing.T) {
	origins := []string{"https://example.com", "https://example.com:8443", "https://www.example.com"}
	names := map[string]string{}
	for what, clerk := range map[string]*clerktest.Instance{
		"one instance": clerktest.New(t, clerktest.Options{Origins: origins}),
		"another":      clerktest.New(t, clerktest.Options{Origins: origins, Domain: "other.example"}),
	} {
		for _, secret := range []string{strings.Repeat("a", 32), strings.Repeat("b", 32)} {
			cfg := clerk.Config()
			cfg.StateKey = []byte(secret)
			auth, err := clerkauth.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			for _, origin := range origins {
				r := asking("GET", origin, with("Sec-Fetch-Site", "none"))
				for _, c := range clerk.Cookies(clerk.Token(clerktest.Claims{AuthorizedParty: origins[0]})) {
					r.AddCookie(c)
				}
				c := setParty(auth.AuthenticateRequest(r))
				if c == nil || len(c.Name) != len(partyName)+8 {
					t.Fatalf("%s at %s: party cookie %v", what, origin, c)
				}
				here := what + ", key " + secret[:1] + ", " + origin
				if there, ok := names[c.Name]; ok {
					t.Errorf("%s and %s: both %s", here, there, c.Name)
				}
				names[c.Name] = here
			}
		}
	}
}

// Without a key nothing is believed: a MAC under no key is what anybody computes.
func TestPartyCookieWithoutAKey(t *testing.T) {
	b := newBound(t, func(c *clerkauth.Config) { c.SecretKey = "" })
	token := b.clerk.Token(clerktest.Claims{})
	state := b.auth.AuthenticateRequest(b.page(token))
	wantState(t, state, clerkauth.SignedIn, "")
	if c := setParty(state); c != nil {
		t.Errorf("party cookie %v without a key", c)
	}
	keyless := func(fields ...string) string {
		h := hmac.New(sha256.New, nil)
		h.Write([]byte(strings.Join(fields, "\x00")))
		return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
	}
	const origin, until = "https://example.com", "9999999999"
	forged := partyName + keyless("name", b.clerk.Issuer(), origin)[:8] + "=v2." + until + "." +
		keyless("v2", b.clerk.Issuer(), origin, state.Session.ID, state.Session.UserID, until)
	wantState(t, b.auth.AuthenticateRequest(b.script(b.without(clerktest.Claims{}), forged)), clerkauth.SignedOut, clerkauth.ReasonTokenMissingAzp)
}
