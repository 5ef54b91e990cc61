package main

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// people can sign in to the instance in this process, on its own pages, without a password.
var people = []clerktest.Person{
	{Name: "Ada", Claims: clerktest.Claims{
		Subject:      "user_ada",
		Organization: clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:admin"},
		Permissions:  []string{"org:invoices:create", "org:invoices:read"},
	}},
	{Name: "Ben", Claims: clerktest.Claims{
		Subject:      "user_ben",
		Organization: clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:member"},
		Permissions:  []string{"org:invoices:read"},
	}},
	{Name: "Cleo", Claims: clerktest.Claims{Subject: "user_cleo"}},
}

func personOf(id string) (clerktest.Person, bool) {
	i := slices.IndexFunc(people, func(p clerktest.Person) bool { return p.Claims.Subject == id })
	if i < 0 {
		return clerktest.Person{}, false
	}
	return people[i], true
}

// signInPage and signOutPage are pages of the instance on which a visitor signs in and out, and which redirect back to the
// app. After that, the middleware keeps the browser signed in. Empty: unknown.
func (a *app) signInPage(r *http.Request) string {
	if a.clerk == nil {
		return a.signIn
	}
	return a.clerk.URL(clerktest.SignInPage) + "?redirect_url=" + url.QueryEscape(a.here(r)+"/")
}

func (a *app) signOutPage(r *http.Request) string {
	if a.clerk == nil {
		return ""
	}
	return a.clerk.URL(clerktest.SignOutPage) + "?redirect_url=" + url.QueryEscape(a.here(r)+"/")
}

// here is the app's origin as the visitor sees it.
func (a *app) here(r *http.Request) string {
	if o := "http://" + r.Host; slices.Contains(a.origins, o) {
		return o
	}
	return a.base
}

// Clerk's tokens are valid for a minute. The token of the curl line is valid for longer, so that it can be tried.
const (
	lifetime     = time.Minute
	curlLifetime = 10 * time.Minute
)

// claims are those of a token for p that is valid from now on.
func (a *app) claims(p clerktest.Person, lives time.Duration) clerktest.Claims {
	c := p.Claims
	c.SessionID = "sess_quickstart"
	c.AuthorizedParty = a.base
	c.IssuedAt = a.clock.now()
	c.ExpiresAt = c.IssuedAt.Add(lives)
	return c
}
