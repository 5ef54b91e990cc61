package e2e_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

// maxHandshakes is how many handshakes a browser makes before a page says what is wrong.
const maxHandshakes = 3

// The keys are of two instances: one cannot verify the result of the other's handshake.
func TestKeysOfAnotherInstanceEndInAPageThatSaysSo(t *testing.T) {
	other := clerktest.New(t, clerktest.Options{Domain: "other.test"})
	for _, c := range []struct {
		name string
		in   setting
		keys func(*clerkauth.Config)
	}{
		{"production", production, func(cfg *clerkauth.Config) { cfg.SecretKey, cfg.JWTKey = "", other.JWTKey() }},
		{"development", development, func(cfg *clerkauth.Config) { cfg.SecretKey, cfg.JWTKey = "", other.JWTKey() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := c.in(t, clerktest.Options{}, func(cfg *clerkauth.Config) {
				c.keys(cfg)
				cfg.SignInURL = ""
			})
			b := s.open(t)
			b.visit(s.app.signIn + "?redirect_url=" + url.QueryEscape(s.home+"/private"))
			b.press(`button[value="` + alice + `"]`)
			status := s.app.status("/private")
			b.picture()
			if at := b.place().URL; status != http.StatusUnauthorized || !strings.HasPrefix(at, s.home+"/private") {
				t.Errorf("ends at %s with %d, want 401 at the app", at, status)
			}
			text := b.text()
			for _, words := range []string{"in a loop of redirects", "publishable key", "secret key", "same Clerk instance", "cookies"} {
				if !strings.Contains(text, words) {
					t.Errorf("the page does not contain %q: %q", words, text)
				}
			}
			if handshakes, _ := s.renewals(); handshakes != maxHandshakes {
				t.Errorf("%d handshakes, want %d", handshakes, maxHandshakes)
			}
		})
	}
}

// A secret key that the Backend API refuses signs nobody out, although no nonce can be exchanged
// and no keys fetched.
func TestRefusedSecretKeyIsNoSignOut(t *testing.T) {
	other := clerktest.New(t, clerktest.Options{Domain: "other.test"})
	s := production(t, clerktest.Options{}, func(cfg *clerkauth.Config) {
		cfg.SecretKey, cfg.SignInURL = other.SecretKey(), ""
	})
	b := s.open(t)
	b.visit(s.app.signIn + "?redirect_url=" + url.QueryEscape(s.home+"/private"))
	b.press(`button[value="` + alice + `"]`)
	if status := s.app.status("/private"); status != http.StatusServiceUnavailable {
		t.Errorf("ends with %d, want 503", status)
	}
	if handshakes, _ := s.renewals(); handshakes != 2 {
		t.Errorf("%d handshakes, want one for a nonce and one for a token", handshakes)
	}
}

// blockCookies makes a browser profile that blocks all cookies of an origin.
func blockCookies(t *testing.T, origin string) string {
	t.Helper()
	profile := t.TempDir()
	preferences := fmt.Sprintf(`{"profile": {"content_settings": {"exceptions": {"cookies": {"%s,*": {"setting": 2}}}}}}`, origin)
	if err := os.Mkdir(filepath.Join(profile, "Default"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(profile, "Default", "Preferences"), []byte(preferences), 0o600); err != nil {
		t.Fatal(err)
	}
	return profile
}

// Without cookies nobody can sign in, and there must be no loop of redirects.
func TestBlockedCookiesEndAtTheSignInPage(t *testing.T) {
	t.Parallel()
	s := production(t, clerktest.Options{}, nil)
	b := s.openWith(t, blockCookies(t, s.home))
	b.visit(s.home + "/private")
	for range 2 {
		b.press(`button[value="` + alice + `"]`)
		if at := b.place().URL; !strings.HasPrefix(at, s.app.signIn+"?") {
			t.Errorf("signing in without cookies ends at %s, want the sign-in page again", at)
		}
	}
	b.picture()
	refused := exchange{http.MethodGet, "/private", "", http.StatusFound, string(clerkauth.ReasonSessionTokenAndUATMissing)}
	if got, want := s.app.answers("/private"), slices.Repeat([]exchange{refused}, 3); !slices.Equal(got, want) {
		t.Errorf("the app was asked %+v, want one request without cookies for each attempt", got)
	}
	b.visit(s.home + "/")
	b.expect("a page for everybody", s.nobody("/"))
}
