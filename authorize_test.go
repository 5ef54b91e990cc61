package clerkauth_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// acme is the organization of the people in these tests.
var acme = clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:admin"}

// passes reports whether a token passes Authorize with these checks; Session.Has must agree. A
// refused token does not pass.
func passes(t *testing.T, a *harness.App, token string, check clerkauth.Check, more ...clerkauth.Check) bool {
	t.Helper()
	w := harness.Serve(a.Authorize(check, more...)(harness.Greet), harness.Request("GET", "/", harness.WithBearer(token)))
	session, err := a.VerifyToken(t.Context(), token)
	if err != nil {
		if w.Code != http.StatusUnauthorized {
			t.Errorf("a token that is refused (%v): got %d, want 401", err, w.Code)
		}
		return false
	}
	if got, want := session.Has(check, more...), w.Code == http.StatusOK; got != want || !want && w.Code != http.StatusForbidden {
		t.Errorf("%v %v: Has returns %t and Authorize responds with %d, want them to agree", check, more, got, w.Code)
	}
	return session.Has(check, more...)
}

// TestRoleAndPermission runs the same cases with both versions of the claims.
func TestRoleAndPermission(t *testing.T) {
	a := harness.NewApp(t)
	role, permission := clerkauth.Role, clerkauth.Permission
	nobody, noID := clerkauth.Organization{}, clerkauth.Organization{Slug: "acme", Role: "org:admin"}
	noRole := clerkauth.Organization{ID: "org_acme"}
	for _, tt := range []struct {
		organization clerkauth.Organization
		check        clerkauth.Check
		want         bool
	}{
		{acme, role("org:admin"), true},
		{acme, role("admin"), true},
		{acme, role("org:member"), false},
		{acme, role("org:adm"), false},
		{acme, role("org:admins"), false},
		{acme, role("acme"), false},
		{clerkauth.Organization{ID: "org_acme", Role: "admin"}, role("org:admin"), true},
		{noRole, role("org:admin"), false},
		{noID, role("org:admin"), false},
		{nobody, role("org:admin"), false},
		{acme, permission("org:invoices:create"), true},
		{acme, permission("invoices:create"), true},
		{acme, permission("org:reports:read"), true},
		{acme, permission("org:reports:create"), false},
		{acme, permission("org:org:read"), true}, // of the feature "org"
		{acme, permission("org:org:create"), false},
		{noRole, permission("org:invoices:create"), true},
		{noID, permission("org:invoices:create"), false},
	} {
		for version := 1; version <= 2; version++ {
			c := clerktest.Claims{Version: version, Organization: tt.organization}
			if tt.organization != nobody {
				c.Permissions = []string{"org:invoices:create", "org:reports:read", "org:org:read"}
			}
			if got := passes(t, a, a.Clerk.Token(c), tt.check); got != tt.want {
				t.Errorf("version %d, %+v, %v: got %t, want %t", version, tt.organization, tt.check, got, tt.want)
			}
		}
	}
}

