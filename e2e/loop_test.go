package e2e_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth"
	"github.com/clerkauth/clerkauth/clerktest"
)

const maxRounds = 3 // that a browser is sent on before it is told what is wrong

// explained says that the tab shows the page about keys, after as many rounds as are made and no more.
func (w *world) explained(b *tab, status int) {
	b.t.Helper()
	if status != http.StatusUnauthorized {
		b.t.Errorf("ends with %d, want 401", status)
	}
	for _, word := range []string{"round in circles", "publishable key", "secret key", "cookies"} {
		if text := b.text(); !strings.Contains(text, word) {
			b.t.Errorf("%q does not speak of %q", text, word)
		}
	}
	if handshakes, _ := w.renewals(); handshakes != maxRounds {
		b.t.Errorf("%d handshakes, want %d", handshakes, maxRounds)
	}
}

// The keys are of two instances: what the browser brings back from one, the other does not know.
func TestKeysOfAnotherInstanceEndInAPageThatSaysSo(t *testing.T) {
	other := clerktest.New(t, clerktest.Options{Domain: "other.test"})
	for _, c := range []struct {
		name string
		in   setting
		keys func(*clerkauth.Config)
	}{
		{"production, another secret key", production, func(cfg *clerkauth.Config) { cfg.SecretKey = other.SecretKey() }},
		{"production, another JWT key", production, func(cfg *clerkauth.Config) { cfg.SecretKey, cfg.JWTKey = "", other.JWTKey() }},
		{"development, another JWT key", development, func(cfg *clerkauth.Config) { cfg.SecretKey, cfg.JWTKey = "", other.JWTKey() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := c.in(t, clerktest.Options{}, c.keys)
			b := w.open(t)
			b.visit(w.app.signIn)
			w.renewals()
			status := b.press(`button[value="` + alice + `"]`)
			w.app.mu.Lock()
			t.Log(b.place(), status, b.text(), w.app.seen)
			w.app.mu.Unlock()
			b.visit(w.home + "/private")
			w.app.mu.Lock()
			t.Log(b.place(), b.text(), w.app.seen)
			w.app.mu.Unlock()
			b.picture()
		})
	}
}

// blockCookies makes a profile of a person who lets no page of an origin have any.
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

func TestBlockedCookiesEndOnAPage(t *testing.T) {
	for _, c := range []struct {
		name string
		in   setting
	}{{"production", production}, {"development", development}} {
		t.Run(c.name, func(t *testing.T) {
			w := c.in(t, clerktest.Options{}, nil)
			b := w.openWith(t, blockCookies(t, w.home))
			b.visit(w.home + "/private")
			w.app.mu.Lock()
			t.Log(b.place(), b.text(), w.app.seen)
			w.app.mu.Unlock()
			b.press(`button[value="` + alice + `"]`)
			w.app.mu.Lock()
			t.Log(b.place(), b.text(), w.app.seen)
			w.app.mu.Unlock()
			t.Log(len(b.cookies(w.home)))
			b.picture()
		})
	}
}
