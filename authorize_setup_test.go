package clerkauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A check that can never hold is a mistake in the program, which is told when it starts.
func TestAuthorizePanicsOnImpossibleChecks(t *testing.T) {
	a := harness.NewApp(t)
	role, permission, feature, plan := clerkauth.Role, clerkauth.Permission, clerkauth.Feature, clerkauth.Plan
	for name, tt := range map[string]struct {
		check clerkauth.Check
		says  string
	}{
		"zero check":                {clerkauth.Check{}, "zero Check"},
		"empty role":                {role(""), `"" is no role`},
		"prefix alone":              {role("org:"), `"org:" is no role`},
		"prefix twice":              {role("org:org:"), `"org:org:" is no role`},
		"spaces":                    {role("  "), `"  " is no role`},
		"space before":              {role("org: admin"), `"org: admin" is no role`},
		"space after":               {role("admin "), `"admin " is no role`},
		"empty permission":          {permission(""), `"" is no permission`},
		"permission prefix alone":   {permission("org:"), `"org:" is no permission`},
		"permission with newline":   {permission("org:a:read\n"), `is no permission`},
		"system permission":         {permission("org:sys_memberships:read"), "system permission"},
		"system permission, short":  {permission("sys_memberships:read"), "system permission"},
		"system permission, twice":  {permission("org:org:sys_profile:manage"), "system permission"},
		"empty feature":             {feature(""), `"" is no feature`},
		"scope alone":               {feature("org:"), `"org:" is no feature`},
		"no scope before the colon": {feature(":search"), `":search" is no feature`},
		"unknown scope":             {feature("team:search"), `"team:search" is no feature`},
		"scope in capitals":         {feature("User:search"), `"User:search" is no feature`},
		"scopes as Clerk packs":     {feature("uo:search"), `"uo:search" is no feature`},
		"feature of spaces":         {feature("user:  "), `is no feature`},
		"feature with a space":      {feature("search "), `is no feature`},
		"two features":              {feature("search,export"), `is no feature`},
		"empty plan":                {plan(""), `"" is no plan`},
		"plan scope alone":          {plan("user:"), `"user:" is no plan`},
		"plan unknown scope":        {plan("team:pro"), `"team:pro" is no plan`},
		"plan with a space":         {plan(" pro"), `" pro" is no plan`},
		"no preset":                 {clerkauth.Reverified(""), "presets"},
		"unknown preset":            {clerkauth.Reverified("paranoid"), `"paranoid"`},
		"preset in capitals":        {clerkauth.Reverified("STRICT"), `"STRICT"`},
		"inside AnyOf":              {clerkauth.AnyOf(role("admin"), role("org:")), `"org:" is no role`},
		"first in AnyOf":            {clerkauth.AnyOf(clerkauth.Check{}, role("admin")), "zero Check"},
		"deep inside AnyOf":         {clerkauth.AnyOf(role("admin"), clerkauth.AnyOf(role("owner"), permission("org:sys_x:y"))), "system permission"},
	} {
		for position, more := range map[string][]clerkauth.Check{"alone": {tt.check}, "last": {role("admin"), tt.check}} {
			func() {
				defer func() {
					if got := fmt.Sprint(recover()); !strings.HasPrefix(got, "clerkauth: Authorize: ") || !strings.Contains(got, tt.says) {
						t.Errorf("%s, %s: panics with %q, want it to say %q", name, position, got, tt.says)
					}
				}()
				a.Authorize(more[0], more[1:]...)
			}()
		}
	}
}

// The checks of a route are those it was given, whatever becomes of the caller's slice.
func TestAuthorizeKeepsItsChecks(t *testing.T) {
	a := harness.NewApp(t)
	checks := []clerkauth.Check{clerkauth.Role("owner"), clerkauth.Role("founder")}
	either := clerkauth.AnyOf(checks[0], checks[1:]...)
	h := a.Authorize(clerkauth.NotImpersonated(), checks...)(harness.Greet)
	checks[0], checks[1] = clerkauth.Role("admin"), clerkauth.Role("admin")
	token := a.Clerk.Token(clerktest.Claims{Organization: acme})
	if w := harness.Serve(h, harness.Request("GET", "/", harness.WithBearer(token))); w.Code != http.StatusForbidden || holds(t, a, token, either) {
		t.Errorf("a route's checks changed after it was set up: %d", w.Code)
	}
}

// A session is a value that programs may change and tests may write. What is not in it is not granted.
func TestHasOfAChangedSession(t *testing.T) {
	clerk, _ := harness.Offline(t, clerktest.Options{})
	whole := clerk.Session(clerktest.Claims{Organization: acme, Permissions: []string{"org:a:read"}, Features: []string{"o:reports"}, Plans: []string{"o:pro"}})
	checks := []clerkauth.Check{clerkauth.Role("admin"), clerkauth.Permission("org:a:read"), clerkauth.Feature("reports"), clerkauth.Plan("pro")}
	left, anonymous := *whole, *whole
	left.Organization.ID = ""
	anonymous.UserID = ""
	byHand := &clerkauth.Session{UserID: "user_1", Organization: acme}
	for _, role := range []string{"org:sys_admin", "sys_admin"} { // only permissions of the system are missing in tokens
		byHand.Organization.Role = role
		if !byHand.Has(clerkauth.Role("org:sys_admin")) || !byHand.Has(clerkauth.Role("sys_admin")) {
			t.Errorf("role %s, with or without its prefix, does not hold", role)
		}
	}
	byHand.Organization.Role = "admin"
	for i, check := range checks {
		if !whole.Has(check) || left.Has(check) || anonymous.Has(check) || byHand.Has(check) != (i == 0) {
			t.Errorf("%v: whole %t, organization left %t, nobody %t, by hand %t; want true, false, false, and the role alone",
				check, whole.Has(check), left.Has(check), anonymous.Has(check), byHand.Has(check))
		}
	}
	if anonymous.Has(clerkauth.NotImpersonated()) || anonymous.Has(clerkauth.Reverified(clerkauth.Lax)) {
		t.Error("a check holds for nobody")
	}
}
