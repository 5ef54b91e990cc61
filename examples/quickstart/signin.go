package main

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// person is somebody who can sign in to the instance in this process, as anybody can here without a password.
type person struct {
	ID, Name, About string
	organization    clerkauth.Organization
	permissions     []string
}

var acme = clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:admin"}

var people = []person{
	{"user_ada", "Ada", "admin of Acme", acme, []string{"org:invoices:create", "org:invoices:read"}},
	{
		"user_ben", "Ben", "member of Acme",
		clerkauth.Organization{ID: acme.ID, Slug: acme.Slug, Role: "org:member"},
		[]string{"org:invoices:read"},
	},
	{"user_cleo", "Cleo", "no organization", clerkauth.Organization{}, nil},
}

func personOf(id string) (person, bool) {
	i := slices.IndexFunc(people, func(p person) bool { return p.ID == id })
	if i < 0 {
		return person{}, false
	}
	return people[i], true
}

// Clerk's tokens live for a minute. The one of the curl line lives long enough to be tried.
const (
	lifetime     = time.Minute
	curlLifetime = 10 * time.Minute
)

// claims are those of a token that Clerk mints for p, whose browser shows a page of party.
func (a *app) claims(p person, party string, lives time.Duration) clerktest.Claims {
	now := time.Now()
	return clerktest.Claims{
		Subject: p.ID, SessionID: "sess_" + strings.ToLower(p.Name), AuthorizedParty: party,
		Organization: p.organization, Permissions: p.permissions,
		IssuedAt: now, ExpiresAt: now.Add(lives),
	}
}

// handleSignIn leaves the browser with the cookies of somebody who signed in.
func (a *app) handleSignIn(w http.ResponseWriter, r *http.Request) {
	p, ok := personOf(r.FormValue("as"))
	if !ok {
		http.Error(w, "There is no such person.", http.StatusBadRequest)
		return
	}
	// Clerk mints for the page that asks, as the browser names it.
	party := a.base
	if o := "http://" + r.Host; slices.Contains(a.origins, o) {
		party = o
	}
	for _, c := range a.clerk.Cookies(a.clerk.Token(a.claims(p, party, lifetime))) {
		http.SetCookie(w, c)
	}
	toPage(w, r)
}

// handleSignOut leaves it with those of somebody who signed out: no session, and a client_uat of 0.
func (a *app) handleSignOut(w http.ResponseWriter, r *http.Request) {
	for _, c := range a.clerk.Cookies("") {
		c.Value = "0"
		if strings.HasPrefix(c.Name, "__session") {
			c.Value, c.MaxAge = "", -1
		}
		http.SetCookie(w, c)
	}
	toPage(w, r)
}

func toPage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
