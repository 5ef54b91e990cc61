package clerktest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// accepted says what an app makes of a machine's credential.
func accepted(auth *clerkauth.Authenticator, credential string) string {
	m, err := auth.VerifyMachine(context.Background(), credential, clerkauth.APIKeys(), clerkauth.OAuthTokens(), clerkauth.M2MTokens())
	if err != nil {
		return fmt.Sprint(err, ": ", errors.Unwrap(err))
	}
	return fmt.Sprint(m.Type, " of ", m.Subject)
}

// newMachines is an app and its instance.
func newMachines(t *testing.T) (*clerkauth.Authenticator, *clerktest.Instance) {
	clerk := clerktest.New(t, clerktest.Options{})
	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		panic(err)
	}
	return auth, clerk
}

// An API key is good until it is revoked, and nobody knows whether it is while Clerk is out of reach.
func ExampleInstance_APIKey() {
	t := &testing.T{} // in a test: the t it is given

	clerk := clerktest.New(t, clerktest.Options{})
	key := clerk.APIKey(clerktest.MachineClaims{Subject: "user_ada", Scopes: []string{"invoices:read"}})
	clerk.Revoke(key)
	clerk.Fault(clerktest.BackendVerifyAPIKey, clerktest.Down)

	auth, err := clerkauth.New(clerk.Config())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(accepted(auth, key))
	clerk.Fault(clerktest.BackendVerifyAPIKey, nil)
	fmt.Println(accepted(auth, key))
	// Output:
	// clerkauth: credential-unverifiable: https://api.clerk.com/api_keys/verify: clerktest: connection reset
	// clerkauth: token-invalid: it was revoked
}

func ExampleInstance_Revoke() {
	auth, clerk := newMachines(&testing.T{})
	key := clerk.APIKey(clerktest.MachineClaims{Subject: "user_ada"})
	fmt.Println(accepted(auth, key))
	clerk.Revoke(key)
	fmt.Println(accepted(auth, key))
	// Output:
	// api_key of user_ada
	// clerkauth: token-invalid: it was revoked
}

func ExampleInstance_Expire() {
	auth, clerk := newMachines(&testing.T{})
	token := clerk.OAuth(clerktest.MachineClaims{})
	clerk.Expire(token)
	fmt.Println(accepted(auth, token))
	// Output: clerkauth: token-invalid: it has expired
}

// M2M tokens are for the machine that Config.MachineID says the application is.
func ExampleInstance_M2M() {
	auth, clerk := newMachines(&testing.T{})
	fmt.Println(accepted(auth, clerk.M2M(clerktest.MachineClaims{Subject: "mch_billing"})))
	fmt.Println(accepted(auth, clerk.M2M(clerktest.MachineClaims{Scopes: []string{"mch_another"}})))
	// Output:
	// m2m_token of mch_billing
	// clerkauth: token-verification-failed: the token is for other machines than MachineID
}

func ExampleInstance_M2MJWT() {
	auth, clerk := newMachines(&testing.T{})
	fmt.Println(accepted(auth, clerk.M2MJWT(clerktest.MachineClaims{Subject: "mch_billing"})))
	// Output: m2m_token of mch_billing
}

func ExampleInstance_OAuth() {
	auth, clerk := newMachines(&testing.T{})
	fmt.Println(accepted(auth, clerk.OAuth(clerktest.MachineClaims{Subject: "user_ada"})))
	// Output: oauth_token of user_ada
}

func ExampleInstance_OAuthJWT() {
	auth, clerk := newMachines(&testing.T{})
	now := time.Now()
	fmt.Println(accepted(auth, clerk.OAuthJWT(clerktest.MachineClaims{Subject: "user_ada"})))
	_, err := auth.VerifyMachine(context.Background(), clerk.OAuthJWT(clerktest.MachineClaims{IssuedAt: now.Add(-time.Hour), ExpiresAt: now.Add(-time.Minute)}), clerkauth.OAuthTokens())
	fmt.Println(err)
	// Output:
	// oauth_token of user_ada
	// clerkauth: token-verification-failed
}

// An application may verify M2M tokens with its machine's key in place of the instance's.
func ExampleInstance_MachineSecretKey() {
	clerk := clerktest.New(&testing.T{}, clerktest.Options{})
	cfg := clerk.Config()
	cfg.SecretKey, cfg.MachineSecretKey = "", clerk.MachineSecretKey()
	auth, err := clerkauth.New(cfg)
	if err != nil {
		panic(err)
	}
	_, err = auth.VerifyMachine(context.Background(), clerk.M2M(clerktest.MachineClaims{}), clerkauth.M2MTokens())
	fmt.Println(err)
	// Output: <nil>
}
