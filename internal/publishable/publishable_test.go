package publishable_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/publishable"
)

func key(prefix, host string) string {
	return prefix + base64.StdEncoding.EncodeToString([]byte(host))
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name, key string
		want      publishable.Key
	}{
		{"live", key("pk_live_", "clerk.example.com$"), publishable.Key{Live: true, FrontendAPI: "https://clerk.example.com", Host: "clerk.example.com"}},
		{"test", key("pk_test_", "able-owl-7.clerk.accounts.dev$"), publishable.Key{FrontendAPI: "https://able-owl-7.clerk.accounts.dev", Host: "able-owl-7.clerk.accounts.dev"}},
		{"one padding character", key("pk_test_", "clerk.example.org$"), publishable.Key{FrontendAPI: "https://clerk.example.org", Host: "clerk.example.org"}},
		{"two padding characters", key("pk_test_", "clerk.example.co$"), publishable.Key{FrontendAPI: "https://clerk.example.co", Host: "clerk.example.co"}},
		{"padding left out", strings.TrimRight(key("pk_test_", "clerk.example.co$"), "="), publishable.Key{FrontendAPI: "https://clerk.example.co", Host: "clerk.example.co"}},
		{"port", key("pk_test_", "clerk.example.com:8443$"), publishable.Key{FrontendAPI: "https://clerk.example.com:8443", Host: "clerk.example.com:8443"}},
		{"this machine", key("pk_test_", "localhost:3000$"), publishable.Key{FrontendAPI: "https://localhost:3000", Host: "localhost:3000"}},
		{"this machine, http", key("pk_test_", "http://127.0.0.1:3000$"), publishable.Key{FrontendAPI: "http://127.0.0.1:3000", Host: "127.0.0.1:3000"}},
		{"this machine, http, IPv6", key("pk_test_", "http://[::1]:3000$"), publishable.Key{FrontendAPI: "http://[::1]:3000", Host: "[::1]:3000"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := publishable.Parse(c.key); err != nil || got != c.want {
				t.Errorf("Parse(%q) = %+v, %v, want %+v", c.key, got, err, c.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	live := key("pk_live_", "clerk.example.com$")
	padded := key("pk_live_", "clerk.example.co$")
	if !strings.HasSuffix(padded, "=") {
		t.Fatal("the padded key has no padding")
	}
	for _, c := range []struct{ name, key string }{
		{"empty", ""},
		{"secret key", "sk_live_" + live[8:]},
		{"prefix only", "pk_live_"},
		{"prefix in capitals", "PK_LIVE_" + live[8:]},
		{"another prefix", "pk_prod_" + live[8:]},
		{"space before", " " + live},
		{"space after", live + " "},
		{"line break after", live + "\n"},
		{"line break inside", live[:12] + "\r\n" + live[12:]},
		{"quotes", `"` + live + `"`},
		{"no base64", "pk_live_!!!!"},
		{"base64url", "pk_live_" + strings.ReplaceAll(base64.RawURLEncoding.EncodeToString([]byte("\xff\xfe.com$")), "=", "")},
		{"too much padding", padded + "="},
		{"too little padding", strings.TrimRight(key("pk_live_", "clerk.example.comm$"), "=") + "="},
		{"padding where none is due", live + "===="},
		{"spare bits", padded[:len(padded)-2] + next(padded[len(padded)-2]) + "="},
		{"no dollar sign", key("pk_live_", "clerk.example.com")},
		{"two dollar signs", key("pk_live_", "clerk.example.com$$")},
		{"something after the dollar sign", key("pk_live_", "clerk.example.com$x")},
		{"no host", key("pk_live_", "$")},
		{"one label", key("pk_live_", "clerk$")},
		{"empty label", key("pk_live_", "clerk..example.com$")},
		{"dot before", key("pk_live_", ".example.com$")},
		{"dot after", key("pk_live_", "example.com.$")},
		{"capitals", key("pk_live_", "Clerk.example.com$")},
		{"path", key("pk_live_", "clerk.example.com/v1$")},
		{"slash", key("pk_live_", "clerk.example.com/$")},
		{"query", key("pk_live_", "clerk.example.com?x$")},
		{"fragment", key("pk_live_", "clerk.example.com#x$")},
		{"user", key("pk_live_", "evil@clerk.example.com$")},
		{"scheme", key("pk_live_", "https://clerk.example.com$")},
		{"http", key("pk_live_", "http://clerk.example.com$")},
		{"http, loopback in the name", key("pk_test_", "http://localhost.example.com$")},
		{"another scheme", key("pk_live_", "ftp://clerk.example.com$")},
		{"port without a number", key("pk_live_", "clerk.example.com:$")},
		{"port that is no number", key("pk_live_", "clerk.example.com:x$")},
		{"space in the host", key("pk_live_", "clerk example.com$")},
		{"line break in the host", key("pk_live_", "clerk.example.com\r\nx$")},
		{"underscore", key("pk_live_", "clerk_.example.com$")},
		{"wildcard", key("pk_live_", "*.example.com$")},
		{"percent", key("pk_live_", "clerk%2eexample.com$")},
		{"beyond ASCII", key("pk_live_", "cl\u00e9rk.example.com$")},
		{"backslash", key("pk_live_", `clerk\.example.com$`)},
		{"address elsewhere", key("pk_live_", "[2001:db8::1]$")},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := publishable.Parse(c.key); err == nil || got != (publishable.Key{}) {
				t.Errorf("Parse(%q) = %+v, %v, want an error", c.key, got, err)
			}
		})
	}
}

// next is the base64 digit after c.
func next(c byte) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return string(digits[strings.IndexByte(digits, c)+1])
}

// The suffixes are what Clerk's script computes: base64url of the SHA-1 of the key, its first 8 characters.
func TestCookieSuffix(t *testing.T) {
	for key, want := range map[string]string{
		"pk_live_Y2xlcmsuZXhhbXBsZS5jb20k": "naoXFJnI",
		"pk_test_Y2xlcmsuYXBwNDQuY29tJA==": "PWf-e_GV",
		"":                                 "2jmj7l5r",
	} {
		if got := publishable.CookieSuffix(key); got != want {
			t.Errorf("CookieSuffix(%q) = %q, want %q", key, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "pk_live_", key("pk_live_", "clerk.example.com$"), key("pk_test_", "http://[::1]:3000$"), key("pk_live_", "a@b.c$")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := publishable.Parse(s)
		if err != nil {
			return
		}
		prefix, host := "pk_test_", got.Host+"$"
		if got.Live {
			prefix = "pk_live_"
		}
		if strings.HasPrefix(got.FrontendAPI, "http://") {
			host = "http://" + host
		}
		if want := key(prefix, host); s != want && s != strings.TrimRight(want, "=") {
			t.Errorf("Parse(%q) = %+v, which is the key %q", s, got, want)
		}
	})
}
