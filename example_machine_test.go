package clerkauth_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// One route for people and for API keys: the handler finds out which it is.
func ExampleAuthenticator_Accept() {
	auth, clerk := newExample(nil)
	accept := auth.Accept(clerkauth.Sessions(), clerkauth.APIKeys("invoices:read"))
	invoices := accept(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if m, ok := clerkauth.MachineFromContext(r.Context()); ok {
			_, _ = fmt.Fprintln(w, "a key of", m.Subject)
			return
		}
		session, _ := clerkauth.FromContext(r.Context())
		_, _ = fmt.Fprintln(w, session.UserID, "in person")
	}))
	for _, credential := range []string{
		clerk.APIKey(clerktest.MachineClaims{Subject: "user_ada", Scopes: []string{"invoices:read"}}),
		clerk.APIKey(clerktest.MachineClaims{Subject: "user_ada"}),
		clerk.Token(clerktest.Claims{Subject: "user_ada"}),
		clerk.OAuth(clerktest.MachineClaims{Subject: "user_ada"}),
	} {
		r := httptest.NewRequest(http.MethodGet, "/invoices", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+credential)
		w := httptest.NewRecorder()
		invoices.ServeHTTP(w, r)
		fmt.Print(w.Code, " ", w.Body)
	}
	// Output:
	// 200 a key of user_ada
	// 403 {"errors":[{"code":"insufficient-scope","message":"The credential does not have a scope that is needed."}]}
	// 200 user_ada in person
	// 401 {"errors":[{"code":"token-type-mismatch","message":"This kind of token is not accepted here."}]}
}

func ExampleAPIKeys() {
	auth, clerk := newExample(nil)
	m, err := auth.VerifyMachine(context.Background(), clerk.APIKey(clerktest.MachineClaims{Name: "backup", Scopes: []string{"read", "list"}}), clerkauth.APIKeys("read"))
	fmt.Println(m.Type, m.Name, m.Scopes, err)
	// Output: api_key backup [read list] <nil>
}

func ExampleOAuthTokens() {
	auth, clerk := newExample(nil)
	m, err := auth.VerifyMachine(context.Background(), clerk.OAuthJWT(clerktest.MachineClaims{Subject: "user_ada", ClientID: "client_1", Scopes: []string{"email"}}), clerkauth.OAuthTokens("email"))
	fmt.Println(m.Type, m.UserID, "by", m.ClientID, err)
	// Output: oauth_token user_ada by client_1 <nil>
}

// Tokens that other machines send to this one, which is Config.MachineID.
func ExampleM2MTokens() {
	auth, clerk := newExample(nil)
	for _, to := range []string{clerktest.MachineID, "mch_another"} {
		_, err := auth.VerifyMachine(context.Background(), clerk.M2MJWT(clerktest.MachineClaims{Scopes: []string{to}}), clerkauth.M2MTokens())
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// clerkauth: token-verification-failed
}

// A credential that did not come with an http.Request.
func ExampleAuthenticator_VerifyMachine() {
	auth, clerk := newExample(nil)
	key := clerk.APIKey(clerktest.MachineClaims{})
	clerk.Revoke(key)
	_, err := auth.VerifyMachine(context.Background(), key, clerkauth.APIKeys())
	fmt.Println(err, "-", errors.Unwrap(err))
	// Output: clerkauth: token-invalid - the credential was revoked
}

func ExampleMachineFromContext() {
	auth, clerk := newExample(nil)
	h := auth.Accept(clerkauth.M2MTokens())(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		m, ok := clerkauth.MachineFromContext(r.Context())
		_, person := clerkauth.FromContext(r.Context())
		fmt.Println(m.Subject, ok, person)
	}))
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+clerk.M2M(clerktest.MachineClaims{Subject: "mch_billing"}))
	h.ServeHTTP(httptest.NewRecorder(), r)
	// Output: mch_billing true false
}

// The configuration for all kinds. ConfigFromEnv reads the three keys.
func ExampleConfig_machines() {
	_, clerk := newExample(nil)
	publishableKey, secretKey, machineSecretKey := clerk.PublishableKey(), clerk.SecretKey(), clerk.MachineSecretKey()

	cfg := clerkauth.Config{
		PublishableKey:    publishableKey,
		SecretKey:         secretKey,        // verifies API keys, and OAuth tokens that are no JWTs
		MachineSecretKey:  machineSecretKey, // verifies M2M tokens that are no JWTs; without it SecretKey does
		MachineID:         "mch_2clerktest", // M2M tokens must be for it
		AuthorizedParties: []string{"https://example.com"},
	}
	cfg.HTTPClient = clerk.Config().HTTPClient // here Clerk is in the same process

	auth, err := clerkauth.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	m, err := auth.VerifyMachine(context.Background(), clerk.M2M(clerktest.MachineClaims{Subject: "mch_billing"}), clerkauth.M2MTokens())
	fmt.Println(m.Subject, err)
	// Output: mch_billing <nil>
}

// A test of a handler needs no credential: the machine is put into the context.
func ExampleNewMachineContext() {
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		m, _ := clerkauth.MachineFromContext(r.Context())
		fmt.Println(m.Name, "of", m.OrganizationID)
	})
	m := &clerkauth.Machine{Type: clerkauth.APIKey, Name: "backup", Subject: "org_acme", OrganizationID: "org_acme"}
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	h.ServeHTTP(httptest.NewRecorder(), r.WithContext(clerkauth.NewMachineContext(r.Context(), m)))
	// Output: backup of org_acme
}

func ExampleMachine_Claims() {
	auth, clerk := newExample(nil)
	key := clerk.APIKey(clerktest.MachineClaims{Claims: map[string]any{"tier": "gold"}})
	m, err := auth.VerifyMachine(context.Background(), key, clerkauth.APIKeys())
	if err != nil {
		panic(err)
	}
	var own struct {
		Tier string `json:"tier"`
	}
	fmt.Println(m.Claims(&own), own.Tier)
	// Output: <nil> gold
}

// People and machines on one route, with the checks of Authorize.
func ExampleSessions() {
	auth, clerk := newExample(nil)
	create := auth.Accept(clerkauth.Sessions(clerkauth.Role("org:admin")), clerkauth.APIKeys("invoices:write"))(done)
	curl(create, clerk.Token(clerktest.Claims{Organization: clerkauth.Organization{ID: "org_acme", Role: "org:admin"}}))
	curl(create, clerk.APIKey(clerktest.MachineClaims{Scopes: []string{"invoices:write"}}))
	curl(create, clerk.Token(clerktest.Claims{}))
	// Output:
	// 200 done
	// 200 done
	// 403 {"errors":[{"code":"session-check-failed","message":"This session is not allowed to do this.","check":"role org:admin"}]}
}

// Each route says what it accepts.
func Example_machines() {
	auth, clerk := newExample(nil)
	mux, invoices, create := http.NewServeMux(), done, done

	read := auth.Accept(clerkauth.APIKeys("invoices:read"))
	mux.Handle("GET /api/invoices", read(invoices))

	both := auth.Accept(clerkauth.Sessions(clerkauth.Role("org:admin")), clerkauth.APIKeys("invoices:write"))
	mux.Handle("POST /api/invoices", both(create))

	r := httptest.NewRequest(http.MethodPost, "/api/invoices", http.NoBody)
	r.Header.Set("Authorization", "Bearer "+clerk.APIKey(clerktest.MachineClaims{Scopes: []string{"invoices:read"}}))
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Header().Get("WWW-Authenticate"))
	// Output:
	// Bearer realm="clerk", error="insufficient_scope", error_description="The credential does not have a scope that is needed.", scope="invoices:write"
}
