package clerkauth_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// The clock of a developer's machine may be wrong. What a handshake has just brought is new all the same, and
// believed in development, with a warning. A clock is never forgiven in production, nor for any other token.
func TestDevelopmentForgivesItsClock(t *testing.T) {
	for _, tc := range []struct {
		name        string
		ahead       time.Duration // of Clerk's clock
		development bool
		party       string // of the token; empty: the app
		signsIn     bool
		warns       bool // where an old answer cannot be what expired: a nonce has just been exchanged
	}{
		{"right", 0, true, "", true, false},
		{"a few seconds ahead", 4 * time.Second, true, "", true, false},
		{"two hours ahead", 2 * time.Hour, true, "", true, true},
		{"two hours behind", -2 * time.Hour, true, "", true, true},
		{"a day ahead", 23 * time.Hour, true, "", true, true},
		{"a day behind", -23 * time.Hour, true, "", true, true},
		{"more than a day ahead", 25 * time.Hour, true, "", false, true},
		{"more than a day behind", -25 * time.Hour, true, "", false, true},
		{"two hours ahead, and a token for another app", 2 * time.Hour, true, "https://evil.test", false, false},
		{"right, in production", 0, false, "", true, false},
		{"two hours ahead, in production", 2 * time.Hour, false, "", false, true},
		{"two hours behind, in production", -2 * time.Hour, false, "", false, true},
	} {
		for _, carrier := range []string{"nonce", "token"} {
			var log harness.Log
			clerk := clerktest.New(t, clerktest.Options{
				Development: tc.development, Origins: []string{harness.Origin}, Now: harness.AtNoon, WithoutRefresh: true,
			})
			a := harness.NewAppOf(t, clerk, func(c *clerkauth.Config) {
				c.Now = func() time.Time { return harness.Noon.Add(tc.ahead) }
				c.Logger = log.Logger()
				c.JWTKey = clerk.JWTKey()
				if carrier == "token" {
					c.SecretKey = ""
				}
			})
			browser := clerk.Browser(a.Optional(harness.Greet))
			clerk.SignIn(browser.Jar, clerktest.Person{Claims: clerktest.Claims{Subject: "user_2alice", AuthorizedParty: tc.party}})
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, harness.Origin+"/page", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := browser.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			events := a.Events()
			signedIn := slices.ContainsFunc(events, func(e clerkauth.Event) bool {
				return e.TokenSource == clerkauth.TokenSourceHandshake && e.Status == clerkauth.StatusSignedIn
			})
			if signedIn != tc.signsIn {
				t.Errorf("%s, by %s: a handshake signs in: %t, want %t: %+v", tc.name, carrier, signedIn, tc.signsIn, events)
			}
			warns := tc.warns && (tc.signsIn || tc.ahead < 0 || carrier == "nonce")
			if warnings := strings.Count(log.String(), "clock is off"); warnings > 1 || (warnings == 1) != warns {
				t.Errorf("%s, by %s: %d warnings, want one: %t", tc.name, carrier, warnings, warns)
			}
		}
	}
}

func TestDevelopmentForgivesNoOtherToken(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{harness.Origin}, Now: harness.AtNoon})
	for ahead, want := range map[time.Duration]clerkauth.Reason{
		0: "", 2 * time.Hour: clerkauth.ReasonTokenExpired, -2 * time.Hour: clerkauth.ReasonTokenNotActiveYet,
	} {
		a := harness.NewAppOf(t, clerk, func(c *clerkauth.Config) {
			c.Now, c.JWTKey, c.SecretKey = func() time.Time { return harness.Noon.Add(ahead) }, clerk.JWTKey(), ""
		})
		token := clerk.Token(clerktest.Claims{})
		for name, sent := range map[string]harness.Edit{"cookie": a.WithCookies(token), "bearer token": harness.WithBearer(token)} {
			if got := harness.Reason(t, a.AuthenticateRequest(harness.Request("GET", harness.Origin+"/api", sent))); got != want {
				t.Errorf("a %s with a clock %v ahead: %q, want %q", name, ahead, got, want)
			}
		}
	}
}
