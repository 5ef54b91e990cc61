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

// dated adds a Date header with the time of Clerk's clock, as Clerk's servers do.
type dated struct {
	http.RoundTripper

	now func() time.Time
}

func (d dated) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := d.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Header.Set("Date", d.now().UTC().Format(http.TimeFormat))
	}
	return resp, err
}

// A developer's machine may have a wrong clock. In development, a session token is still accepted,
// with a warning, if a nonce was just exchanged for it, or if it is valid by Clerk's clock. In
// production, and for any other token, a wrong clock is never forgiven.
func TestDevelopmentForgivesItsClock(t *testing.T) {
	for _, tc := range []struct {
		name        string
		ahead       time.Duration // of Clerk's clock
		development bool
		party       string // of the token; empty: the app
		signsIn     bool
		warns       bool // when the result is a nonce
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
		for _, by := range []string{"nonce", "token"} {
			t.Run(tc.name+", by "+by, func(t *testing.T) {
				var log harness.Log
				clerk := clerktest.New(t, clerktest.Options{
					Development: tc.development, Origins: []string{harness.Origin}, Now: harness.AtNoon, WithoutRefresh: true,
				})
				a := harness.NewAppOf(t, clerk, func(c *clerkauth.Config) {
					c.Now = func() time.Time { return harness.Noon.Add(tc.ahead) }
					c.Logger = log.Logger()
					c.HTTPClient = &http.Client{Transport: dated{c.HTTPClient.Transport, harness.AtNoon}}
					if by == "token" {
						c.SecretKey = ""
					} else {
						c.JWTKey = clerk.JWTKey()
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
					t.Errorf("a handshake signs in: got %t, want %t: %+v", signedIn, tc.signsIn, events)
				}
				warns := tc.warns
				if by == "token" { // the keys were fetched with a Date header, so that Clerk's time is known
					warns = tc.ahead.Abs() > 5*time.Second
				}
				if warnings := strings.Count(log.String(), "ahead_of_clerk"); warnings > 1 || (warnings == 1) != warns {
					t.Errorf("got %d warnings, want one: %t", warnings, warns)
				}
			})
		}
	}
}

// Somebody who goes back to an old handshake result, or has it as a bookmark, is not signed in by
// it. No warning about the clock is logged: by Clerk's clock the result is old, or Clerk's time is
// not known.
func TestOldAnswersAreNotForgiven(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*clerkauth.Config, *clerktest.Instance)
		later  time.Duration
		clock  time.Duration // how far ahead of Clerk's the machine's is
	}{
		"Clerk's clock is known":                                     {func(*clerkauth.Config, *clerktest.Instance) {}, 2 * time.Hour, 0},
		"a clock that is ahead":                                      {func(*clerkauth.Config, *clerktest.Instance) {}, 2 * time.Hour, time.Hour},
		"Clerk's clock is not known":                                 {func(c *clerkauth.Config, clerk *clerktest.Instance) { c.JWTKey = clerk.JWTKey() }, 2 * time.Hour, 0},
		"Clerk's clock is not known, and the answer is a little old": {func(c *clerkauth.Config, clerk *clerktest.Instance) { c.JWTKey = clerk.JWTKey() }, 70 * time.Second, 0},
	} {
		var log harness.Log
		now := harness.Noon
		clerk := clerktest.New(t, clerktest.Options{Development: true, Origins: []string{harness.Origin}, Now: func() time.Time { return now }})
		a := harness.NewAppOf(t, clerk, func(c *clerkauth.Config) {
			later := harness.Noon.Add(tc.later)
			c.HTTPClient = &http.Client{Transport: dated{c.HTTPClient.Transport, func() time.Time { return later }}}
			c.SecretKey, c.Logger, c.Now = "", log.Logger(), func() time.Time { return now.Add(tc.clock) }
			tc.change(c, clerk)
		})
		cookies := `"__session=` + clerk.Token(clerktest.Claims{}) + `; Path=/","__client_uat=1; Path=/"`
		old := clerk.Token(clerktest.Claims{RawPayload: []byte(`{"handshake":[` + cookies + `]}`)})
		now = now.Add(tc.later)
		sent := a.AuthenticateRequest(harness.Request("GET", harness.Origin+"/page", harness.Document))
		r := harness.Request("GET", harness.Origin+"/page?__clerk_handshake="+old, harness.Document, harness.With("Cookie"))
		for name, c := range harness.SetCookies(sent) {
			r.Header.Add("Cookie", name+"="+c.Value)
		}
		r.Header.Add("Cookie", "__clerk_db_jwt=dvb_1")
		if r.Header["Cookie"] == nil || len(harness.SetCookies(sent)) == 0 {
			t.Fatal("the browser was not redirected to a handshake")
		}
		state := a.AuthenticateRequest(r)
		if state.Status == clerkauth.StatusSignedIn || harness.SetCookies(state)["__session"] != nil {
			t.Errorf("%s: an old handshake result signs in: got the header %v", name, state.Header)
		}
		if strings.Contains(log.String(), "sessions will not last") || tc.clock == 0 && strings.Contains(log.String(), "ahead_of_clerk") {
			t.Errorf("%s: got a warning of the clock, want none: %s", name, log.String())
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
				t.Errorf("a %s with a clock %v ahead: got %q, want %q", name, ahead, got, want)
			}
		}
	}
}
