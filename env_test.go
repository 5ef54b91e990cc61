package clerkauth_test

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
	"github.com/clerkauth/clerkauth/internal/harness"
)

func TestConfigFromEnv(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	harness.Setenv(t, map[string]string{
		"CLERK_PUBLISHABLE_KEY":    clerk.PublishableKey(),
		"CLERK_SECRET_KEY":         clerk.SecretKey(),
		"CLERK_JWT_KEY":            strings.ReplaceAll(clerk.JWTKey(), "\n", `\n`),
		"CLERK_API_URL":            "https://api.example.com",
		"CLERK_SIGN_IN_URL":        "https://accounts.example.com/sign-in",
		"CLERK_AUTHORIZED_PARTIES": " https://example.com, https://*.preview.example.com",
	})
	cfg := harness.ConfigFromEnv(t)
	if cfg.PublishableKey != clerk.PublishableKey() || cfg.SecretKey != clerk.SecretKey() || cfg.BackendAPIURL != "https://api.example.com" {
		t.Errorf("ConfigFromEnv read %q and %q, want the instance's", cfg.PublishableKey, cfg.BackendAPIURL)
	}
	auth, err := clerkauth.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for azp, want := range map[string]bool{
		"https://example.com": true, "https://a.preview.example.com": true, "https://blog.example.com": false,
	} {
		if _, err := auth.VerifyToken(t.Context(), clerk.Token(clerktest.Claims{AuthorizedParty: azp})); (err == nil) != want {
			t.Errorf("azp %s: got %v, want accepted %t", azp, err, want)
		}
	}
	w := harness.Serve(auth.Require(harness.Greet), harness.Request(http.MethodGet, "https://example.com/", harness.With("Accept", "text/html")))
	if got := w.Header().Get("Location"); !strings.HasPrefix(got, "https://accounts.example.com/sign-in?") {
		t.Errorf("somebody signed out is sent to %q, want CLERK_SIGN_IN_URL", got)
	}
}

// A variable that is not set leaves its field empty: New then says what is missing.
func TestConfigFromEmptyEnv(t *testing.T) {
	harness.Setenv(t, nil)
	_, err := clerkauth.New(harness.ConfigFromEnv(t))
	if err == nil {
		t.Fatal("New accepts an empty environment")
	}
	for _, want := range []string{"PublishableKey", "CLERK_PUBLISHABLE_KEY", "AuthorizedParties"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want %q in it", err, want)
		}
	}
}

func TestNewNamesTheMistakesOfTheEnvironment(t *testing.T) {
	for name, tc := range map[string]struct{ variable, value, want string }{
		"semicolons":        {"CLERK_AUTHORIZED_PARTIES", "https://example.com;https://a.example.com", "AuthorizedParties[0]"},
		"no scheme":         {"CLERK_AUTHORIZED_PARTIES", "https://a.example.com,example.com", "AuthorizedParties[1]"},
		"secret key":        {"CLERK_SECRET_KEY", "sk_prod_0123456789", `SecretKey (CLERK_SECRET_KEY): "sk_prod_"`},
		"publishable key":   {"CLERK_PUBLISHABLE_KEY", "pk_live_0123456789", `PublishableKey (CLERK_PUBLISHABLE_KEY): "pk_live_"`},
		"JWT key":           {"CLERK_JWT_KEY", "0123456789", `JWTKey (CLERK_JWT_KEY): "01234567"`},
		"API address":       {"CLERK_API_URL", "api.clerk.com", "BackendAPIURL"},
		"sign-in address":   {"CLERK_SIGN_IN_URL", "accounts.example.com", "SignInURL"},
		"sign-in over http": {"CLERK_SIGN_IN_URL", "http://accounts.example.com", "SignInURL"},
	} {
		t.Run(name, func(t *testing.T) {
			set := map[string]string{"CLERK_PUBLISHABLE_KEY": liveKey, "CLERK_AUTHORIZED_PARTIES": "https://example.com"}
			set[tc.variable] = tc.value
			harness.Setenv(t, set)
			_, err := clerkauth.New(harness.ConfigFromEnv(t))
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("New: got %v, want an error that says %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "0123456789") {
				t.Errorf("the error %q shows a key", err)
			}
		})
	}
}

// If a program ignores the error, New refuses the Config, whatever the program adds to it: a
// variable that cannot be read must not make it accept more.
func TestConfigFromEnvFailsClosed(t *testing.T) {
	everything := map[string]string{
		"CLERK_PUBLISHABLE_KEY": liveKey, "CLERK_AUTHORIZED_PARTIES": "https://example.com", "CLERK_PROXY_URL": "https://example.com/__clerk",
		"CLERK_SIGN_IN_URL": "https://accounts.example.com/sign-in", "CLERK_DOMAIN": "satellite.example",
	}
	for name, tc := range map[string]struct{ variable, value string }{
		"empty entry":       {"CLERK_AUTHORIZED_PARTIES", "https://example.com,,https://a.example.com"},
		"empty entry first": {"CLERK_AUTHORIZED_PARTIES", ",https://a.example.com"},
		"comma at the end":  {"CLERK_AUTHORIZED_PARTIES", "https://example.com,"},
		"only a comma":      {"CLERK_AUTHORIZED_PARTIES", ","},
		"only a space":      {"CLERK_AUTHORIZED_PARTIES", " "},
		"satellite, yes":    {"CLERK_IS_SATELLITE", "yes"},
		"satellite, space":  {"CLERK_IS_SATELLITE", " "},
		"satellite, host":   {"CLERK_IS_SATELLITE", "satellite.example"},
	} {
		t.Run(name, func(t *testing.T) {
			set := maps.Clone(everything)
			set[tc.variable] = tc.value
			harness.Setenv(t, set)
			cfg, err := clerkauth.ConfigFromEnv()
			if err == nil || !strings.HasPrefix(err.Error(), "clerkauth: "+tc.variable+": ") {
				t.Errorf("ConfigFromEnv: got %v, want an error about %s", err, tc.variable)
			}
			if cfg.PublishableKey != liveKey || cfg.ProxyURL == "" {
				t.Errorf("got %v, want the variables that could be read", cfg)
			}
			for what, change := range map[string]func(*clerkauth.Config){
				"as it is":     func(*clerkauth.Config) {},
				"an allowance": func(c *clerkauth.Config) { c.AllowParty = func(context.Context, string, string) bool { return true } },
				"any party":    func(c *clerkauth.Config) { c.InsecureAllowAnyParty = true },
			} {
				wider := cfg
				change(&wider)
				if _, err := clerkauth.New(wider); err == nil {
					t.Errorf("%s: New accepts a Config whose variables could not be read", what)
				}
			}
		})
	}
}

func TestConfigFromEnvReportsEveryProblem(t *testing.T) {
	harness.Setenv(t, map[string]string{"CLERK_AUTHORIZED_PARTIES": "https://example.com,", "CLERK_IS_SATELLITE": "sk_live_0123456789", "CLERK_SECRET_KEY": "sk_live_0123456789"})
	_, err := clerkauth.ConfigFromEnv()
	if err == nil || !strings.Contains(err.Error(), "CLERK_AUTHORIZED_PARTIES") || !strings.Contains(err.Error(), "CLERK_IS_SATELLITE") {
		t.Fatalf("got %v, want both problems", err)
	}
	if strings.Contains(err.Error(), "0123456789") {
		t.Errorf("the error %v shows a key", err)
	}
}
