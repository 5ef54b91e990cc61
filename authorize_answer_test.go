package clerkauth_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

// The response names the first check that fails, and nothing about the caller.
func TestAuthorizeNamesTheFailedCheck(t *testing.T) {
	a := harness.NewApp(t)
	claims := clerktest.Claims{
		Subject: "user_hidden", SessionID: "sess_hidden", Organization: clerkauth.Organization{ID: "org_hidden", Slug: "hidden", Role: "org:hidden_role"},
		Permissions: []string{"org:hidden:read"}, Features: []string{"u:hidden_feature"}, Plans: []string{"u:hidden_plan"},
		Actor: clerkauth.Actor{Subject: "user_hidden_support"}, FirstFactorAt: harness.Noon.Add(-time.Hour),
	}
	role, reverified := clerkauth.Role("owner"), clerkauth.Reverified(clerkauth.ReverifyStrict)
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
		{[]clerkauth.Check{clerkauth.AnyOf(role, clerkauth.AnyOf(isHuman), clerkauth.Plan("org:pro")), reverified}, 0, "any of (role owner, any of (not impersonated), plan org:pro)"},
	} {
		var seen *clerkauth.Error
		var who *clerkauth.Session
		custom := harness.NewAppOf(t, a.Clerk, func(c *clerkauth.Config) {
			c.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
				seen = err
				who, _ = clerkauth.FromContext(r.Context())
				w.WriteHeader(http.StatusTeapot)
			}
		})
		carry := harness.WithBearer(a.Clerk.Token(claims))
		w := harness.Serve(custom.Authorize(tt.checks[0], tt.checks[1:]...)(harness.Greet), harness.Request("GET", "/", carry))
		if w.Code != http.StatusTeapot || seen == nil || seen.Reason != clerkauth.ReasonCheckFailed || seen.StatusCode() != http.StatusForbidden ||
			seen.Check != tt.checks[tt.failed] || seen.Check.String() != tt.says {
			t.Errorf("%v: the ErrorHandler got %+v and answered %d, want check %d", tt.checks, seen, w.Code, tt.failed)
		}
		if who == nil || who.UserID != "user_hidden" {
			t.Errorf("%v: in the ErrorHandler got session %v, want the caller's", tt.checks, who)
		}
		w = harness.Serve(a.Authorize(tt.checks[0], tt.checks[1:]...)(harness.Greet), harness.Request("GET", "/", carry))
		want := `{"errors":[{"code":"session-check-failed","message":"This session is not allowed to do this.","check":"` + tt.says + `"}]}` + "\n"
		if w.Code != http.StatusForbidden || w.Body.String() != want {
			t.Errorf("%v: got %d %s, want %s", tt.checks, w.Code, w.Body, want)
		}
		page := harness.Serve(a.Authorize(tt.checks[0], tt.checks[1:]...)(harness.Greet), harness.Request("GET", "/", carry, harness.With("Accept", "text/html")))
		for _, w := range []string{fmt.Sprint(w.Header(), w.Body), fmt.Sprint(page.Header(), page.Body)} {
			if !strings.Contains(w, "session-check-failed") || strings.Contains(w, "hidden") || strings.Contains(w, "Www-Authenticate") {
				t.Errorf("%v: got %s, want the reason, and neither the caller nor a challenge", tt.checks, w)
			}
		}
	}
}

// decisions counts the decisions among events.
func decisions(events []clerkauth.Event) int {
	return len(slices.DeleteFunc(events, func(e clerkauth.Event) bool { return e.Reason == clerkauth.ReasonCheckFailed }))
}

