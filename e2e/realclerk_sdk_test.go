package e2e_test

import (
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/clerk/clerk-sdk-go/v2"
	"github.com/clerk/clerk-sdk-go/v2/jwks"
	"github.com/clerk/clerk-sdk-go/v2/jwt"
	"github.com/clerk/clerk-sdk-go/v2/organization"
	"github.com/clerk/clerk-sdk-go/v2/organizationmembership"
	"github.com/clerk/clerk-sdk-go/v2/session"
	"github.com/clerk/clerk-sdk-go/v2/signintoken"
	"github.com/clerk/clerk-sdk-go/v2/testingtoken"
	"github.com/clerk/clerk-sdk-go/v2/user"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// realSDK returns an instance, and clerk-sdk-go as a client of its Backend API.
func realSDK(t *testing.T) (*clerktest.Instance, *clerk.ClientConfig) {
	t.Helper()
	in, err := clerktest.Start(clerktest.Options{Development: true, Origins: []string{testOrigin}, People: []clerktest.Person{dora, {Name: "Emil"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.Close)
	config := &clerk.ClientConfig{}
	config.Key, config.URL = new(in.SecretKey()), new(in.Config().BackendAPIURL+"/v1")
	return in, config
}

// TestRealSDKVerifiesWhatWeMint also compares what both read from a token.
func TestRealSDKVerifiesWhatWeMint(t *testing.T) {
	t.Parallel()
	in, config := realSDK(t)
	auth, err := clerkauth.New(in.Config())
	if err != nil {
		t.Fatal(err)
	}
	keys := jwks.NewClient(config)
	set, err := keys.Get(t.Context(), &jwks.GetParams{})
	if err != nil || len(set.Keys) != 1 || set.Keys[0].KeyID != in.KeyID() {
		t.Fatalf("the JWKS is %+v with %v, want one key %s", set, err, in.KeyID())
	}
	granted := []string{"org:docs:read", "org:invoices:create", "org:invoices:read"}
	for name, c := range map[string]clerktest.Claims{
		"version 1":               {Version: 1, Organization: acme, Permissions: granted},
		"version 2":               {Organization: acme, Permissions: granted},
		"beside the user's":       {Organization: acme, Permissions: granted, Features: []string{"u:search", "uo:docs", "u:export", "o:idle"}, Plans: []string{"u:free"}},
		"without an organization": {Features: []string{"u:search"}},
	} {
		token := in.Token(c)
		theirs, err := jwt.Verify(t.Context(), &jwt.VerifyParams{Token: token, JWKSClient: keys})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		ours, err := auth.VerifyToken(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		permissions := slices.Sorted(slices.Values(theirs.ActiveOrganizationPermissions))
		if want := c.Permissions; !slices.Equal(permissions, want) || !slices.Equal(slices.Sorted(slices.Values(ours.Permissions())), want) {
			t.Errorf("%s: they read %q, we %q; want %q", name, permissions, ours.Permissions(), want)
		}
		if theirs.Subject != ours.UserID || theirs.SessionID != ours.ID || theirs.ActiveOrganizationID != ours.Organization.ID || theirs.AuthorizedParty != ours.AuthorizedParty {
			t.Errorf("%s: clerk-sdk-go reads %+v, this library %+v, want the same", name, theirs, ours)
		}
	}
	for name, token := range map[string]string{
		"forged": in.Forge(clerktest.Claims{}), "expired": in.Token(clerktest.Claims{ExpiresAt: time.Now().Add(-time.Minute)}),
	} {
		if _, err := jwt.Verify(t.Context(), &jwt.VerifyParams{Token: token, JWKSClient: keys}); err == nil {
			t.Errorf("%s: clerk-sdk-go accepts the token", name)
		}
	}
}

func TestRealSDKFindsPeopleAndEndsSessions(t *testing.T) {
	t.Parallel()
	in, config := realSDK(t)
	ctx := t.Context()
	users := user.NewClient(config)
	list, err := users.List(ctx, &user.ListParams{EmailAddresses: []string{"dora+clerk_test@example.com"}})
	if err != nil || list.TotalCount != 1 || len(list.Users) != 1 || list.Users[0].ID != "user_dora" {
		t.Fatalf("got the users %+v and %v, want user_dora", list, err)
	}
	created, err := users.Create(ctx, &user.CreateParams{EmailAddresses: &[]string{"new@example.com"}, FirstName: new("New")})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := users.Get(ctx, created.ID); err != nil || *got.FirstName != "New" || got.EmailAddresses[0].EmailAddress != "new@example.com" {
		t.Errorf("the created user is %+v with %v, want New with new@example.com", got, err)
	}
	if ticket, err := signintoken.NewClient(config).Create(ctx, &signintoken.CreateParams{UserID: &created.ID}); err != nil || ticket.Token == "" || ticket.UserID != created.ID {
		t.Errorf("got the sign-in token %+v and %v, want one for %s", ticket, err, created.ID)
	}
	if token, err := testingtoken.NewClient(config).Create(ctx); err != nil || token.Token == "" {
		t.Errorf("got the testing token %+v and %v, want one", token, err)
	}

	in.SignIn(nil, dora)
	sessions := session.NewClient(config)
	live, err := sessions.List(ctx, &session.ListParams{UserID: new("user_dora")})
	if err != nil || live.TotalCount != 1 || live.Sessions[0].Status != "active" {
		t.Fatalf("got the sessions %+v and %v, want one, active", live, err)
	}
	id := live.Sessions[0].ID
	if ended, err := sessions.Revoke(ctx, &session.RevokeParams{ID: id}); err != nil || ended.Status != "revoked" {
		t.Errorf("the revoked session is %+v with %v, want the status revoked", ended, err)
	}
	_, err = sessions.Get(ctx, id)
	if refused, ok := errors.AsType[*clerk.APIErrorResponse](err); !ok || refused.HTTPStatusCode != http.StatusNotFound || refused.Errors[0].Code != "resource_not_found" {
		t.Errorf("a session that has ended: got %v, want 404 resource_not_found", err)
	}
	if len(in.BrowserSessions()) != 0 {
		t.Error("the session is still active after it was revoked")
	}
}

func TestRealSDKReadsOrganizations(t *testing.T) {
	t.Parallel()
	_, config := realSDK(t)
	ctx := t.Context()
	list, err := organization.NewClient(config).List(ctx, &organization.ListParams{})
	if err != nil || list.TotalCount != 2 || list.Organizations[0].ID != "org_acme" {
		t.Fatalf("got the organizations %+v and %v, want two, org_acme first", list, err)
	}
	if got, err := organization.NewClient(config).Get(ctx, "zeta"); err != nil || got.ID != "org_zeta" {
		t.Errorf("the organization with the slug zeta is %+v with %v, want org_zeta", got, err)
	}
	members, err := organizationmembership.NewClient(config).List(ctx, &organizationmembership.ListParams{OrganizationID: "org_zeta"})
	if err != nil || members.TotalCount != 1 || members.OrganizationMemberships[0].Role != "org:member" || members.OrganizationMemberships[0].PublicUserData.UserID != "user_dora" {
		t.Errorf("got the members %+v and %v, want user_dora as org:member", members, err)
	}
	of, err := user.NewClient(config).ListOrganizationMemberships(ctx, "user_dora", &user.ListOrganizationMembershipsParams{})
	if err != nil || of.TotalCount != 2 {
		t.Errorf("got the memberships %+v and %v, want two", of, err)
	}
}

func TestRealSDKIsRefusedWithAnotherKey(t *testing.T) {
	t.Parallel()
	_, config := realSDK(t)
	config.Key = new("sk_test_other")
	_, err := user.NewClient(config).List(t.Context(), &user.ListParams{})
	if refused, ok := errors.AsType[*clerk.APIErrorResponse](err); !ok || refused.HTTPStatusCode != http.StatusUnauthorized {
		t.Errorf("got %v, want 401", err)
	}
}