func TestFeatureAndPlan(t *testing.T) {
	a := harness.NewApp(t)
	list := []string{"u:search", "o:reports", "uo:export", "ou:import", "u:both", "o:both"}
	features, plans := map[clerkauth.Organization]string{}, map[clerkauth.Organization]string{}
	for _, o := range []clerkauth.Organization{{}, acme} {
		features[o] = a.Clerk.Token(clerktest.Claims{Organization: o, Features: list})
		plans[o] = a.Clerk.Token(clerktest.Claims{Organization: o, Plans: list})
	}
	for wanted, want := range map[string]struct{ alone, member bool }{
		"search":               {true, true},
		"user:search":          {true, true},
		"u:search":             {true, true},
		"org:search":           {false, false},
		"reports":              {false, true}, // features of an organization count only while one is active
		"org:reports":          {false, true},
		"o:reports":            {false, true},
		"organization:reports": {false, true},
		"user:reports":         {false, false},
		"export":               {true, true},
		"user:export":          {true, true},
		"org:export":           {false, true},
		"org:import":           {false, true},
		"user:import":          {true, true},
		"org:both":             {false, true},
		"both":                 {true, true},
		"missing":              {false, false},
		"Search":               {false, false},
		"sea":                  {false, false},
	} {
		for organization := range features {
			want := want.alone && organization.ID == "" || want.member && organization.ID != ""
			features, plans := features[organization], plans[organization]
			if got := passes(t, a, features, clerkauth.Feature(wanted)); got != want {
				t.Errorf("feature %s in %q: got %t, want %t", wanted, organization.ID, got, want)
			}
			if got := passes(t, a, plans, clerkauth.Plan(wanted)); got != want {
				t.Errorf("plan %s in %q: got %t, want %t", wanted, organization.ID, got, want)
			}
			if passes(t, a, plans, clerkauth.Feature(wanted)) || passes(t, a, features, clerkauth.Plan(wanted)) {
				t.Errorf("%s: a plan passes as a feature, or a feature as a plan", wanted)
			}
		}
	}
}

// Claims that Clerk does not write grant nothing.
func TestMalformedClaimsDeny(t *testing.T) {
	a := harness.NewApp(t)
	type o = map[string]any
	role, permission := clerkauth.Role("org:admin"), clerkauth.Permission("org:a:read")
	v1 := func(name string, value any) o {
		claims := o{"v": clerktest.Absent, "org_id": "org_acme", "org_role": "org:admin", "org_permissions": []string{"org:a:read"}}
		claims[name] = value
		return claims
	}
	v2 := func(name string, value any) o {
		organization := o{"id": "org_acme", "rol": "admin", "per": "read", "fpm": "1"}
		organization[name] = value
		return o{"o": organization, "fea": "o:a"}
	}
	for _, tt := range []struct {
		claims o
		check  clerkauth.Check
		want   bool
	}{
		{v1("x", 0), role, true},
		{v1("x", 0), permission, true},
		{v1("org_id", 5), role, false},
		{v1("org_id", ""), permission, false},
		{v1("org_role", 5), role, false},
		{v1("org_role", []string{"org:admin"}), role, false},
		{v1("org_permissions", "org:a:read"), permission, false},
		{v1("org_permissions", o{"org:a:read": true}), permission, false},
		{v1("org_permissions", []any{[]string{"org:a:read"}}), permission, false},
		{v1("v", "1"), role, true}, // everything but 2 is version 1
		{v1("v", 2), role, false},
		{v2("x", 0), role, true},
		{v2("x", 0), permission, true},
		{v2("id", 5), role, false},
		{v2("id", nil), permission, false},
		{v2("rol", []string{"admin"}), role, false},
		{v2("rol", true), role, false},
		{v2("fpm", "x"), permission, false},
		{v2("fpm", "-1"), permission, false},
		{v2("fpm", "0x1"), permission, false},
		{v2("fpm", 1), permission, false},
		{v2("per", []string{"read"}), permission, false},
		{o{"o": "org_acme"}, role, false},
		{o{"fea": "u:a"}, clerkauth.Feature("a"), true},
		{o{"fea": []string{"u:a"}}, clerkauth.Feature("a"), false},
		{o{"fea": o{"u:a": 1}}, clerkauth.Feature("a"), false},
		{o{"fea": "a"}, clerkauth.Feature("a"), false},
		{o{"fea": "u:a,b"}, clerkauth.Feature("a"), false},
		{o{"fea": "u:a,"}, clerkauth.Feature("a"), false},
		{v1("fea", "u:a,b"), clerkauth.Feature("a"), false},
		{o{"fea": "x:a"}, clerkauth.Feature("a"), false},
		{o{"pla": "u:a"}, clerkauth.Plan("a"), true},
		{o{"pla": []string{"u:a"}}, clerkauth.Plan("a"), false},
		{o{"pla": "u:a,b"}, clerkauth.Plan("a"), false},
		{o{"pla": "x:a"}, clerkauth.Plan("a"), false},
	} {
		if got := passes(t, a, a.Clerk.Token(clerktest.Claims{Extra: tt.claims}), tt.check); got != tt.want {
			t.Errorf("%v with %v: got %t, want %t", tt.check, tt.claims, got, tt.want)
		}
	}
}

