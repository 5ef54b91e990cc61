package origin_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/origin"
)

func TestParsePutsInNormalForm(t *testing.T) {
	for entry, want := range map[string]string{
		"https://example.com":             "https://example.com",
		"https://example.com/":            "https://example.com",
		"HTTPS://Example.COM":             "https://example.com",
		"https://example.com:443":         "https://example.com",
		"https://example.com:0443/":       "https://example.com",
		"http://localhost:80":             "http://localhost",
		"http://localhost:03000":          "http://localhost:3000",
		"https://example.com:80":          "https://example.com:80",
		"https://XN--bcher-kva.example":   "https://xn--bcher-kva.example",
		"https://xn--r8jz45g.xn--zckzah":  "https://xn--r8jz45g.xn--zckzah",
		"https://my_app.example.com":      "https://my_app.example.com",
		"http://127.0.0.1:8080":           "http://127.0.0.1:8080",
		"https://1.2.3.4.example":         "https://1.2.3.4.example",
		"https://[::1]":                   "https://[::1]",
		"https://[2001:DB8:0:0::0001]:1":  "https://[2001:db8::1]:1",
		"https://example.com.":            "https://example.com.",
		"chrome-extension://abcdefgh":     "chrome-extension://abcdefgh",
		"tauri://localhost":               "tauri://localhost",
		"app://127.1":                     "app://127.1",
		"app://localhost:443":             "app://localhost:443",
		"com.example.app://callback:1234": "com.example.app://callback:1234",

		// For other schemes browsers keep the host as it is written.
		"Safari-Web-Extension://9C1F2A3B-00AA-4BCD-8EF0-1234567890AB/": "safari-web-extension://9C1F2A3B-00AA-4BCD-8EF0-1234567890AB",
		"safari-web-extension://9c1f2a3b-00aa-4bcd-8ef0-1234567890ab":  "safari-web-extension://9c1f2a3b-00aa-4bcd-8ef0-1234567890ab",

		"https://" + strings.Repeat("a.", 126) + "a:65535": "https://" + strings.Repeat("a.", 126) + "a:65535",
	} {
		o, err := origin.Parse(entry)
		if err != nil || o.String() != want {
			t.Errorf("Parse(%q) = %v, %v; want %s", entry, o, err, want)
			continue
		}
		if again, err := origin.Parse(want); err != nil || again != o || !origin.Normal(want) {
			t.Errorf("Parse(%q) = %v, %v; want %v: it is the normal form", want, again, err, o)
		}
		if origin.Normal(entry) != (entry == want) {
			t.Errorf("Normal(%q) = %t, want %t", entry, origin.Normal(entry), entry == want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for entry, want := range map[string]error{
		"":                              origin.ErrForm,
		"null":                          origin.ErrForm,
		"example.com":                   origin.ErrForm,
		"example.com:443":               origin.ErrForm,
		"localhost:3000":                origin.ErrForm,
		"//example.com":                 origin.ErrForm,
		"://example.com":                origin.ErrForm,
		"https:example.com":             origin.ErrForm,
		"https:/example.com":            origin.ErrForm,
		"https://":                      origin.ErrForm,
		"file:///index.html":            origin.ErrForm,
		" https://example.com":          origin.ErrForm,
		"1https://example.com":          origin.ErrForm,
		"*":                             origin.ErrStars,
		"https://*.example.com":         origin.ErrStars,
		"https://example.com/app":       origin.ErrExtra,
		"https://example.com//":         origin.ErrExtra,
		"https://example.com/%2F":       origin.ErrExtra,
		"https://example.com?a=b":       origin.ErrExtra,
		"https://example.com?":          origin.ErrExtra,
		"https://example.com/#":         origin.ErrExtra,
		"https://user@example.com":      origin.ErrExtra,
		"https://user:pass@example.com": origin.ErrExtra,
		"https://@example.com":          origin.ErrExtra,
		"wss://example.com":             origin.ErrWebSocket,
		"WS://localhost":                origin.ErrWebSocket,
		"https://bücher.example":        origin.ErrASCII,
		"https://例え.テスト":                origin.ErrASCII,
		"https://例え。テスト":                origin.ErrASCII,
		"https://ｅｘａｍｐｌｅ.com":           origin.ErrASCII,
		"https://İstanbul.example":      origin.ErrASCII,
		"https://bu\u0308cher.example":  origin.ErrASCII,
		"https://ex\u200bample.com":     origin.ErrASCII,
		"http://Xn--.0\xd1":             origin.ErrASCII,
		"app://bücher":                  origin.ErrASCII,
		"\u212aapp://x":                 origin.ErrASCII,
		"https://:443":                  origin.ErrHost,
		"https://.":                     origin.ErrHost,
		"https://.example.com":          origin.ErrHost,
		"https://example..com":          origin.ErrHost,
		"https://127.1":                 origin.ErrHost,
		"https://0x7f.1":                origin.ErrHost,
		"https://a.0x":                  origin.ErrHost,
		"https://2130706433":            origin.ErrHost,
		"https://99999999999999999999":  origin.ErrHost,
		"https://1.2.3.256":             origin.ErrHost,
		"https://1.2.3.04":              origin.ErrHost,
		"https://1.2.3.4.":              origin.ErrHost,
		"https://[::ffff:1.2.3.4]":      origin.ErrHost,
		"https://[fe80::1%25eth0]":      origin.ErrHost,
		"https://[v1.a]":                origin.ErrHost,
		"https://[1.2.3.4]":             origin.ErrHost,
		"https://[::1":                  origin.ErrHost,
		"https://[::1]x":                origin.ErrHost,
		"https://[]":                    origin.ErrHost,
		"https://example.com ":          origin.ErrHost,
		"https://exa mple.com":          origin.ErrHost,
		"https://example.com\n":         origin.ErrHost,
		"https://example.com\x00":       origin.ErrHost,
		"https://example.com\x7f":       origin.ErrHost,
		"https://ex%61mple.com":         origin.ErrHost,
		`https://example.com\`:          origin.ErrHost,
		"https://exa!mple.com":          origin.ErrHost,
		"https://example.com,evil.test": origin.ErrHost,
		"https://a~b.example":           origin.ErrHost,
		"app://a..b":                    origin.ErrHost,
		"app://a b":                     origin.ErrHost,
		"app://a,b":                     origin.ErrHost,
		"app://[x]":                     origin.ErrHost,
		"https://2001:db8::1":           origin.ErrHost,
		"https://a:b:1":                 origin.ErrPort,
		"https://example.com:":          origin.ErrPort,
		"https://example.com:0":         origin.ErrPort,
		"https://example.com:65536":     origin.ErrPort,
		"https://example.com:+80":       origin.ErrPort,
		"https://example.com:443:443":   origin.ErrPort,
		"https://[::1]:":                origin.ErrPort,

		"https://" + strings.Repeat("a.", 127) + "a":      origin.ErrHost,
		"https://a.example:" + strings.Repeat("0", 1<<10): origin.ErrHost,
		strings.Repeat("a", 65) + "://x":                  origin.ErrForm,
	} {
		if o, err := origin.Parse(entry); !errors.Is(err, want) || o != (origin.Origin{}) {
			t.Errorf("Parse(%q) = %v, %v; want the error %v", entry, o, err, want)
		}
		if origin.Normal(entry) {
			t.Errorf("Normal(%q) = true, want false", entry)
		}
	}
}

func TestParsePattern(t *testing.T) {
	for entry, want := range map[string]struct {
		origin string
		err    error
	}{
		"HTTPS://*.EXAMPLE.com:443/":   {"https://*.example.com", nil},
		"https://pr-*-web.example.com": {"https://pr-*-web.example.com", nil},
		"https://example.*":            {"https://example.*", nil},
		"app://A*":                     {"app://A*", nil},
		"https://example.com":          {"https://example.com", nil},
		"*":                            {"", origin.ErrStars},
		"*://example.com":              {"", origin.ErrStars},
		"ht*ps://example.com":          {"", origin.ErrStars},
		"https://*.*.example.com":      {"", origin.ErrStars},
		"https://**.example.com":       {"", origin.ErrStars},
		"https://example.com:*":        {"", origin.ErrStars},
		"https://example.com/*":        {"", origin.ErrExtra},
		"https://*@example.com":        {"", origin.ErrExtra},
		"https://[*]":                  {"", origin.ErrHost},
		"https://*.1":                  {"", origin.ErrHost},
		"https://*.bücher.example":     {"", origin.ErrASCII},
	} {
		o, err := origin.ParsePattern(entry)
		if !errors.Is(err, want.err) || err == nil && o.String() != want.origin {
			t.Errorf("ParsePattern(%q) = %v, %v; want %q, %v", entry, o, err, want.origin, want.err)
		}
	}
}

func TestAt(t *testing.T) {
	for _, tc := range []struct{ scheme, host, want string }{
		{"https", "example.com", "https://example.com"},
		{"https", "EXAMPLE.com:443", "https://example.com"},
		{"http", "example.com:443", "http://example.com:443"},
		{"http", "localhost:80", "http://localhost"},
		{"https", "[2001:DB8::1]:443", "https://[2001:db8::1]"},
		{"https", "example.com:", ""},
		{"https", "example.com:0443", ""},
		{"https", "example.com/", ""},
		{"https", "example.com/x", ""},
		{"https", "a@example.com", ""},
		{"https", "[2001:db8:0::1]", ""},
		{"https", "2001:db8::1", ""},
		{"https", "*.example.com", ""},
		{"https", "", ""},
		{"https", ":443", ""},
		{"https", "example.com,evil.test", ""},
		{"https", strings.Repeat("a.", 126) + "a:65535", "https://" + strings.Repeat("a.", 126) + "a:65535"},
		{"https", strings.Repeat("a.", 127) + "a", ""},
	} {
		got, ok := origin.At(tc.scheme, tc.host)
		if ok != (tc.want != "") || ok && got != tc.want {
			t.Errorf("At(%q, %q) = %q, %t; want %q", tc.scheme, tc.host, got, ok, tc.want)
		}
	}
}

func TestOfURL(t *testing.T) {
	for address, want := range map[string]string{
		"https://example.com/a?b=https://evil.test#c": "https://example.com",
		"https://example.com":                         "https://example.com",
		"https://example.com:443?x":                   "https://example.com",
		"https://user:pass@example.com/":              "https://example.com",
		"https://example.com@evil.test/":              "https://evil.test",
		`https://evil.test\@example.com/`:             "https://evil.test",
		"android-app://com.example.App/":              "android-app://com.example.App",
		"about:blank":                                 "://",
		"https:/example.com":                          "",
		"HTTP:example.com":                            "",
		"https://":                                    "",
		"https://bücher.example/":                     "",
		"https://" + strings.Repeat("a", 1<<20) + "/": "",
		"":                "",
		"/path":           "",
		"//example.com/":  "",
		"example.com":     "",
		"ü://example.com": "",
	} {
		o, ok := origin.OfURL(address)
		if ok != (want != "") || ok && o.String() != want {
			t.Errorf("OfURL(%.60q) = %v, %t; want %q", address, o, ok, want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "app.localhost": true, "a.b.localhost": true,
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "[::1]": true,
		"": false, "localhost.example.com": false, "mylocalhost": false, "0.0.0.0": false, "10.0.0.1": false, "192.168.1.1": false,
		"[::2]": false, "[2001:db8::1]": false, "127.1": false, "127.0.0.1.example": false, "[": false, "[]": false,
	} {
		if got := origin.Loopback(host); got != want {
			t.Errorf("Loopback(%q) = %t, want %t", host, got, want)
		}
	}
}

func TestLoopbackAt(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "LocalHost:3000": true, "a.LOCALHOST": true, "a.localhost:80": true, "localhost:": true,
		"127.0.0.1": true, "127.0.0.1:3000": true, "[::1]": true, "[::1]:3000": true, "[::FFFF:127.0.0.1]:80": true,
		"": false, "example.com": false, "example.net": false, "EXAMPLE.NET": false, "example.com:3000": false, "localhost.example": false,
		"mylocalhost": false, "10.0.0.1:80": false, "[::2]:80": false, "localhost:3000.example": false,
	} {
		if got := origin.LoopbackAt(host); got != want {
			t.Errorf("LoopbackAt(%q) = %t, want %t", host, got, want)
		}
	}
}

// A parsed origin is in normal form, and parsing it again does not change it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"https://Example.com:443/", "http://[::1]:080", "https://xn--bcher-kva.example", "tauri://localhost", "https://a.b.", "https://xn--a", "https://1.2.3.4", "safari-web-extension://AB-c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := origin.Parse(s)
		if err != nil {
			return
		}
		if !origin.Normal(o.String()) {
			t.Fatalf("Parse(%q) = %q, which is not in normal form", s, o)
		}
		if strings.ContainsAny(o.String(), " \t\r\n?#@\\*,%") {
			t.Fatalf("Parse(%q) = %q, want no white space and none of ?#@\\*,%%", s, o)
		}
		if of, ok := origin.OfURL(o.String() + "/path?x"); !ok || of != o {
			t.Fatalf("OfURL of a page at %q = %q, %t, want the same and true", o, of, ok)
		}
	})
}
