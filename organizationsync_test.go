package clerkauth_test

import (
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const mismatch = clerkauth.ReasonOrganizationMismatch

func organizationsInPaths(c *clerkauth.Config) {
	c.OrganizationSync = clerkauth.OrganizationSync{
		OrganizationPatterns:    []string{"/orgs/:slug", "/orgs/:slug/(.*)", "/by-id/:id"},
		PersonalAccountPatterns: []string{"/me", "/me/(.*)"},
	}
}

var blue = clerkauth.Organization{ID: "org_blue", Slug: "blue", Role: "org:member"}

func TestPathChoosesTheActiveOrganization(t *testing.T) {
	none := clerkauth.Organization{}
	apps := []*app{newPrimary(t, false, organizationsInPaths), newPrimary(t, true, organizationsInPaths)}
	for _, tc := range []struct {
		name, path string
		active     clerkauth.Organization
		edits      edit
		want       clerkauth.Reason // empty: signed in, as they are
		asksFor    string           // organization_id
	}{
		{"the active organization", "/orgs/blue", blue, all(), "", ""},
		{"below the active organization", "/orgs/blue/invoices?x=1", blue, all(), "", ""},
		{"another organization", "/orgs/red/invoices?x=1", blue, all(), mismatch, "red"},
		{"an organization for a personal account", "/orgs/red", none, all(), mismatch, "red"},
		{"the active organization by its id", "/by-id/org_blue", blue, all(), "", ""},
		{"another organization by its id", "/by-id/org_red", blue, all(), mismatch, "org_red"},
		{"a slug is no id", "/by-id/blue", blue, all(), mismatch, "blue"},
		{"an id is no slug", "/orgs/org_blue", blue, all(), mismatch, "org_blue"},
		{"capitals are another slug", "/orgs/BLUE", blue, all(), mismatch, "BLUE"},
		{"an escaped slug is taken as it stands", "/orgs/bl%75e", blue, all(), mismatch, "bl%75e"},
		{"the personal account", "/me", none, all(), "", ""},
		{"the personal account, from an organization", "/me/settings", blue, all(), mismatch, ""},
		{"a path that asks for none", "/about", blue, all(), "", ""},
		{"a longer path", "/orgs", blue, all(), "", ""},
		{"a query is no path", "/about?/orgs/red", blue, all(), "", ""},
		{"in a frame", "/orgs/red", blue, with("Sec-Fetch-Dest", "iframe"), mismatch, "red"},
		{"not a page", "/orgs/red", blue, scripted, "", ""},
		{"after three handshakes", "/orgs/red", blue, headers("Cookie: __clerk_redirect_count=3"), "", ""},
	} {
		for _, a := range apps {
			cookies := a.withCookies(a.clerk.Token(clerktest.Claims{Organization: tc.active}))
			state := a.AuthenticateRequest(navigating(own+tc.path, cookies, tc.edits))
			if got := reasonOf(t, state); got != tc.want {
				t.Errorf("%s at %s: %q, want %q", tc.name, a.clerk.Issuer(), got, tc.want)
				continue
			}
			to := sentTo(t, state)
			if tc.want == "" {
				if got := state.Session.Organization; got.ID != tc.active.ID || to != nil {
					t.Errorf("%s: organization %q and sent to %v, want %q and nowhere", tc.name, got.ID, to, tc.active.ID)
				}
				continue
			}
			if got := to.Query()["organization_id"]; len(got) != 1 || got[0] != tc.asksFor {
				t.Errorf("%s: asks for %q, want %q", tc.name, got, tc.asksFor)
			}
			if got := to.Path; got != handshakePath {
				t.Errorf("%s: sent to %s", tc.name, to)
			}
			if got := comesBackTo(t, to); got != own+tc.path {
				t.Errorf("%s: comes back to %s, want %s", tc.name, got, own+tc.path)
			}
		}
	}
}

// It is a convenience: nobody is kept out by it who would be in without.
func TestPathChoosesNothingForOthers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*clerkauth.Config)
		target string
		sent   func(*app) edit
		want   clerkauth.Reason
	}{
		{"signed out", organizationsInPaths, own + "/orgs/red", func(*app) edit { return all() }, nothingSent},
		{"by a bearer token", organizationsInPaths, own + "/orgs/red", func(a *app) edit {
			return withBearer(a.clerk.Token(clerktest.Claims{Organization: blue}))
		}, ""},
		{"with a task to do", organizationsInPaths, own + "/orgs/red", func(a *app) edit {
			return a.withCookies(a.clerk.Token(clerktest.Claims{Pending: true}))
		}, clerkauth.ReasonSessionPending},
		{"without patterns", func(*clerkauth.Config) {}, own + "/orgs/red", func(a *app) edit { return a.signedIn() }, ""},
		{"at a host outside the list", organizationsInPaths, "https://other.test/orgs/red", func(a *app) edit { return a.signedIn() }, ""},
	} {
		a := newPrimary(t, false, tc.change)
		state := a.AuthenticateRequest(navigating(tc.target, tc.sent(a)))
		if got := reasonOf(t, state); got != tc.want || sentTo(t, state) != nil {
			t.Errorf("%s: %q and sent to %v, want %q and nowhere", tc.name, got, sentTo(t, state), tc.want)
		}
	}
}

// A handshake that is made for another reason asks for the organization too.
func TestHandshakesAskForTheOrganizationOfThePath(t *testing.T) {
	a := newPrimary(t, false, organizationsInPaths)
	for path, want := range map[string][]string{"/orgs/red": {"red"}, "/me": {""}, "/about": nil} {
		to := sentTo(t, a.AuthenticateRequest(navigating(own+path, headers("Cookie: __client_uat=1"))))
		if to == nil {
			t.Fatalf("%s: no handshake", path)
		}
		if got := to.Query()["organization_id"]; len(got) != len(want) || len(got) == 1 && got[0] != want[0] {
			t.Errorf("%s: organization_id %q, want %q", path, got, want)
		}
	}
}
