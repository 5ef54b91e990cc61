package clerktest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// TestDevelopmentKnowsBrowsersByTokenThenCookie has two browsers, of which only the first has a session.
func TestDevelopmentKnowsBrowsersByTokenThenCookie(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Development: true})
	mine, empty := newJar(t), newJar(t)
	token := devToken(t, in.SignIn(mine, clerktest.Person{}))
	tests := []struct {
		name   string
		jar    http.CookieJar
		token  string
		signed bool
	}{
		{"token", empty, token, true},
		{"cookie", mine, "", true},
		{"cookie, and a token of nobody", mine, "dvb_2clerktest", true},
		{"nothing", newJar(t), "", false},
	}
	for _, tt := range tests {
		cookies := directivesOf(t, in, tt.jar, "nonce", false, "__clerk_db_jwt", tt.token)
		signed, handed := false, ""
		for _, c := range cookies {
			signed = signed || c.Name == "__session" && c.Value != ""
			if c.Name == "__clerk_db_jwt" {
				handed = c.Value
			}
		}
		if signed != tt.signed || (handed == token) != tt.signed || handed == "" {
			t.Errorf("%s: signed in %t with token %q, want %t", tt.name, signed, handed, tt.signed)
		}
	}
}

func TestHandshakeActivatesAnOrganization(t *testing.T) {
	acme, other := clerkauth.Organization{ID: "org_a", Slug: "acme", Role: "org:admin"}, clerkauth.Organization{ID: "org_b", Slug: "bees", Role: "org:member"}
	in := clerktest.New(t, clerktest.Options{})
	jar := newJar(t)
	in.SignIn(jar, clerktest.Person{
		Claims:        clerktest.Claims{Organization: acme, Permissions: []string{"org:teams:read"}},
		Organizations: []clerkauth.Organization{other},
	})
	for _, step := range []struct{ organization, want string }{
		{"bees", `{"id":"org_b","rol":"member","slg":"bees"}`},
		{"org_nobody", `{"id":"org_b","rol":"member","slg":"bees"}`}, // not a member: nothing changes
		{"", `null`},
		{"org_b", `{"id":"org_b","rol":"member","slg":"bees"}`},
		{"acme", `{"fpm":"1","id":"org_a","per":"read","rol":"admin","slg":"acme"}`},
	} {
		for _, c := range directivesOf(t, in, jar, "nonce", true, "organization_id", step.organization) {
			if c.Name != "__session" {
				continue
			}
			var claims struct{ O json.RawMessage }
			_, body, _ := parts(t, c.Value)
			decode(t, body, &claims)
			if got := string(claims.O); got != step.want && (got != "" || step.want != "null") {
				t.Errorf("organization_id %q: active is %s, want %s", step.organization, got, step.want)
			}
		}
	}
}

func TestSessionClaimsCanLackAZP(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	jar := newJar(t)
	s := in.SignIn(jar, clerktest.Person{})
	azp := func() bool {
		for _, c := range directivesOf(t, in, jar, "nonce", true) {
			if c.Name == "__session" {
				_, body, _ := parts(t, c.Value)
				return strings.Contains(body, `"azp":"https://example.com"`)
			}
		}
		t.Fatal("the browser has no session token")
		return false
	}
	if !azp() {
		t.Error("the first token has no azp")
	}
	s.SetClaims(clerktest.Claims{Extra: map[string]any{"azp": clerktest.Absent}})
	if azp() {
		t.Error("the token has azp although it was removed")
	}
}

func TestWithoutRefreshThereIsNoRefreshCookie(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{WithoutRefresh: true})
	for _, c := range in.SignIn(nil, clerktest.Person{}).Cookies() {
		if strings.HasPrefix(c.Name, "__refresh") {
			t.Errorf("got the cookie %s, want no refresh cookie", c.Name)
		}
	}
}

func TestBrowserSessionsAreTheLiveOnes(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	a, b := in.SignIn(nil, clerktest.Person{}), in.SignIn(nil, clerktest.Person{})
	if got := in.BrowserSessions(); len(got) != 2 || got[0] != a || got[1] != b || a.ID == b.ID {
		t.Errorf("got %v, want both, each with an ID of its own", got)
	}
	a.SignOut()
	a.SignOut()
	if got := in.BrowserSessions(); len(got) != 1 || got[0] != b {
		t.Errorf("got %v, want the second", got)
	}
	jar := newJar(t)
	replaced := in.SignIn(jar, clerktest.Person{})
	last := in.SignIn(jar, clerktest.Person{})
	replaced.SignOut()
	if got := in.BrowserSessions(); len(got) != 2 || got[1] != last {
		t.Errorf("got %v, want one session for each browser", got)
	}
}

// TestOtherDomainsShareNoCookie has an origin that is not below the instance's domain.
func TestOtherDomainsShareNoCookie(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Origins: []string{"https://notexample.com"}})
	cookies := in.SignIn(nil, clerktest.Person{}).Cookies()
	if len(cookies) == 0 {
		t.Fatal("got no cookies")
	}
	for _, c := range cookies {
		if c.Domain != "" {
			t.Errorf("got the cookie %s, want it without a domain", c)
		}
	}
}

func TestBrowsersMustNotBringTheSecretKey(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{})
	for _, e := range []clerktest.Endpoint{clerktest.FrontendHandshake, clerktest.SignInPage, clerktest.SignOutPage} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if e == clerktest.FrontendHandshake && method == http.MethodPost {
				continue
			}
			target := in.URL(e) + "?redirect_url=https://example.com/&user=user_2alice"
			a := exchange(t, in, nil, method, target, "", http.Header{"Authorization": {"Bearer " + in.SecretKey()}})
			if a.status != http.StatusBadRequest || !strings.Contains(string(a.body), "clerktest_secret_key_leaked") {
				t.Errorf("%s %s: got %d, want 400", method, e, a.status)
			}
		}
	}
}