// Where Optional, Require or another Authorize of the same Authenticator has decided, Authorize
// uses that decision. Otherwise it decides itself.
func TestAuthorizeDecidesOnce(t *testing.T) {
	a := harness.NewApp(t)
	other := harness.NewAppOf(t, a.Clerk)
	admin := a.Authorize(clerkauth.Role("admin"))
	owner := a.Authorize(clerkauth.Role("owner"))
	for name, tt := range map[string]struct {
		h      http.Handler
		status int
		others int
	}{
		"alone":                     {admin(harness.Greet), 200, 0},
		"alone, failed":             {owner(harness.Greet), 403, 0},
		"inside Optional":           {a.Optional(admin(harness.Greet)), 200, 0},
		"inside Optional, failed":   {a.Optional(owner(harness.Greet)), 403, 0},
		"inside Require":            {a.Require(admin(harness.Greet)), 200, 0},
		"inside Authorize":          {admin(a.Authorize(clerkauth.NotImpersonated())(admin(harness.Greet))), 200, 0},
		"failed inside Authorize":   {admin(owner(harness.Greet)), 403, 0},
		"inside another's Optional": {other.Optional(admin(harness.Greet)), 200, 1},
	} {
		for kind, carry := range map[string]harness.Edit{
			"bearer": harness.WithBearer(a.Clerk.Token(clerktest.Claims{Organization: acme})),
			"cookie": a.WithCookies(a.Clerk.Token(clerktest.Claims{Organization: acme})),
		} {
			w := harness.Serve(tt.h, harness.Request("GET", "/", carry))
			if got, others := decisions(a.Events()), decisions(other.Events()); w.Code != tt.status || got != 1 || others != tt.others {
				t.Errorf("%s, %s: %d, decided %d times, and %d by the other; want %d, once, and %d", name, kind, w.Code, got, others, tt.status, tt.others)
			}
		}
	}
}

// An expired page goes through Clerk, with Authorize alone or not; a script is refused, as is a
// signed-out visitor.
func TestAuthorizeDecidesForItself(t *testing.T) {
	b := harness.NewApp(t)
	h := b.Authorize(clerkauth.Role("admin"))(harness.Greet)
	expired := b.Expired(clerktest.Claims{Organization: acme})
	for name, handler := range map[string]http.Handler{"alone": h, "inside Optional": b.Optional(h)} {
		w := harness.Serve(handler, b.Page(expired))
		if to := w.Header().Get("Location"); w.Code != http.StatusTemporaryRedirect || !strings.HasPrefix(to, "https://clerk.example.com/v1/client/handshake?") || w.Body.Len() > 0 {
			t.Errorf("%s: a page with an expired token gets %d to %q with %q, want a handshake", name, w.Code, to, w.Body)
		}
		if w = harness.Serve(handler, b.Script(expired)); w.Code != http.StatusUnauthorized || w.Header().Get("X-Clerk-Auth-Reason") != "session-token-expired-refresh-non-eligible-no-refresh-cookie" {
			t.Errorf("%s: a script with an expired token: got %d %s, want 401 as not refreshed", name, w.Code, w.Header().Get("X-Clerk-Auth-Reason"))
		}
		if w = harness.Serve(handler, harness.Request("GET", "/")); w.Code != http.StatusUnauthorized {
			t.Errorf("%s: nobody gets %d, want 401", name, w.Code)
		}
		if w = harness.Serve(handler, b.Page(b.Clerk.Token(clerktest.Claims{Organization: acme}))); w.Code != http.StatusOK {
			t.Errorf("%s: an admin: got %d, want 200", name, w.Code)
		}
	}
	down := harness.NewApp(t)
	down.Clerk.Fault(clerktest.BackendJWKS, clerktest.Down)
	w := harness.Serve(down.Authorize(clerkauth.Role("admin"))(harness.Greet), harness.Request("GET", "/", harness.WithBearer(down.Clerk.Token(clerktest.Claims{Organization: acme}))))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("without keys: got %d, want 503", w.Code)
	}
}

// NewContext is for tests of handlers; a session that it puts there passes no check.
func TestAuthorizeDoesNotBelieveNewContext(t *testing.T) {
	a := harness.NewApp(t)
	ctx := clerkauth.NewContext(t.Context(), a.Clerk.Session(clerktest.Claims{Organization: acme}))
	h := a.Authorize(clerkauth.Role("admin"))(harness.Greet)
	if w := harness.Serve(h, harness.Request("GET", "/").WithContext(ctx)); w.Code != http.StatusUnauthorized {
		t.Errorf("nobody gets %d, want 401", w.Code)
	}
	if w := harness.Serve(h, harness.Request("GET", "/", a.SignedIn()).WithContext(ctx)); w.Code != http.StatusForbidden {
		t.Errorf("a member of nothing gets %d, want 403", w.Code)
	}
}

