package clerkauth

import (
	"errors"
	"slices"
	"testing"
)

func TestParseOriginPutsInNormalForm(t *testing.T) {
	for entry, want := range map[string]string{
		"https://example.com":             "https://example.com",
		"https://example.com/":            "https://example.com",
		"HTTPS://Example.COM":             "https://example.com",
		"https://example.com:443":         "https://example.com",
		"https://example.com:0443/":       "https://example.com",
		"http://localhost:80":             "http://localhost",
		"http://localhost:03000":          "http://localhost:3000",
		"https://example.com:80":          "https://example.com:80",
		"https://bücher.example":          "https://xn--bcher-kva.example",
		"https://BÜCHER.example:8443/":    "https://xn--bcher-kva.example:8443",
		"https://faß.example":             "https://xn--fa-hia.example",
		"https://xn--bcher-kva.example":   "https://xn--bcher-kva.example",
		"https://例え.テスト":                  "https://xn--r8jz45g.xn--zckzah",
		"https://my_app.example.com":      "https://my_app.example.com",
		"http://127.0.0.1:8080":           "http://127.0.0.1:8080",
		"app://127.1":                     "app://127.1",
		"https://[::1]":                   "https://[::1]",
		"https://[2001:DB8:0:0::0001]:1":  "https://[2001:db8::1]:1",
		"https://example.com.":            "https://example.com.",
		"chrome-extension://abcdefgh":     "chrome-extension://abcdefgh",
		"tauri://localhost":               "tauri://localhost",
		"capacitor://localhost":           "capacitor://localhost",
		"com.example.app://callback:1234": "com.example.app://callback:1234",
	} {
		o, err := parseOrigin(entry)
		if err != nil || o.String() != want {
			t.Errorf("parseOrigin(%q) = %v, %v; want %s", entry, o, err, want)
			continue
		}
		if again, err := parseOrigin(want); err != nil || again != o {
			t.Errorf("parseOrigin(%q) = %v, %v; want %v: it is the normal form", want, again, err, o)
		}
	}
}

func TestParseOriginRefuses(t *testing.T) {
	for entry, want := range map[string]error{
		"":                              errNoOrigin,
		"null":                          errNoOrigin,
		"*":                             errStars,
		"example.com":                   errNoOrigin,
		"example.com:443":               errNoOrigin,
		"localhost:3000":                errNoOrigin,
		"//example.com":                 errNoOrigin,
		"https:example.com":             errNoOrigin,
		"https:/example.com":            errNoOrigin,
		"https://":                      errNoOrigin,
		"file:///index.html":            errNoOrigin,
		" https://example.com":          errNoOrigin,
		"https://example.com ":          errNoOrigin,
		"https://exa mple.com":          errNoOrigin,
		"https://example.com\n":         errNoOrigin,
		"https://example.com\x00":       errNoOrigin,
		"https://2001:db8::1":           errNoOrigin,
		"https://ex%61mple.com":         errNoOrigin,
		"https://example.com/app":       errExtra,
		"https://example.com//":         errExtra,
		"https://example.com/%2F":       errExtra,
		"https://example.com?a=b":       errExtra,
		"https://example.com?":          errExtra,
		"https://example.com/#":         errExtra,
		"https://user@example.com":      errExtra,
		"https://user:pass@example.com": errExtra,
		"https://@example.com":          errExtra,
		"wss://example.com":             errWebSocket,
		"ws://localhost":                errWebSocket,
		"https://:443":                  errHost,
		"https://.":                     errHost,
		"https://.example.com":          errHost,
		"https://example..com":          errHost,
		"https://127.1":                 errHost,
		"https://0x7f.1":                errHost,
		"https://2130706433":            errHost,
		"https://1.2.3.256":             errHost,
		"https://1.2.3.4.":              errHost,
		"https://[::ffff:1.2.3.4]":      errHost,
		"https://[fe80::1%25eth0]":      errHost,
		"https://[v1.a]":                errNoOrigin,
		"https://[1.2.3.4]":             errNoOrigin,
		"https://[::1":                  errNoOrigin,
		"https://例え。テスト":                errHost,
		"https://ex\u200bample.com":     errHost,
		"http://Xn--.0\xd1":             errHost,
		"app://a..b":                    errHost,
		"https://exa!mple.com":          errHost,
		"https://example.com,evil.test": errHost,
		"https://example.com:":          errPort,
		"https://example.com:0":         errPort,
		"https://example.com:65536":     errPort,
	} {
		if o, err := parseOrigin(entry); !errors.Is(err, want) {
			t.Errorf("parseOrigin(%q) = %v, %v; want error %v", entry, o, err, want)
		}
	}
}

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
		{live, "https://example.com:*", errNoOrigin},
		{live, "*://example.com", errStars},
		{live, "ht*ps://example.com", errStars},
		{live, "https://*.*.example.com", errStars},
		{live, "https://**.example.com", errStars},
		{live, "https://example.com/*", errExtra},
		{live, "https://*@example.com", errExtra},
		{live, "chrome-extension://*", errWildRoot},
		{live, "https://clerkauth--any--label.example.com", errHost},
		{live, "https://*.clerkauth--any--label.example.com", errHost},
		{partyRules{live: true}, "https://*.example.com", errWildRoot},
		{partyRules{live: true}, "https://*.example.com.", errWildRoot},
		{partyRules{live: true}, "https://*", errWildRoot},
		{partyRules{live: true, root: "vercel.app"}, "https://*.vercel.app", errWildShared},
		{partyRules{live: true, root: "vercel.app"}, "https://app-*.vercel.app", errWildShared},
		{partyRules{live: true, root: "app.vercel.app"}, "https://*.app.vercel.app", nil},
		{partyRules{live: true, root: "com"}, "https://*.com", errWildShared},
		{partyRules{live: true, root: "com"}, "https://*.github.com", nil},

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
			t.Errorf("%q with %+v: %v, want none", tc.entry, tc.rules, problems)
		case tc.want == nil && len(list.patterns) != 1:
			t.Errorf("%q with %+v became no pattern", tc.entry, tc.rules)
		case tc.want != nil && (len(problems) != 1 || !errors.Is(problems[0], tc.want)):
			t.Errorf("%q with %+v: %v, want %v", tc.entry, tc.rules, problems, tc.want)
		case tc.want != nil && len(list.patterns)+len(list.origins) > 0:
			t.Errorf("%q with %+v is reported and taken", tc.entry, tc.rules)
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
			t.Errorf("test keys: %q: %v, want none", entry, problems)
		}
	}
}
