package clerkauth

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

func mustParse(t testing.TB, rules partyRules, entries ...string) *parties {
	t.Helper()
	list, problems := parseParties("AuthorizedParties", entries, rules)
	if len(problems) > 0 {
		t.Fatal(errors.Join(problems...))
	}
	return &list
}

func TestMatch(t *testing.T) {
	list := mustParse(t, partyRules{live: true, root: "example.com"},
		"https://example.com", "https://*.preview.example.com", "https://pr-*-web.example.com:8443", "http://localhost:3000",
		"https://[2001:db8::1]", "chrome-extension://abcdef", "https://bücher.example", "https://dot.example.com.")
	for origin, want := range map[string]bool{
		"https://example.com":               true,
		"https://a.preview.example.com":     true,
		"https://a-1.preview.example.com":   true,
		"https://pr-7-web.example.com:8443": true,
		"http://localhost:3000":             true,
		"https://[2001:db8::1]":             true,
		"chrome-extension://abcdef":         true,
		"https://xn--bcher-kva.example":     true,
		"https://dot.example.com.":          true,

		"":                                        false,
		"null":                                    false,
		"https://":                                false,
		"*":                                       false,
		"http://example.com":                      false,
		"https://example.com:443":                 false,
		"https://example.com:8443":                false,
		"https://example.com/":                    false,
		"https://example.com.":                    false,
		"https://dot.example.com":                 false,
		"https://EXAMPLE.com":                     false,
		"HTTPS://example.com":                     false,
		"https://example.com ":                    false,
		" https://example.com":                    false,
		"https://example.com\n":                   false,
		"https://example.com\x00":                 false,
		"https://example.com,https://evil.test":   false,
		"https://example.com https://evil.test":   false,
		"https://sub.example.com":                 false,
		"https://notexample.com":                  false,
		"https://example.com.evil.test":           false,
		"https://evil.test/https://example.com":   false,
		"https://evil.test#https://example.com":   false,
		"https://example.com@evil.test":           false,
		"https://example.co":                      false,
		"https://.preview.example.com":            false,
		"https://*.preview.example.com":           false,
		"https://preview.example.com":             false,
		"https://a.b.preview.example.com":         false,
		"https://A.preview.example.com":           false,
		"https://a_b.preview.example.com":         false,
		"https://ü.preview.example.com":           false,
		"https://a.preview.example.com.":          false,
		"https://a.preview.example.com:8443":      false,
		"http://a.preview.example.com":            false,
		"http://xa.preview.example.com":           false,
		"evilevil0.preview.example.com":           false,
		"https://evil.test/a.preview.example.com": false,
		"https://evil.test?.preview.example.com":  false,
		"https://evil.test#.preview.example.com":  false,
		"https://a@b.preview.example.com":         false,
		"https://a:b.preview.example.com":         false,
		"https://a%2e.preview.example.com":        false,
		"https://a\\.preview.example.com":         false,
		"https://a\t.preview.example.com":         false,
		"https://pr--web.example.com:8443":        false,
		"https://pr-web.example.com:8443":         false,
		"https://pr-7-web.example.com":            false,
		"http://localhost:3001":                   false,
		"http://localhost":                        false,
		"https://2001:db8::1":                     false,
		"https://[2001:db8:0::1]":                 false,
		"https://[2001:DB8::1]":                   false,
		"chrome-extension://abcde":                false,
		"https://abcdef":                          false,
		"https://bücher.example":                  false,
		"https://XN--bcher-kva.example":           false,
	} {
		if got := list.match(origin); got != want {
			t.Errorf("match(%q) = %t, want %t", origin, got, want)
		}
	}
	var none parties
	if none.match("") || none.match("https://example.com") {
		t.Error("the zero parties matches something")
	}
}