// TestAuthorizeInRouters combines handlers in different ways.
func TestAuthorizeInRouters(t *testing.T) {
	a := harness.NewApp(t)
	adminOnly := a.Authorize(clerkauth.Role("admin"))
	mux := http.NewServeMux()
	mux.Handle("GET /invoices/{id}", a.Authorize(clerkauth.Permission("org:invoices:read"))(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("invoice " + r.PathValue("id")))
	})))
	mux.Handle("DELETE /invoices/{id}", adminOnly(harness.Greet))
	group := http.NewServeMux()
	group.Handle("/settings", harness.Greet)
	mux.Handle("/admin/", adminOnly(http.StripPrefix("/admin", group)))
	var chain http.Handler = harness.Greet // as routers with their own Use do
	for _, middleware := range []func(http.Handler) http.Handler{adminOnly, a.Optional} {
		chain = middleware(chain)
	}
	mux.Handle("/chain", chain)
	mux.HandleFunc("/", harness.Greet)

	member, admin := clerktest.Claims{Organization: acme, Permissions: []string{"org:invoices:read"}}, clerktest.Claims{Organization: acme}
	member.Organization.Role = "org:member"
	for _, root := range []http.Handler{mux, a.Optional(mux)} {
		for _, tt := range []struct {
			method, path           string
			member, admin, visitor int
		}{
			{"GET", "/invoices/7", 200, 403, 401},
			{"HEAD", "/invoices/7", 200, 403, 401},
			{"DELETE", "/invoices/7", 403, 200, 401},
			{"POST", "/admin/settings", 403, 200, 401},
			{"GET", "/chain", 403, 200, 401},
			{"GET", "/", 200, 200, 200},
		} {
			m := harness.Serve(root, harness.Request(tt.method, tt.path, harness.WithBearer(a.Clerk.Token(member)))).Code
			o := harness.Serve(root, harness.Request(tt.method, tt.path, harness.WithBearer(a.Clerk.Token(admin)))).Code
			v := harness.Serve(root, harness.Request(tt.method, tt.path)).Code
			if m != tt.member || o != tt.admin || v != tt.visitor {
				t.Errorf("%s %s: member %d, admin %d, visitor %d; want %d, %d, %d", tt.method, tt.path, m, o, v, tt.member, tt.admin, tt.visitor)
			}
		}
		if w := harness.Serve(root, harness.Request("GET", "/invoices/7", harness.WithBearer(a.Clerk.Token(member)))); w.Body.String() != "invoice 7" {
			t.Errorf("got %q, want the path's value", w.Body)
		}
	}
}

// A session with a task to complete is available to the page for the task, and passes no check.
func TestPendingSessionsAndAuthorize(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		a := harness.NewApp(t, func(c *clerkauth.Config) { c.AllowPending = allowed })
		pending := clerktest.Claims{Subject: "user_new", Pending: true, Organization: acme, FirstFactorAt: harness.Noon}
		for kind, carry := range map[string]harness.Edit{"bearer": harness.WithBearer(a.Clerk.Token(pending)), "cookie": a.WithCookies(a.Clerk.Token(pending))} {
			harness.Serve(a.Optional(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				state, _ := clerkauth.StateFromContext(r.Context())
				_, in := clerkauth.FromContext(r.Context())
				shown := state.Pending
				if allowed {
					shown = state.Session
				}
				if in != allowed || shown == nil || shown.UserID != "user_new" || !shown.Pending || (state.Pending == nil) != allowed {
					t.Errorf("%s, allowed %t: got signed in %t, session %v, pending %v; want the session where it is allowed", kind, allowed, in, state.Session, state.Pending)
				}
			})), harness.Request("GET", "/", carry))
			want, reason := http.StatusUnauthorized, "session-pending"
			if allowed {
				want, reason = http.StatusOK, ""
			}
			for _, check := range []clerkauth.Check{clerkauth.Role("admin"), clerkauth.NotImpersonated(), clerkauth.Reverified(clerkauth.ReverifyLax)} {
				for _, h := range []http.Handler{a.Authorize(check)(harness.Greet), a.Optional(a.Authorize(check)(harness.Greet))} {
					if w := harness.Serve(h, harness.Request("GET", "/", carry)); w.Code != want || w.Header().Get("X-Clerk-Auth-Reason") != reason {
						t.Errorf("%s, allowed %t, %v: got %d %s, want %d %s", kind, allowed, check, w.Code, w.Header().Get("X-Clerk-Auth-Reason"), want, reason)
					}
				}
			}
		}
	}
}
