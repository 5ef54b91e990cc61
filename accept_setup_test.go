package clerkauth_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestAcceptPanicsAtSetUp(t *testing.T) {
	a := harness.NewApp(t)
	bare := a.Replica(func(c *clerkauth.Config) { c.SecretKey, c.MachineID, c.JWTKey = "", "", a.Clerk.JWTKey() })
	for name, f := range map[string]func(){
		"the zero Credential":          func() { a.Accept(clerkauth.Credential{}) },
		"the zero one among more":      func() { a.Accept(clerkauth.Sessions(), clerkauth.Credential{}) },
		"an impossible check":          func() { a.Accept(clerkauth.Sessions(clerkauth.Check{})) },
		"an empty scope":               func() { a.Accept(clerkauth.APIKeys("")) },
		"two scopes in one":            func() { a.Accept(clerkauth.OAuthTokens("a b")) },
		"a quote":                      func() { a.Accept(clerkauth.OAuthTokens(`a"`)) },
		"a backslash":                  func() { a.Accept(clerkauth.OAuthTokens(`a\`)) },
		"no ASCII":                     func() { a.Accept(clerkauth.OAuthTokens("ä")) },
		"a line feed":                  func() { a.Accept(clerkauth.OAuthTokens("a\nb")) },
		"API keys without a key":       func() { bare.Accept(clerkauth.APIKeys()) },
		"M2M tokens without MachineID": func() { bare.Accept(clerkauth.M2MTokens()) },
		"VerifyMachine with People":    func() { _, _ = a.VerifyMachine(t.Context(), "x", clerkauth.APIKeys(), clerkauth.Sessions()) },
		"VerifyMachine with no kind":   func() { _, _ = a.VerifyMachine(t.Context(), "x", clerkauth.Credential{}) },
	} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.HasPrefix(fmt.Sprint(p), "clerkauth: ") {
					t.Errorf("%s: got %v, want a panic that says what is wrong", name, p)
				}
			}()
			f()
		}()
	}
	bare.Accept(clerkauth.OAuthTokens()) // JWTs need no secret key
}

func TestMachineConfig(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*clerkauth.Config)
		want   string // empty: New accepts it
	}{
		"all": {func(c *clerkauth.Config) {
			c.MachineSecretKey, c.MachineID, c.MachineCacheTTL, c.MachineAudience = "ak_x", "mch_x", 5*time.Minute, []string{"a"}
		}, ""},
		"a secret key":     {func(c *clerkauth.Config) { c.MachineSecretKey = "sk_live_abcdefgh" }, "MachineSecretKey"},
		"a line feed":      {func(c *clerkauth.Config) { c.MachineSecretKey = "ak_abc\ndef" }, "MachineSecretKey"},
		"a prefix of one":  {func(c *clerkauth.Config) { c.MachineSecretKey = "ak_" }, "MachineSecretKey (CLERK_MACHINE_SECRET_KEY)"},
		"no machine":       {func(c *clerkauth.Config) { c.MachineID = "user_1" }, "MachineID"},
		"a prefix alone":   {func(c *clerkauth.Config) { c.MachineID = "mch_" }, "MachineID"},
		"a blank":          {func(c *clerkauth.Config) { c.MachineID = "mch_1 2" }, "MachineID"},
		"a contradiction":  {func(c *clerkauth.Config) { c.MachineID, c.InsecureAllowAnyMachine = "mch_1", true }, "InsecureAllowAnyMachine"},
		"an empty aud":     {func(c *clerkauth.Config) { c.MachineAudience = []string{""} }, "MachineAudience"},
		"too long a cache": {func(c *clerkauth.Config) { c.MachineCacheTTL = 5*time.Minute + 1 }, "MachineCacheTTL"},
		"a negative one":   {func(c *clerkauth.Config) { c.MachineCacheTTL = -1 }, "MachineCacheTTL"},
	} {
		cfg := harness.ShortestConfig()
		tc.change(&cfg)
		_, err := clerkauth.New(cfg)
		if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want one that names %q", name, err, tc.want)
		}
	}
	const secret = "correct-horse-battery-staple"
	cfg := harness.ShortestConfig()
	cfg.MachineSecretKey, cfg.MachineID = secret, secret // in the wrong field
	if _, err := clerkauth.New(cfg); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a secret in the wrong field: got %v, want an error that does not show it", err)
	}
	cfg = harness.ShortestConfig()
	cfg.MachineSecretKey = "ak_0123456789\n0123456789"
	if _, err := clerkauth.New(cfg); err == nil || !strings.Contains(err.Error(), `"ak_0"`) || strings.Contains(err.Error(), "ak_01") {
		t.Errorf("a malformed secret: got %v, want four letters of it", err)
	}
	harness.Setenv(t, map[string]string{"CLERK_MACHINE_SECRET_KEY": "ak_env"})
	if got := harness.ConfigFromEnv(t).MachineSecretKey; got != "ak_env" {
		t.Errorf("from the environment: got %q, want \"ak_env\"", got)
	}
}
