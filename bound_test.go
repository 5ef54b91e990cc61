package clerkauth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const (
	partyName = "__Host-clerkauth_party_" // and eight characters
	triedName = "__Host-clerkauth_tried"
)

// bound is an application whose users carry cookies.
type bound struct {
	*testing.T
	clerk *clerktest.Instance
	auth  *clerkauth.Authenticator
	now   time.Time
	made  int // refresh cookies
}

func newBound(t *testing.T, change func(*clerkauth.Config)) *bound {
	t.Helper()
	b := &bound{T: t, now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
	b.clerk = clerktest.New(t, clerktest.Options{
		Origins: []string{"https://example.com", "https://other.example.com"},
		Now:     func() time.Time { return b.now },
	})
	b.auth = b.authenticator(change)
	return b
}

func (b *bound) authenticator(change func(*clerkauth.Config)) *clerkauth.Authenticator {
	b.Helper()
	cfg := b.clerk.Config()
	if change != nil {
		change(&cfg)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	return auth
}

// without is a token that does not say for whom it was minted.
func (b *bound) without(c clerktest.Claims) string {
	c.Extra = map[string]any{"azp": clerktest.Absent}
	return b.clerk.Token(c)
}

// page is a browser's navigation with a session token and more cookies.
func (b *bound) page(token string, cookies ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, "https://example.com/page?x=1", nil)
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Sec-Fetch-Site", "none")
	for _, c := range b.clerk.Cookies(token) {
		r.AddCookie(c)
	}
	for _, c := range cookies {
		r.Header.Add("Cookie", c)
	}
	return r
}

// script is a same-origin fetch with a session token and more cookies.
func (b *bound) script(token string, cookies ...string) *http.Request {
	r := b.page(token, cookies...)
	r.Header.Set("Sec-Fetch-Dest", "empty")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// party signs in with an honest token and returns the cookie that proves it.
func (b *bound) party(c clerktest.Claims) string {
	b.Helper()
	set := setParty(b.auth.AuthenticateRequest(b.page(b.clerk.Token(c))))
	if set == nil {
		b.Fatal("an honest sign-in sets no party cookie")
	}
	return set.Name + "=" + set.Value
}

func setCookies(s *clerkauth.RequestState) map[string]*http.Cookie {
	set := map[string]*http.Cookie{}
	for _, c := range (&http.Response{Header: s.Header}).Cookies() {
		set[c.Name] = c
	}
	return set
}

// setParty is the party cookie that a decision sets; nil: none.
func setParty(s *clerkauth.RequestState) *http.Cookie {
	for name, c := range setCookies(s) {
		if strings.HasPrefix(strings.TrimPrefix(name, "__Host-"), "clerkauth_party") {
			return c
		}
	}
	return nil
}

func wantState(t *testing.T, s *clerkauth.RequestState, status clerkauth.Status, reason clerkauth.Reason) {
	t.Helper()
	got := clerkauth.Reason("")
	if err := (*clerkauth.Error)(nil); errors.As(s.Err, &err) {
		got = err.Reason
	}
	if s.Status != status || got != reason {
		t.Errorf("got %s %q, want %s %q", s.Status, got, status, reason)
	}
	if (s.Session != nil) != (status == clerkauth.SignedIn) {
		t.Errorf("session %v with status %s", s.Session, s.Status)
	}
}
