package clerktest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// machineApp returns an application of a new instance, with a function that prints the result for a
// credential.
func machineApp(change func(*clerkauth.Config, *clerktest.Instance)) (clerk *clerktest.Instance, show func(credential string)) {
	clerk, err := clerktest.Start(clerktest.Options{})
	if err != nil {
		panic(err)
	}
	cfg := clerk.Config()
	if change != nil {
		change(&cfg, clerk)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		panic(err)
	}
	return clerk, func(credential string) {
		m, err := auth.VerifyMachine(context.Background(), credential, clerkauth.APIKeys(), clerkauth.OAuthTokens(), clerkauth.M2MTokens())
		if err != nil {
			fmt.Println(err, "-", errors.Unwrap(err))
			return
		}
		fmt.Println(m.Type, "of", m.Subject, m.Scopes)
	}
}

func ExampleInstance_APIKey() {
	clerk, show := machineApp(nil)
	defer clerk.Close()
	show(clerk.APIKey(clerktest.MachineClaims{Subject: "org_acme", Scopes: []string{"read"}}))
	// Output: api_key of org_acme [read]
}

func ExampleInstance_M2M() {
	clerk, show := machineApp(nil)
	defer clerk.Close()
	show(clerk.M2M(clerktest.MachineClaims{Subject: "mch_billing"}))
	// Output: m2m_token of mch_billing [mch_2clerktest]
}

func ExampleInstance_M2MJWT() {
	clerk, show := machineApp(nil)
	defer clerk.Close()
	show(clerk.M2MJWT(clerktest.MachineClaims{Subject: "mch_billing", Scopes: []string{"mch_another"}}))
	// Output: clerkauth: token-verification-failed - the token is for other machines, not for MachineID
}

func ExampleInstance_OAuth() {
	clerk, show := machineApp(nil)
	defer clerk.Close()
	show(clerk.OAuth(clerktest.MachineClaims{Subject: "user_ada", Scopes: []string{"email"}}))
	// Output: oauth_token of user_ada [email]
}

func ExampleInstance_OAuthJWT() {
	clerk, show := machineApp(nil)
	defer clerk.Close()
	show(clerk.OAuthJWT(clerktest.MachineClaims{Extra: map[string]any{"iss": "https://clerk.example.net"}}))
	// Output: clerkauth: token-verification-failed - iss is "https://clerk.example.net", but must be "https://clerk.example.com"
}

func ExampleInstance_Revoke() {
	clerk, show := machineApp(nil)
	defer clerk.Close()
	key := clerk.APIKey(clerktest.MachineClaims{})
	clerk.Revoke(key)
	show(key)
	// Output: clerkauth: token-invalid - the credential was revoked
}

func ExampleInstance_Expire() {
	clerk, show := machineApp(nil)
	defer clerk.Close()
	key := clerk.APIKey(clerktest.MachineClaims{})
	clerk.Expire(key)
	show(key)
	// Output: clerkauth: token-invalid - the credential has expired
}

func ExampleInstance_MachineSecretKey() {
	clerk, show := machineApp(func(cfg *clerkauth.Config, clerk *clerktest.Instance) {
		cfg.MachineSecretKey = clerk.MachineSecretKey()
	})
	defer clerk.Close()
	show(clerk.M2M(clerktest.MachineClaims{}))
	// Output: m2m_token of mch_2sender [mch_2clerktest]
}
