package clerktest_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/clerktest"
)

// Logs of tests are kept for a long time, too.
func TestNothingPrintsAKey(t *testing.T) {
	clerk := clerktest.New(t, clerktest.Options{})
	session := clerk.SignIn(nil, clerktest.Person{})
	secrets := []string{clerk.SecretKey()[len("sk_live_"):]}
	for _, c := range session.Cookies() {
		if len(c.Value) > 12 {
			secrets = append(secrets, c.Value[:12])
		}
	}
	if len(secrets) < 4 {
		t.Fatalf("secrets %q, want the session's and the refresh token among them", secrets)
	}
	for want, v := range map[string]any{
		"clerktest.Instance https://clerk.example.com": clerk, "clerktest.BrowserSession " + session.ID: session,
	} {
		for verb := rune('A'); verb <= 'z'; verb++ {
			if verb >= '[' && verb <= '`' || verb == 'T' || verb == 'p' || verb == 'w' {
				continue // call no method
			}
			for _, v := range []any{v, struct{ V any }{v}, []any{v}} {
				if got := fmt.Sprintf("%"+string(verb), v); !strings.Contains(got, want) {
					t.Errorf("%%%c: got %q, want %s", verb, got, want)
				}
			}
		}
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "v", v)
		text, err := json.Marshal(v)
		if err != nil {
			t.Error(err)
		}
		for _, secret := range secrets {
			if strings.Contains(log.String()+string(text), secret) {
				t.Errorf("%s shows %q: %s %s", want, secret, log.String(), text)
			}
		}
	}
}
