package clerkauth_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// The variables are those of Clerk's own SDKs, and CLERK_AUTHORIZED_PARTIES. The program may change
// the Config afterwards.
func ExampleConfigFromEnv() {
	for name, value := range map[string]string{
		"CLERK_PUBLISHABLE_KEY":    "pk_live_Y2xlcmsuZXhhbXBsZS5jb20k",
		"CLERK_AUTHORIZED_PARTIES": "https://example.com, https://www.example.com",
	} {
		if err := os.Setenv(name, value); err != nil { // in production: set outside the program
			log.Fatal(err)
		}
		defer os.Unsetenv(name) //nolint:errcheck // it was just set
	}
	cfg, err := clerkauth.ConfigFromEnv()
	if err != nil {
		log.Fatal(err) // no variable is ignored silently
	}
	cfg.SignInURL = "/sign-in"
	_, err = clerkauth.New(cfg)
	fmt.Println(len(cfg.AuthorizedParties), err)
	// Output: 2 <nil>
}

// A Config never prints its keys.
func ExampleConfig_String() {
	fmt.Println(clerkauth.Config{SecretKey: "sk_test_secret", AuthorizedParties: []string{"https://example.com"}})
	// Output: clerkauth.Config{SecretKey, AuthorizedParties}
}

// Customers use their own domains, which are in a database. AllowParty looks the origin up; it must
// not trust the host, which the sender of the request chooses.
func ExampleConfig_allowParty() {
	customers := map[string]bool{"https://shop.customer.example": true} // in production: a cache over the database
	auth, clerk := newExample(func(cfg *clerkauth.Config) {
		cfg.AllowParty = func(_ context.Context, origin, _ string) bool { return customers[origin] }
	})
	for _, origin := range []string{"https://example.com", "https://shop.customer.example", "https://evil.example"} {
		_, err := auth.VerifyToken(context.Background(), clerk.Token(clerktest.Claims{AuthorizedParty: origin}))
		fmt.Println(origin, err)
	}
	// Output:
	// https://example.com <nil>
	// https://shop.customer.example <nil>
	// https://evil.example clerkauth: token-invalid-authorized-parties
}

// Decisions are counted by outcome. Nothing in an Event identifies a person.
func ExampleEvent() {
	counts := map[string]int{} // in production: a counter of the metrics library
	auth, clerk := newExample(func(cfg *clerkauth.Config) {
		cfg.Observe = func(_ context.Context, e clerkauth.Event) { counts[e.Status.String()+" "+string(e.Reason)]++ }
	})
	h := auth.Require(done)
	for _, token := range []string{clerk.Token(clerktest.Claims{}), "", clerk.Forge(clerktest.Claims{})} {
		r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	fmt.Println(counts)
	// Output: map[signed-in :1 signed-out session-token-and-uat-missing:1 signed-out token-invalid-signature:1]
}

// A log should not count a redirect to the sign-in page as a 401.
func ExampleError_Redirect() {
	auth, _ := newExample(func(cfg *clerkauth.Config) {
		cfg.SignInURL = "https://accounts.example.com/sign-in"
		cfg.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
			status := err.StatusCode()
			if err.Redirect(r) != "" {
				status = http.StatusFound
			}
			fmt.Println(status, err.Reason)
			clerkauth.DefaultErrorHandler(w, r, err)
		}
	})
	page := httptest.NewRequest(http.MethodGet, "https://example.com/account", http.NoBody)
	page.Header.Set("Accept", "text/html")
	auth.Require(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), page)
	// Output:
	// 302 session-token-and-uat-missing
}

// An ErrorHandler sees why a request is refused, before anything is written.
func ExampleErrorHandler() {
	auth, clerk := newExample(func(cfg *clerkauth.Config) {
		cfg.ErrorHandler = func(w http.ResponseWriter, r *http.Request, err *clerkauth.Error) {
			fmt.Println("log:", err.Reason, err.StatusCode())
			clerkauth.DefaultErrorHandler(w, r, err)
		}
	})
	clerk.Fault(clerktest.BackendJWKS, clerktest.Status(http.StatusInternalServerError, nil))
	curl(auth.Require(done), clerk.Token(clerktest.Claims{}))
	// Output:
	// log: jwk-remote-failed-to-load 503
	// 503 {"errors":[{"code":"jwk-remote-failed-to-load","message":"The session cannot be checked right now."}]}
}

// On a satellite domain, people sign in at the primary domain. The satellite's first page is
// redirected there to find out who is signed in.
func ExampleSatellite() {
	auth, _ := newExample(func(cfg *clerkauth.Config) {
		cfg.AuthorizedParties = []string{"https://satellite.example"}
		cfg.Satellite = &clerkauth.Satellite{Domain: "satellite.example", AutoSync: true}
		cfg.SignInURL = "https://accounts.example.com/sign-in"
	})
	r := httptest.NewRequest(http.MethodGet, "https://satellite.example/", http.NoBody)
	r.Header.Set("Sec-Fetch-Dest", "document")
	w := httptest.NewRecorder()
	auth.Optional(done).ServeHTTP(w, r)
	to, _, _ := strings.Cut(w.Header().Get("Location"), "?")
	fmt.Println(w.Code, w.Header().Get("X-Clerk-Auth-Reason"), to)
	// Output: 307 satellite-needs-syncing https://clerk.satellite.example/v1/client/handshake
}

// Opening a page of an organization makes that organization active.
func ExampleOrganizationSync() {
	auth, clerk := newExample(func(cfg *clerkauth.Config) {
		cfg.OrganizationSync = clerkauth.OrganizationSync{
			OrganizationPatterns:    []string{"/orgs/:slug", "/orgs/:slug/(.*)"},
			PersonalAccountPatterns: []string{"/me", "/me/(.*)"},
		}
	})
	acme := clerkauth.Organization{ID: "org_acme", Slug: "acme", Role: "org:member"}
	for _, path := range []string{"/orgs/acme/invoices", "/orgs/other"} {
		r := httptest.NewRequest(http.MethodGet, "https://example.com"+path, http.NoBody)
		r.Header.Set("Sec-Fetch-Dest", "document")
		for _, c := range clerk.Cookies(clerk.Token(clerktest.Claims{Organization: acme})) {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		auth.Optional(done).ServeHTTP(w, r)
		fmt.Printf("%s %d %q\n", path, w.Code, w.Header().Get("X-Clerk-Auth-Reason"))
	}
	// Output:
	// /orgs/acme/invoices 200 ""
	// /orgs/other 307 "active-organization-mismatch"
}
