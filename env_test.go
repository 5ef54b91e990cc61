package clerkauth_test

import (
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
	cfg := clerkauth.ConfigFromEnv()
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
			t.Errorf("azp %s: %v, want accepted %t", azp, err, want)
		}
	}
	w := harness.Serve(auth.Require(harness.Greet), harness.Request(http.MethodGet, "https://example.com/", harness.With("Accept", "text/html")))
	if got := w.Header().Get("Location"); !strings.HasPrefix(got, "https://accounts.example.com/sign-in?") {
		t.Errorf("somebody signed out is sent to %q, want CLERK_SIGN_IN_URL", got)
	}
}

// What is not set is not there: New then says what is missing.
func TestConfigFromEmptyEnv(t *testing.T) {
	harness.Setenv(t, nil)
	_, err := clerkauth.New(clerkauth.ConfigFromEnv())
	if err == nil {
		t.Fatal("New accepts an empty environment")
	}
	for _, want := range []string{"PublishableKey", "CLERK_PUBLISHABLE_KEY", "AuthorizedParties"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestNewReportsWhatConfigFromEnvCouldNotRead(t *testing.T) {
	for name, tc := range map[string]struct{ variable, value, want string }{
		"empty entry":       {"CLERK_AUTHORIZED_PARTIES", "https://example.com,,https://a.example.com", "CLERK_AUTHORIZED_PARTIES"},
		"comma at the end":  {"CLERK_AUTHORIZED_PARTIES", "https://example.com,", "CLERK_AUTHORIZED_PARTIES"},
		"only a comma":      {"CLERK_AUTHORIZED_PARTIES", ",", "CLERK_AUTHORIZED_PARTIES"},
		"only a space":      {"CLERK_AUTHORIZED_PARTIES", " ", "CLERK_AUTHORIZED_PARTIES"},
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
			_, err := clerkauth.New(clerkauth.ConfigFromEnv())
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("New: %v, want an error that says %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "0123456789") {
				t.Errorf("%q shows a key", err)
			}
		})
	}
}
