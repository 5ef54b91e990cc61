package clerkauth_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// done is a handler that only writes that it ran.
var done = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "done") })

// Each route says who may use it. All checks of a route must pass, and the response names the first
// that does not.
func ExampleAuthenticator_Authorize() {
	auth, clerk := newExample(nil)
	mux := http.NewServeMux()
	mux.Handle("POST /invoices", auth.Authorize(clerkauth.Permission("org:invoices:create"), clerkauth.NotImpersonated())(done))
	app := auth.Optional(mux)

	token := clerk.Token(clerktest.Claims{
		Organization: clerkauth.Organization{ID: "org_acme", Role: "org:member"},
		Permissions:  []string{"org:invoices:create"},
		Actor:        clerkauth.Actor{Subject: "user_support"},
	})
	r := httptest.NewRequest(http.MethodPost, "/invoices", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	app.ServeHTTP(w, r)
	fmt.Println(w.Code, w.Body)
	// Output:
	// 403 {"errors":[{"code":"session-check-failed","message":"This session is not allowed to do this.","check":"not impersonated"}]}
}

// A role is a role in the active organization. Without an active one, a person has no role.
func ExampleRole() {
	auth, clerk := newExample(nil)
	settings := auth.Authorize(clerkauth.Role("org:admin"))(done)
	curl(settings, clerk.Token(clerktest.Claims{Organization: clerkauth.Organization{ID: "org_acme", Role: "org:admin"}}))
	curl(settings, clerk.Token(clerktest.Claims{}))
	// Output:
	// 200 done
	// 403 {"errors":[{"code":"session-check-failed","message":"This session is not allowed to do this.","check":"role org:admin"}]}
}

// A handler can check too, if only a part of the page depends on it.
func ExamplePermission() {
	auth, clerk := newExample(nil)
	create := clerkauth.Permission("org:invoices:create")
	page := auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		fmt.Fprint(w, "a button to write an invoice: ", session.Has(create))
	}))
	acme := clerkauth.Organization{ID: "org_acme", Role: "org:member"}
	curl(page, clerk.Token(clerktest.Claims{Organization: acme, Permissions: []string{"org:invoices:create"}}))
	curl(page, clerk.Token(clerktest.Claims{Organization: acme, Permissions: []string{"org:invoices:read"}}))
	// Output:
	// 200 a button to write an invoice: true
	// 200 a button to write an invoice: false
}

// Without a scope, a feature of the user or of the active organization counts.
func ExampleFeature() {
	_, clerk := newExample(nil)
	session := clerk.Session(clerktest.Claims{Features: []string{"u:search"}})
	for _, feature := range []string{"search", "user:search", "org:search"} {
		fmt.Println(feature, session.Has(clerkauth.Feature(feature)))
	}
	// Output:
	// search true
	// user:search true
	// org:search false
}

func ExamplePlan() {
	_, clerk := newExample(nil)
	session := clerk.Session(clerktest.Claims{
		Organization: clerkauth.Organization{ID: "org_acme", Role: "org:member"},
		Plans:        []string{"u:free", "o:pro"},
	})
	for _, plan := range []string{"org:pro", "user:pro", "free"} {
		fmt.Println(plan, session.Has(clerkauth.Plan(plan)))
	}
	// Output:
	// org:pro true
	// user:pro false
	// free true
}

// Support staff may look at an account, but not close it.
func ExampleNotImpersonated() {
	auth, clerk := newExample(nil)
	closeAccount := auth.Authorize(clerkauth.NotImpersonated())(done)
	curl(closeAccount, clerk.Token(clerktest.Claims{Subject: "user_alice"}))
	curl(closeAccount, clerk.Token(clerktest.Claims{Subject: "user_alice", Actor: clerkauth.Actor{Subject: "user_support"}}))
	// Output:
	// 200 done
	// 403 {"errors":[{"code":"session-check-failed","message":"This session is not allowed to do this.","check":"not impersonated"}]}
}

// Clerk's scripts understand the response: they let the person verify again, and repeat the request.
func ExampleReverified() {
	auth, clerk := newExample(nil)
	transfer := auth.Authorize(clerkauth.Reverified(clerkauth.ReverifyStrict))(done)
	curl(transfer, clerk.Token(clerktest.Claims{FirstFactorAt: time.Now().Add(-time.Hour), SecondFactorAt: time.Now().Add(-2 * time.Minute)}))
	curl(transfer, clerk.Token(clerktest.Claims{FirstFactorAt: time.Now().Add(-time.Hour), SecondFactorAt: time.Now().Add(-10 * time.Minute)}))
	// Output:
	// 200 done
	// 403 {"clerk_error":{"type":"forbidden","reason":"reverification-error","metadata":{"reverification":"strict"}}}
}

// Clerk's scripts require just these factors, and repeat the request.
func ExampleReverifiedWithin() {
	auth, clerk := newExample(nil)
	transfer := auth.Authorize(clerkauth.ReverifiedWithin(clerkauth.FirstFactor, 15*time.Minute))(done)
	curl(transfer, clerk.Token(clerktest.Claims{FirstFactorAt: time.Now().Add(-14 * time.Minute)}))
	curl(transfer, clerk.Token(clerktest.Claims{FirstFactorAt: time.Now().Add(-time.Hour)}))
	// Output:
	// 200 done
	// 403 {"clerk_error":{"type":"forbidden","reason":"reverification-error","metadata":{"reverification":{"level":"first_factor","afterMinutes":15}}}}
}

func ExampleAnyOf() {
	auth, clerk := newExample(nil)
	reports := auth.Authorize(clerkauth.AnyOf(clerkauth.Role("org:admin"), clerkauth.Permission("org:reports:read")))(done)
	acme := clerkauth.Organization{ID: "org_acme", Role: "org:member"}
	curl(reports, clerk.Token(clerktest.Claims{Organization: acme, Permissions: []string{"org:reports:read"}}))
	curl(reports, clerk.Token(clerktest.Claims{Organization: acme}))
	// Output:
	// 200 done
	// 403 {"errors":[{"code":"session-check-failed","message":"This session is not allowed to do this.","check":"any of (role org:admin, permission org:reports:read)"}]}
}

// Claims that the instance adds to its session tokens are decoded into the app's own type.
func ExampleSession_Claims() {
	auth, clerk := newExample(nil)
	home := auth.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := clerkauth.FromContext(r.Context())
		var custom struct {
			Metadata struct {
				Tier string `json:"tier"`
			} `json:"metadata"`
		}
		if err := session.Claims(&custom); err != nil {
			http.Error(w, "these claims are not what this app expects", http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, "tier ", custom.Metadata.Tier)
	}))
	curl(home, clerk.Token(clerktest.Claims{Extra: map[string]any{"metadata": map[string]any{"tier": "gold"}}}))
	// Output: 200 tier gold
}
