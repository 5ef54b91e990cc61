package origin_test

import (
	"testing"

	"github.com/clerkauth/clerkauth/internal/origin"
)

func TestMeant(t *testing.T) {
	for entry, want := range map[string]string{
		"example.com":               "https://example.com",
		"Example.COM:8443":          "https://Example.COM:8443",
		"example.com/app":           "https://example.com",
		"https://example.com/app?x": "https://example.com",
		"HTTP://example.com#x":      "HTTP://example.com",
		"//example.com":             "https://example.com",
		"https:example.com":         "https://example.com",
		"http//example.com":         "http://example.com",
		"*.example.com":             "https://*.example.com",
		"localhost":                 "http://localhost",
		"LOCALHOST:3000":            "http://LOCALHOST:3000",
		"app.localhost:3000/x":      "http://app.localhost:3000",
		"127.0.0.1:3000":            "http://127.0.0.1:3000",
		"[::1]:3000":                "http://[::1]:3000",
		"https://localhost:3000/x":  "https://localhost:3000",
		"192.168.1.2:3000":          "https://192.168.1.2:3000",

		"":                              "",
		"null":                          "",
		"example":                       "",
		"example.":                      "",
		":3000":                         "",
		"::1":                           "",
		".example.com":                  "",
		"example.com:0":                 "",
		"*":                             "",
		"*.*.example.com":               "",
		"bücher.example":                "",
		"exa mple.com":                  "",
		"tauri://localhost/x":           "",
		"user:pass@example.com":         "",
		"https://user:pass@example.com": "",
		"https://u.v:12345/p@w.example": "",
		"sk_live_abcdefghijkl":          "",
	} {
		got, ok := origin.Meant(entry)
		if ok != (want != "") || ok && got != want {
			t.Errorf("Meant(%q) = %q, %t; want %q", entry, got, ok, want)
		}
		if ok {
			if _, err := origin.ParsePattern(got); err != nil {
				t.Errorf("Meant(%q) = %q: %v", entry, got, err)
			}
		}
	}
}
