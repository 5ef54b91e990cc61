package clerkauth

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/origin"
)

func TestWildcardRules(t *testing.T) {
	live, test := partyRules{live: true, root: "example.com"}, partyRules{root: "clerk.accounts.dev"}
	for _, tc := range []struct {
		rules partyRules
		entry string
		want  error
	}{
		{live, "https://*.example.com", nil},
		{live, "https://app-*.example.com", nil},
		{live, "https://*-app.example.com:8443/", nil},
		{live, "https://*.preview.example.com", nil},
		{live, "https://app.*.example.com", nil},
		{live, "HTTPS://*.EXAMPLE.COM", nil},
		{live, "http://*.localhost:3000", errWildRoot},
		{live, "http://*.example.com", errPlain},
		{live, "https://*", errWildRoot},
		{live, "https://*.com", errWildRoot},
		{live, "https://*example.com", errWildRoot},
		{live, "https://*.notexample.com", errWildRoot},
		{live, "https://*.example.com.", errWildRoot},
		{live, "https://*.example.org", errWildRoot},
		{live, "https://*.example.com.evil.test", errWildRoot},
		{live, "https://app-*.vercel.app", errWildRoot},
		{live, "https://example.*", errWildRoot},
		{live, "https://example.com:*", errAnyPort},
		{live, "*://example.com", origin.ErrStars},
		{live, "ht*ps://example.com", origin.ErrStars},
		{live, "https://*.*.example.com", origin.ErrStars},
		{live, "https://**.example.com", origin.ErrStars},
		{live, "https://example.com/*", origin.ErrExtra},
		{live, "https://*@example.com", origin.ErrExtra},
		{live, "chrome-extension://*", errWildRoot},
		{live, "https://*.bücher.example.com", origin.ErrASCII},
		{live, "app://*.EXAMPLE.com", errWildRoot},
		{partyRules{live: true}, "https://*.example.com", errWildRoot},
		{partyRules{live: true}, "https://*.example.com.", errWildRoot},
		{partyRules{live: true}, "https://*", errWildRoot},
		{partyRules{live: true, root: "app.vercel.app"}, "https://*.vercel.app", errWildRoot},
		{partyRules{live: true, root: "app.vercel.app"}, "https://app-*.vercel.app", errWildRoot},
		{partyRules{live: true, root: "app.vercel.app"}, "https://*.other.vercel.app", errWildRoot},
		{partyRules{live: true, root: "app.vercel.app"}, "https://*.myapp.vercel.app", errWildRoot},
		{partyRules{live: true, root: "app.vercel.app"}, "https://*.app.vercel.app", nil},
		{partyRules{live: true, root: "app.vercel.app"}, "https://*.app.vercel.app", nil},
		{partyRules{live: true, root: "com"}, "https://*.com", errWildRoot},
		{partyRules{live: true, root: "com"}, "https://*.example.com", errWildRoot},

		{test, "https://myapp-*.vercel.app", nil},
		{test, "https://myapp-*-team.vercel.app", nil},
		{test, "http://pr-*.dev.example.com:3000", nil},
		{test, "https://*.vercel.app", errWildTest},
		{test, "https://*.dev.example.com", errWildTest},
		{test, "https://app-*.com", errWildTest},
		{test, "https://app-*.localhost", errWildTest},
		{test, "https://app-*", errWildTest},
		{test, "https://*", errWildTest},
		{test, "chrome-extension://*", errWildTest},
	} {
		list, problems := parseParties("AuthorizedParties", []string{tc.entry}, tc.rules)
		switch {
		case tc.want == nil && len(problems) > 0:
			t.Errorf("%q with %+v: got %v, want none", tc.entry, tc.rules, problems)
		case tc.want == nil && !list.Match(strings.TrimSuffix(strings.ToLower(strings.Replace(tc.entry, "*", "any-label", 1)), "/")):
			t.Errorf("%q with %+v is accepted and matches no label", tc.entry, tc.rules)
		case tc.want != nil && (len(problems) != 1 || !errors.Is(problems[0], tc.want)):
			t.Errorf("%q with %+v: got %v, want %v", tc.entry, tc.rules, problems, tc.want)
		case tc.want != nil && !reflect.ValueOf(list).IsZero():
			t.Errorf("%q with %+v is reported as a mistake and used", tc.entry, tc.rules)
		}
	}
}

func TestPlainHTTPIsForTestKeysAndThisMachine(t *testing.T) {
	local := []string{"http://localhost", "http://localhost:3000", "http://app.localhost", "http://127.0.0.1", "http://127.9.9.9:1", "http://[::1]:8080"}
	remote := []string{"http://example.com", "http://localhost.example.com", "http://10.0.0.1", "http://192.168.1.1:3000", "http://0.0.0.0", "http://[2001:db8::1]", "http://mylocalhost"}
	for _, entry := range slices.Concat(local, remote) {
		_, problems := parseParties("f", []string{entry}, partyRules{live: true})
		if got, want := len(problems) > 0 && errors.Is(problems[0], errPlain), slices.Contains(remote, entry); got != want {
			t.Errorf("live keys: %q is refused %t, want %t (%v)", entry, got, want, problems)
		}
		if _, problems := parseParties("f", []string{entry}, partyRules{}); len(problems) > 0 {
			t.Errorf("test keys: %q: got %v, want none", entry, problems)
		}
	}
}
