package clerkauth_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// TestARetiredKeyIsNoSignOut: a browser was away while the instance's key was replaced.
func TestARetiredKeyIsNoSignOut(t *testing.T) {
	tests := []struct {
		name   string
		change func(*clerktest.Claims)
		away   time.Duration
		edit   harness.Edit
		want   clerkauth.Status
	}{
		{"a page", nil, time.Hour, nil, clerkauth.StatusHandshake},
		{"a script", nil, time.Hour, harness.With("Sec-Fetch-Dest", "empty"), clerkauth.StatusSignedOut},
		{"a token that has not expired", nil, 30 * time.Second, nil, clerkauth.StatusSignedOut},
		{"a token of another instance", func(c *clerktest.Claims) { c.Issuer = "https://clerk.example.org" }, time.Hour, nil, clerkauth.StatusSignedOut},
		{"a host that is not listed", nil, time.Hour, harness.Host("evil.example"), clerkauth.StatusSignedOut},
		{"a bearer token", nil, time.Hour, func(r *http.Request) {
			c, err := r.Cookie("__session")
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Del("Cookie")
			r.Header.Set("Authorization", "Bearer "+c.Value)
		}, clerkauth.StatusSignedOut},
	}
	for _, tt := range tests {
		a := harness.NewApp(t)
		claims := clerktest.Claims{}
		if tt.change != nil {
			tt.change(&claims)
		}
		token := a.Clerk.Token(claims)
		replaceKey(a)
		a.Now = a.Now.Add(tt.away)
		r := a.Page(token)
		if tt.edit != nil {
			tt.edit(r)
		}
		state := a.AuthenticateRequest(r)
		if reason := harness.Reason(t, state); state.Status != tt.want || reason != clerkauth.ReasonKeyUnknown && tt.name != "a host that is not listed" {
			t.Errorf("%s: got %s %q, want %s", tt.name, state.Status, reason, tt.want)
		}
	}
}

// A browser that returns from Clerk with the same token is not redirected there without end.
func TestARetiredKeyMakesNoEndlessHandshakes(t *testing.T) {
	a := harness.NewApp(t)
	token := a.Clerk.Token(clerktest.Claims{})
	replaceKey(a)
	a.Now = a.Now.Add(time.Hour)
	var attempts []string
	for n := range 4 {
		state := a.AuthenticateRequest(a.Page(token, attempts...))
		want := clerkauth.StatusHandshake
		if n == 3 {
			want = clerkauth.StatusSignedOut
		}
		harness.WantState(t, state, want, clerkauth.ReasonKeyUnknown)
		attempts = nil
		for _, c := range harness.SetCookies(state) {
			attempts = append(attempts, fmt.Sprint(c.Name, "=", c.Value))
		}
	}
}

// Another tab has used the result that a page returns with: that says nothing about the next one.
func TestARetiredKeyBesideAUsedAnswer(t *testing.T) {
	a := harness.NewApp(t)
	token := a.Clerk.Token(clerktest.Claims{})
	replaceKey(a)
	a.Now = a.Now.Add(time.Hour)
	first := a.AuthenticateRequest(a.Page(token))
	harness.WantState(t, first, clerkauth.StatusHandshake, clerkauth.ReasonKeyUnknown)
	cookies := []string{"__clerk_handshake_nonce=" + harness.Nonce}
	for _, c := range harness.SetCookies(first) {
		cookies = append(cookies, fmt.Sprint(c.Name, "=", c.Value))
	}
	harness.WantState(t, a.AuthenticateRequest(a.Page(token, cookies...)), clerkauth.StatusHandshake, clerkauth.ReasonKeyUnknown)
}

// replaceKey makes a new key sign, and removes the previous one from the published set.
func replaceKey(a *harness.App) {
	old := a.Clerk.KeyID()
	a.Clerk.RotateKey()
	a.Clerk.RevokeKey(old)
}
