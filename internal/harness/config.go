package harness

import (
	"context"
	"encoding/base64"
	"testing"

	"github.com/clerkauth/clerkauth"
)

// PublishableKey makes the key of an instance whose Frontend API is at host. prefix is pk_live_ or pk_test_.
func PublishableKey(prefix, host string) string {
	return prefix + base64.StdEncoding.EncodeToString([]byte(host+"$"))
}

// ShortestConfig is the shortest live configuration.
func ShortestConfig() clerkauth.Config {
	return clerkauth.Config{PublishableKey: PublishableKey("pk_live_", "clerk.example.com"), AuthorizedParties: []string{Origin}}
}

// Parties sets AuthorizedParties.
func Parties(list ...string) func(*clerkauth.Config) {
	return func(c *clerkauth.Config) { c.AuthorizedParties = list }
}

// ManyParties allows an origin in each possible way.
func ManyParties(c *clerkauth.Config) {
	c.AuthorizedParties = []string{Origin, "https://app.example.com", "https://*.preview.example.com", "chrome-extension://abcdef"}
	c.TrustedOrigins = []string{"https://pay.test"}
	c.AllowParty = func(_ context.Context, origin, host string) bool {
		return origin == "https://customer.test" && host == "example.com"
	}
}

// SignIn sets a sign-in page.
func SignIn(c *clerkauth.Config) { c.SignInURL = "https://accounts.example.com/sign-in" }

// Setenv sets the variables, and empties the others that ConfigFromEnv reads.
func Setenv(t *testing.T, set map[string]string) {
	t.Helper()
	for _, name := range []string{
		"CLERK_PUBLISHABLE_KEY", "CLERK_SECRET_KEY", "CLERK_JWT_KEY", "CLERK_API_URL", "CLERK_SIGN_IN_URL", "CLERK_AUTHORIZED_PARTIES",
		"CLERK_PROXY_URL", "CLERK_IS_SATELLITE", "CLERK_DOMAIN", "CLERK_MACHINE_SECRET_KEY",
	} {
		t.Setenv(name, set[name])
	}
}

// ConfigFromEnv is clerkauth's, without an error.
func ConfigFromEnv(tb testing.TB) clerkauth.Config {
	tb.Helper()
	cfg, err := clerkauth.ConfigFromEnv()
	if err != nil {
		tb.Fatal(err)
	}
	return cfg
}
