package clerkauth_test

import (
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
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
	apps := []*harness.App{newPrimary(t, false, organizationsInPaths), newPrimary(t, true, organizationsInPaths)}
	for _, tc := range []struct {
		name, path string
		active     clerkauth.Organization
		edits      harness.Edit
		want       clerkauth.Reason // empty: signed in, without a change
		asksFor    string           // organization_id
	}{
		{"the active organization", "/orgs/blue", blue, harness.All(), "", ""},
		{"below the active organization", "/orgs/blue/invoices?x=1", blue, harness.All(), "", ""},
		{"another organization", "/orgs/red/invoices?x=1", blue, harness.All(), mismatch, "red"},
		{"an organization for a personal account", "/orgs/red", none, harness.All(), mismatch, "red"},
		{"the active organization by its id", "/by-id/org_blue", blue, harness.All(), "", ""},
		{"another organization by its id", "/by-id/org_red", blue, harness.All(), mismatch, "org_red"},
		{"a slug is no id", "/by-id/blue", blue, harness.All(), mismatch, "blue"},
		{"an id is no slug", "/orgs/org_blue", blue, harness.All(), mismatch, "org_blue"},
		{"capitals are another slug", "/orgs/BLUE", blue, harness.All(), mismatch, "BLUE"},
		{"an escaped slug is taken as it stands", "/orgs/bl%75e", blue, harness.All(), mismatch, "bl%75e"},
		{"the personal account", "/me", none, harness.All(), "", ""},
		{"the personal account, from an organization", "/me/settings", blue, harness.All(), mismatch, ""},
		{"a path that asks for none", "/about", blue, harness.All(), "", ""},
		{"a longer path", "/orgs", blue, harness.All(), "", ""},
		{"a query is no path", "/about?/orgs/red", blue, harness.All(), "", ""},
		{"in a frame", "/orgs/red", blue, harness.With("Sec-Fetch-Dest", "iframe"), mismatch, "red"},
		{"not a page", "/orgs/red", blue, scripted, "", ""},
		{"after three handshakes", "/orgs/red", blue, harness.Headers("Cookie: __clerk_redirect_count=3"), "", ""},
	} {
		for _, a := range apps {
			cookies := a.WithCookies(a.Clerk.Token(clerktest.Claims{Organization: tc.active}))
			state := a.AuthenticateRequest(navigating(harness.Origin+tc.path, cookies, tc.edits))
			if got := harness.Reason(t, state); got != tc.want {
				t.Errorf("%s at %s: got %q, want %q", tc.name, a.Clerk.Issuer(), got, tc.want)
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
				t.Errorf("%s: redirected to %s, want %s", tc.name, to, handshakePath)
			}
			if got := comesBackTo(t, to); got != harness.Origin+tc.path {
				t.Errorf("%s: comes back to %s, want %s", tc.name, got, harness.Origin+tc.path)
			}
		}
	}
}

// The path never refuses anybody.
func TestPathChoosesNothingForOthers(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*clerkauth.Config)
		target string
		sent   func(*harness.App) harness.Edit
		want   clerkauth.Reason
	}{
		{"signed out", organizationsInPaths, harness.Origin + "/orgs/red", func(*harness.App) harness.Edit { return harness.All() }, nothingSent},
		{"by a bearer token", organizationsInPaths, harness.Origin + "/orgs/red", func(a *harness.App) harness.Edit {
			return harness.WithBearer(a.Clerk.Token(clerktest.Claims{Organization: blue}))
		}, ""},
		{"with a task to do", organizationsInPaths, harness.Origin + "/orgs/red", func(a *harness.App) harness.Edit {
			return a.WithCookies(a.Clerk.Token(clerktest.Claims{Pending: true}))
		}, clerkauth.ReasonSessionPending},
		{"without patterns", func(*clerkauth.Config) {}, harness.Origin + "/orgs/red", func(a *harness.App) harness.Edit { return a.SignedIn() }, ""},
		{"at a host outside the list", organizationsInPaths, "https://other.test/orgs/red", func(a *harness.App) harness.Edit { return a.SignedIn() }, ""},
	} {
		a := newPrimary(t, false, tc.change)
		state := a.AuthenticateRequest(navigating(tc.target, tc.sent(a)))
		if got := harness.Reason(t, state); got != tc.want || sentTo(t, state) != nil {
			t.Errorf("%s: %q and sent to %v, want %q and nowhere", tc.name, got, sentTo(t, state), tc.want)
		}
	}
}

// Patterns that choose nothing are accepted, as by Clerk's own SDKs, and warned of.
func TestPatternsWithoutEffectAreWarnedOf(t *testing.T) {
	for pattern, want := range map[string]bool{"/orgs/{slug}": true, "orgs/:slug": true, "/orgs/:slug": false} {
		log := &harness.Log{}
		harness.NewApp(t, func(c *clerkauth.Config) {
			c.Logger, c.OrganizationSync.OrganizationPatterns = log.Logger(), []string{pattern}
		}).Clerk.Close()
		if got := strings.Contains(log.String(), "patterns of OrganizationSync have no effect") && strings.Contains(log.String(), pattern); got != want {
			t.Errorf("%s: warned %t, want %t: %s", pattern, got, want, log)
		}
	}
}

// A handshake for another reason selects the organization too.
func TestHandshakesAskForTheOrganizationOfThePath(t *testing.T) {
	a := newPrimary(t, false, organizationsInPaths)
	for path, want := range map[string][]string{"/orgs/red": {"red"}, "/me": {""}, "/about": nil} {
		to := sentTo(t, a.AuthenticateRequest(navigating(harness.Origin+path, harness.Headers("Cookie: __client_uat=1"))))
		if to == nil {
			t.Fatalf("%s: no handshake, want one", path)
		}
		if got := to.Query()["organization_id"]; len(got) != len(want) || len(got) == 1 && got[0] != want[0] {
			t.Errorf("%s: organization_id %q, want %q", path, got, want)
		}
	}
}
