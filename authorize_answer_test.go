package clerkauth_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// A check that can never hold is a mistake in the program, which is told when it starts.
func TestAuthorizePanicsOnImpossibleChecks(t *testing.T) {
	a := newApp(t)
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

// The answer names what was demanded first and is not there, and nothing that the caller has.
func TestAuthorizeNamesTheFailedCheck(t *testing.T) {
	a := newApp(t)
	claims := clerktest.Claims{
		Subject: "user_hidden", SessionID: "sess_hidden", Organization: clerkauth.Organization{ID: "org_hidden", Slug: "hidden", Role: "org:hidden_role"},
		Permissions: []string{"org:hidden:read"}, Features: []string{"u:hidden_feature"}, Plans: []string{"u:hidden_plan"},
		Actor: clerkauth.Actor{Subject: "user_hidden_support"}, FactorAge: []time.Duration{time.Hour},
	}
	role, reverified := clerkauth.Role("owner"), clerkauth.Reverified(clerkauth.Strict)
	held, isHuman := clerkauth.AnyOf(role, clerkauth.Feature("hidden_feature")), clerkauth.NotImpersonated()
	for _, tt := range []struct {
		checks []clerkauth.Check
		failed int
		says   string
	}{
		{[]clerkauth.Check{role, isHuman}, 0, "role owner"},
		{[]clerkauth.Check{held, isHuman, role}, 1, "not impersonated"},
		{[]clerkauth.Check{clerkauth.Permission("org:a:read"), role, reverified}, 0, "permission org:a:read"},
		{[]clerkauth.Check{held, held, clerkauth.Feature("user:x")}, 2, "feature user:x"},
		{[]clerkauth.Check{clerkauth.Plan("org:pro"), clerkauth.Feature("x")}, 0, "plan org:pro"},
		{[]clerkauth.Check{clerkauth.AnyOf(role, clerkauth.AnyOf(isHuman), reverified), role}, 0, "any of (role owner, any of (not impersonated), reverification strict)"},
	} {
		var seen *clerkauth.Error
		var who *clerkauth.Session
		custom := newAppOf(t, a.clerk, func(c *clerkauth.Config) {
			c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
				seen = err
				who, _ = clerkauth.FromContext(r.Context())
				w.WriteHeader(http.StatusTeapot)
			}
		})
		carry := withBearer(a.clerk.Token(claims))
		w := serve(custom.Authorize(tt.checks[0], tt.checks[1:]...)(greet), asking("GET", "/", carry))
		if w.Code != http.StatusTeapot || seen == nil || seen.Reason != clerkauth.ReasonCheckFailed || seen.StatusCode() != http.StatusForbidden ||
			seen.Check != tt.checks[tt.failed] || seen.Check.String() != tt.says {
			t.Errorf("%v: the ErrorHandler got %+v and answered %d, want check %d", tt.checks, seen, w.Code, tt.failed)
		}
		if who == nil || who.UserID != "user_hidden" {
			t.Errorf("%v: the ErrorHandler finds session %v", tt.checks, who)
		}
		w = serve(a.Authorize(tt.checks[0], tt.checks[1:]...)(greet), asking("GET", "/", carry))
		want := `{"errors":[{"code":"session-check-failed","message":"This session may not do that.","check":"` + tt.says + `"}]}` + "\n"
		if w.Code != http.StatusForbidden || w.Body.String() != want {
			t.Errorf("%v: %d %s, want %s", tt.checks, w.Code, w.Body, want)
		}
		page := serve(a.Authorize(tt.checks[0], tt.checks[1:]...)(greet), asking("GET", "/", carry, with("Accept", "text/html")))
		for _, w := range []string{fmt.Sprint(w.Header(), w.Body), fmt.Sprint(page.Header(), page.Body)} {
			if !strings.Contains(w, "session-check-failed") || strings.Contains(w, "hidden") || strings.Contains(w, "Www-Authenticate") {
				t.Errorf("%v: answers %s", tt.checks, w)
			}
		}
	}
}

// Clerk's scripts open their dialog when they read exactly this.
func TestReverifiedAnswersAsClerkDoes(t *testing.T) {
	a := newApp(t)
	token := a.clerk.Token(clerktest.Claims{FactorAge: []time.Duration{}})
	for _, preset := range []clerkauth.Reverification{clerkauth.StrictMFA, clerkauth.Strict, clerkauth.Moderate, clerkauth.Lax} {
		h := a.Authorize(clerkauth.NotImpersonated(), clerkauth.Reverified(preset), clerkauth.Role("admin"))(greet)
		for _, accept := range []string{"", "*/*", "application/json, text/plain, */*"} {
			w := serve(h, asking("POST", "/", withBearer(token), with("Accept", accept)))
			want := `{"clerk_error":{"type":"forbidden","reason":"reverification-error","metadata":{"reverification":"` + string(preset) + `"}}}`
			if got := strings.TrimSuffix(w.Body.String(), "\n"); w.Code != http.StatusForbidden || got != want {
				t.Errorf("%s, Accept %q: %d %s, want 403 %s", preset, accept, w.Code, got, want)
			}
			if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/json") {
				t.Errorf("%s: Content-Type %q, want JSON", preset, got)
			}
		}
	}
}

// Where Optional, Require or another Authorize of the same Authenticator has decided, Authorize believes it.
// Otherwise it decides for itself.
func TestAuthorizeDecidesOnce(t *testing.T) {
	a := newApp(t)
	other := newAppOf(t, a.clerk)
	admin := a.Authorize(clerkauth.Role("admin"))
	owner := a.Authorize(clerkauth.Role("owner"))
	for name, tt := range map[string]struct {
		h      http.Handler
		status int
		others int
	}{
		"alone":                     {admin(greet), 200, 0},
		"alone, failed":             {owner(greet), 403, 0},
		"inside Optional":           {a.Optional(admin(greet)), 200, 0},
		"inside Optional, failed":   {a.Optional(owner(greet)), 403, 0},
		"inside Require":            {a.Require(admin(greet)), 200, 0},
		"inside Authorize":          {admin(a.Authorize(clerkauth.NotImpersonated())(admin(greet))), 200, 0},
		"failed inside Authorize":   {admin(owner(greet)), 403, 0},
		"inside another's Optional": {other.Optional(admin(greet)), 200, 1},
	} {
		for kind, carry := range map[string]edit{
			"bearer": withBearer(a.clerk.Token(clerktest.Claims{Organization: acme})),
			"cookie": a.withCookies(a.clerk.Token(clerktest.Claims{Organization: acme})),
		} {
			w := serve(tt.h, asking("GET", "/", carry))
			if got, others := len(a.events()), len(other.events()); w.Code != tt.status || got != 1 || others != tt.others {
				t.Errorf("%s, %s: %d, decided %d times, and %d by the other; want %d, once, and %d", name, kind, w.Code, got, others, tt.status, tt.others)
			}
		}
	}
}