// Any act but null means that somebody else acts for the user. Its contents are tested elsewhere.
func TestNotImpersonated(t *testing.T) {
	a := harness.NewApp(t)
	for _, tt := range []struct {
		act  any
		want bool
	}{
		{clerktest.Absent, true},
		{nil, true},
		{map[string]any{"sub": "user_support", "sid": "sess_support"}, false},
		{map[string]any{"sub": "user_support"}, false},
		{map[string]any{"sid": "sess_support"}, false},
		{map[string]any{"sub": ""}, false},
		{json.RawMessage(`{"sub":"user_1","sub":"user_2"}`), false},
		{map[string]any{}, false},
		{[]any{}, false},
		{"user_support", false},
		{"", false},
		{false, false},
		{0, false},
	} {
		token := a.Clerk.Token(clerktest.Claims{Extra: map[string]any{"act": tt.act}})
		if got := passes(t, a, token, clerkauth.NotImpersonated()); got != tt.want {
			t.Errorf("act %v: got %t, want %t", tt.act, got, tt.want)
		}
	}
}

// In other libraries combined conditions failed open: one that passed, or one that could not be
// decided, let everybody in.
func TestGHSA_w24r_5266_9c3c(t *testing.T) {
	a := harness.NewApp(t)
	admin := a.Clerk.Token(clerktest.Claims{FirstFactorAt: harness.Noon, Organization: acme, Permissions: []string{"org:a:read"}, Features: []string{"u:search"}, Plans: []string{"o:pro"}})
	good := []clerkauth.Check{
		clerkauth.Role("admin"), clerkauth.Permission("org:a:read"), clerkauth.Feature("search"), clerkauth.Plan("org:pro"),
		clerkauth.NotImpersonated(), clerkauth.Reverified(clerkauth.ReverifyStrictMFA), clerkauth.AnyOf(clerkauth.Role("admin")),
	}
	bad := []clerkauth.Check{
		clerkauth.Role("owner"), clerkauth.Permission("org:a:write"), clerkauth.Feature("org:search"), clerkauth.Plan("user:pro"),
		clerkauth.AnyOf(clerkauth.Role("owner"), clerkauth.Plan("free")),
	}
	impossible := []clerkauth.Check{
		{},
		clerkauth.Role(""), clerkauth.Permission("org:sys_memberships:read"), clerkauth.Feature("x:search"), clerkauth.Plan(""),
		clerkauth.Reverified(""), clerkauth.Reverified("nonsense"), clerkauth.AnyOf(clerkauth.Check{}), clerkauth.AnyOf(clerkauth.Role("admin"), clerkauth.Check{}),
	}
	if !passes(t, a, admin, good[0], good[1:]...) {
		t.Error("checks that each pass do not pass together")
	}
	session, err := a.VerifyToken(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for _, check := range bad {
			if with := append(append([]clerkauth.Check{}, good[i]), check); passes(t, a, admin, with[0], with[1:]...) || passes(t, a, admin, with[1], with[0]) {
				t.Errorf("%v passes together with %v", check, good[i])
			}
		}
		for _, check := range impossible {
			if session.Has(check) || session.Has(check, good[i]) || session.Has(good[i], check) {
				t.Errorf("%v passes, alone or together with %v", check, good[i])
			}
		}
	}
	if nobody := (*clerkauth.Session)(nil); nobody.Has(good[4]) || new(clerkauth.Session).Has(good[4]) || new(clerkauth.Session).Has(good[5]) {
		t.Error("a check passes without a session")
	}
}
