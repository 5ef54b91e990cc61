package clerkauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// A check that can never pass is a mistake in the program, which is reported when the program starts.
func TestAuthorizePanicsOnImpossibleChecks(t *testing.T) {
	a := harness.NewApp(t)
	role, permission, feature, plan, within := clerkauth.Role, clerkauth.Permission, clerkauth.Feature, clerkauth.Plan, clerkauth.ReverifiedWithin
	for name, tt := range map[string]struct {
		check clerkauth.Check
		says  string
	}{
		"zero check":                  {clerkauth.Check{}, "zero Check"},
		"empty role":                  {role(""), `"" is not a role`},
		"prefix alone":                {role("org:"), `"org:" is not a role`},
		"prefix twice":                {role("org:org:"), `"org:org:" is not a role`},
		"spaces":                      {role("  "), `"  " is not a role`},
		"space before":                {role("org: admin"), `"org: admin" is not a role`},
		"space after":                 {role("admin "), `"admin " is not a role`},
		"empty permission":            {permission(""), `"" is not a permission`},
		"permission prefix alone":     {permission("org:"), `"org:" is not a permission`},
		"permission with newline":     {permission("org:a:read\n"), `is not a permission`},
		"system permission":           {permission("org:sys_memberships:read"), "system permission"},
		"system permission, short":    {permission("sys_memberships:read"), "system permission"},
		"prefix of a role twice":      {role("org:org:admin"), `"org:org:admin" is not a role`},
		"system permission, twice":    {permission("org:org:sys_profile:manage"), `"org:org:sys_profile:manage" is not a permission`},
		"capitals":                    {role("Admin"), `"Admin" is not a role`},
		"capitals in the prefix":      {role("ORG:admin"), `"ORG:admin" is not a role`},
		"a permission for a role":     {role("org:invoices:create"), `"org:invoices:create" is not a role`},
		"hyphen":                      {role("org:co-owner"), `small letters, digits and _`},
		"no feature":                  {permission("read"), `"read" is not a permission`},
		"no feature, with prefix":     {permission("org:read"), `"org:read" is not a permission`},
		"a role for a permission":     {permission("org:admin"), `such as "org:invoices:create"`},
		"no action":                   {permission("org:invoices:"), `is not a permission`},
		"an action in capitals":       {permission("org:invoices:Create"), `is not a permission`},
		"a feature in capitals":       {permission("org:Invoices:create"), `is not a permission`},
		"three parts":                 {permission("org:invoices:lines:create"), `is not a permission`},
		"the example of a permission": {permission(""), `such as "org:invoices:create"`},
		"the example of a role":       {role(""), `such as "org:admin"`},
		"empty feature":               {feature(""), `"" is not a feature`},
		"scope alone":                 {feature("org:"), `"org:" is not a feature`},
		"no scope before the colon":   {feature(":search"), `":search" is not a feature`},
		"unknown scope":               {feature("team:search"), `"team:search" is not a feature`},
		"scope in capitals":           {feature("User:search"), `"User:search" is not a feature`},
		"scopes as Clerk packs":       {feature("uo:search"), `"uo:search" is not a feature`},
		"feature of spaces":           {feature("user:  "), `is not a feature`},
		"feature with a space":        {feature("search "), `is not a feature`},
		"two features":                {feature("search,export"), `is not a feature`},
		"two scopes":                  {feature("user:u:search"), `is not a feature`},
		"permission as a feature":     {feature("org:invoices:create"), `is not a feature`},
		"empty plan":                  {plan(""), `"" is not a plan`},
		"plan scope alone":            {plan("user:"), `"user:" is not a plan`},
		"plan unknown scope":          {plan("team:pro"), `"team:pro" is not a plan`},
		"plan with a space":           {plan(" pro"), `" pro" is not a plan`},
		"no preset":                   {clerkauth.Reverified(""), "presets"},
		"unknown preset":              {clerkauth.Reverified("paranoid"), `"paranoid"`},
		"preset in capitals":          {clerkauth.Reverified("STRICT"), `"STRICT"`},
		"no factors":                  {within("", time.Hour), `factors ""`},
		"unknown factors":             {within("third_factor", time.Hour), `"third_factor"`},
		"a preset for factors":        {within("strict", 0), `"strict"`},
		"within no time":              {within(clerkauth.FirstFactor, 0), `"0s"`},
		"within less than nothing":    {within(clerkauth.FirstFactor, -time.Minute), `"-1m0s"`},
		"within part of a minute":     {within(clerkauth.MultiFactor, 90*time.Second), `"1m30s"`},
		"within inside AnyOf":         {clerkauth.AnyOf(role("admin"), within(clerkauth.SecondFactor, time.Second)), "whole minutes"},
		"inside AnyOf":                {clerkauth.AnyOf(role("admin"), role("org:")), `"org:" is not a role`},
		"first in AnyOf":              {clerkauth.AnyOf(clerkauth.Check{}, role("admin")), "zero Check"},
		"deep inside AnyOf":           {clerkauth.AnyOf(role("admin"), clerkauth.AnyOf(role("owner"), permission("org:sys_x:y"))), "system permission"},
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

// A check that can never pass passes for no session.
func TestImpossibleNamesNeverHold(t *testing.T) {
	clerk, _ := harness.Offline(t, clerktest.Options{})
	session := *clerk.Session(clerktest.Claims{Version: 1, Organization: clerkauth.Organization{ID: "org_acme", Role: "org:Admin"}, Permissions: []string{"org:read", "org:invoices:Create"}})
	for _, check := range []clerkauth.Check{clerkauth.Role("Admin"), clerkauth.Role("org:Admin"), clerkauth.Permission("read"), clerkauth.Permission("org:invoices:Create")} {
		if session.Has(check) || session.Has(clerkauth.AnyOf(check)) {
			t.Errorf("%v passes, want it refused for every session", check)
		}
	}
}

// A route keeps its checks, even if the caller changes the slice.
func TestAuthorizeKeepsItsChecks(t *testing.T) {
	a := harness.NewApp(t)
	checks := []clerkauth.Check{clerkauth.Role("owner"), clerkauth.Role("founder")}
	either := clerkauth.AnyOf(checks[0], checks[1:]...)
	h := a.Authorize(clerkauth.NotImpersonated(), checks...)(harness.Greet)
	checks[0], checks[1] = clerkauth.Role("admin"), clerkauth.Role("admin")
	token := a.Clerk.Token(clerktest.Claims{Organization: acme})
	if w := harness.Serve(h, harness.Request("GET", "/", harness.WithBearer(token))); w.Code != http.StatusForbidden || passes(t, a, token, either) {
		t.Errorf("a route whose slice of checks was changed later: got %d, want 403 as before", w.Code)
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
	for _, role := range []string{"org:sys_admin", "sys_admin"} { // session tokens lack only the system's permissions
		byHand.Organization.Role = role
		if !byHand.Has(clerkauth.Role("org:sys_admin")) || !byHand.Has(clerkauth.Role("sys_admin")) {
			t.Errorf("a session with the role %s does not pass Role with or without the prefix org:", role)
		}
	}
	byHand.Organization.Role = "admin"
	for i, check := range checks {
		if !whole.Has(check) || left.Has(check) || anonymous.Has(check) || byHand.Has(check) != (i == 0) {
			t.Errorf("%v: got whole %t, organization left %t, nobody %t, by hand %t; want true, false, false, and the role alone",
				check, whole.Has(check), left.Has(check), anonymous.Has(check), byHand.Has(check))
		}
	}
	if anonymous.Has(clerkauth.NotImpersonated()) || anonymous.Has(clerkauth.Reverified(clerkauth.ReverifyLax)) {
		t.Error("NotImpersonated or Reverified passes without a session")
	}
}
