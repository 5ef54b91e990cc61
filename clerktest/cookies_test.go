package clerktest_test

import (
	"crypto/sha1" //nolint:gosec // the documented form of Clerk's cookie names
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clerkauth/clerkauth/clerktest"
)

func TestCookiesAreASignedInBrowsers(t *testing.T) {
	tests := []struct {
		name   string
		opts   clerktest.Options
		claims clerktest.Claims
		uat    string
		secure bool
	}{
		{"production", clerktest.Options{}, clerktest.Claims{}, "1772625600", true},
		{"development", clerktest.Options{Development: true}, clerktest.Claims{}, "1772625600", false},
		{"older token", clerktest.Options{}, clerktest.Claims{IssuedAt: noon.Add(-time.Hour)}, "1772622000", true},
		{"no iat", clerktest.Options{}, clerktest.Claims{Extra: map[string]any{"iat": clerktest.Absent}}, "1772625600", true},
		{"unreadable", clerktest.Options{}, clerktest.Claims{RawPayload: []byte("x")}, "1772625600", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.opts.Now = atNoon
			in := clerktest.New(t, tt.opts)
			sum := sha1.Sum([]byte(in.PublishableKey())) //nolint:gosec // see the import
			suffix := strings.NewReplacer("+", "-", "/", "_").Replace(base64.StdEncoding.EncodeToString(sum[:]))[:8]
			token := in.Token(tt.claims)
			want := map[string]string{
				"__session": token, "__session_" + suffix: token, "__client_uat": tt.uat, "__client_uat_" + suffix: tt.uat,
			}
			if tt.opts.Development {
				want["__clerk_db_jwt"], want["__clerk_db_jwt_"+suffix] = "dvb_2clerktest", "dvb_2clerktest"
			}
			for _, c := range in.Cookies(token) {
				if v, ok := want[c.Name]; !ok || v != c.Value {
					t.Errorf("cookie %s=%s, want %q", c.Name, c.Value, v)
				}
				if c.Secure != tt.secure || c.Path != "/" || c.SameSite != http.SameSiteLaxMode || c.Domain != "" {
					t.Errorf("cookie %s: secure %t, path %q, want %t and /", c, c.Secure, c.Path, tt.secure)
				}
				delete(want, c.Name)
			}
			if len(want) > 0 {
				t.Errorf("cookies missing: %v", want)
			}
		})
	}
}

// TestCookieSuffix compares with the suffix that Clerk's JavaScript computes for this key.
func TestCookieSuffix(t *testing.T) {
	in := clerktest.New(t, clerktest.Options{Development: true, Domain: "ruling-otter-41.clerk.accounts.dev"})
	if want := "pk_test_cnVsaW5nLW90dGVyLTQxLmNsZXJrLmFjY291bnRzLmRldiQ="; in.PublishableKey() != want {
		t.Fatalf("PublishableKey %q, want %q", in.PublishableKey(), want)
	}
	var names []string
	for _, c := range in.Cookies(in.Token(clerktest.Claims{})) {
		names = append(names, c.Name)
	}
	if got, want := strings.Join(names, " "), "__session __session_V4j-WS73 __client_uat __client_uat_V4j-WS73 __clerk_db_jwt __clerk_db_jwt_V4j-WS73"; got != want {
		t.Errorf("cookies %q, want %q", got, want)
	}
}