// Clerk's own list of where apps are deployed changes; these must never go missing.
func TestSharedSuffixes(t *testing.T) {
	for _, domain := range []string{
		"vercel.app", "netlify.app", "pages.dev", "workers.dev", "herokuapp.com", "github.io", "fly.dev", "onrender.com",
		"web.app", "cloudfront.net", "azurewebsites.net", "run.app", "ngrok-free.app", "clerk.accounts.dev", "accounts.dev", "com", "dev",
	} {
		if !sharedSuffix(domain) {
			t.Errorf("%s is not known as shared", domain)
		}
	}
	for _, domain := range []string{"example.com", "app.vercel.app", "myvercel.app"} {
		if sharedSuffix(domain) {
			t.Errorf("%s is taken for shared", domain)
		}
	}
}

// AllowParty is somebody's own code, such as a look-up in a database of customers' domains: it must never see a
// spelling that it would have to think about.
func TestAllowsAsksInNormalFormOnly(t *testing.T) {
	asked := map[string]string{}
	p := &policy{
		list:  *mustParse(t, partyRules{live: true}, "https://listed.example"),
		allow: func(_ context.Context, origin, host string) bool { asked[origin] = host; return true },
	}
	for _, party := range []string{
		"https://listed.example", "https://customer.example", "http://customer.example:8080", "https://[::1]", "app://x",
		"", "null", "https://CUSTOMER.example", "https://customer.example/", "https://customer.example:443", "https://a@customer.example",
		"https://customer.example?", "https://customer.example#", "https://*.example", "https://bücher.example", "https://customer.example ",
		"customer.example", "//customer.example", "https://customer.example\n", "wss://customer.example", "https://[0:0::1]", "https://127.1",
	} {
		p.allows(t.Context(), party, &facts{rawHost: "host.example"})
	}
	got := slices.Sorted(maps.Keys(asked))
	want := []string{"app://x", "http://customer.example:8080", "https://[::1]", "https://customer.example"}
	if !slices.Equal(got, want) {
		t.Errorf("AllowParty was asked about %q, want %q", got, want)
	}
	for origin, host := range asked {
		if host != "host.example" {
			t.Errorf("AllowParty(%q) was told the host %q, want the request's", origin, host)
		}
	}
	refusing := &policy{allow: func(context.Context, string, string) bool { return false }}
	if refusing.allows(t.Context(), "https://customer.example", &facts{}) {
		t.Error("what AllowParty refuses is allowed")
	}
}

// Whatever matches is in normal form, is below what the list names, and stays one label.
func FuzzMatch(f *testing.F) {
	list := mustParse(f, partyRules{live: true, root: "example.com"}, "https://example.com", "https://*.preview.example.com", "https://pr-*.example.com:8443")
	for _, seed := range []string{
		"https://example.com", "https://a.preview.example.com", "https://pr-7.example.com:8443", "https://a.b.preview.example.com",
		"https://evil.test#.preview.example.com", "https://A.preview.example.com", "https://.preview.example.com", "null", "https://pr-.example.com:8443",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !list.match(s) {
			return
		}
		o, err := parseOrigin(s)
		if err != nil || o.String() != s {
			t.Fatalf("match(%q), which is not in normal form: %v, %v", s, o, err)
		}
		label, parent, _ := strings.Cut(o.host, ".")
		switch {
		case s == "https://example.com":
		case o.scheme == "https" && o.port == "" && parent == "preview.example.com" && label != "":
		case o.scheme == "https" && o.port == "8443" && parent == "example.com" && strings.HasPrefix(label, "pr-") && label != "pr-":
		default:
			t.Fatalf("match(%q), which the list does not name", s)
		}
	})
}

// An origin that parses is in normal form afterwards, and stays what it is.
func FuzzParseOrigin(f *testing.F) {
	for _, seed := range []string{"https://Example.com:443/", "http://[::1]:080", "https://bücher.example", "tauri://localhost", "https://a.b.", "https://xn--a", "https://1.2.3.4", "http://Xn--.0\xd1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := parseOrigin(s)
		if err != nil {
			return
		}
		if again, err := parseOrigin(o.String()); err != nil || again != o {
			t.Fatalf("parseOrigin(%q) = %q, and then %v, %v", s, o, again, err)
		}
		if strings.ContainsAny(o.String(), " \t\r\n?#@\\*") {
			t.Fatalf("parseOrigin(%q) = %q", s, o)
		}
	})
}
