package origin_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/origin"
)

func list(t testing.TB, entries ...string) *origin.List {
	t.Helper()
	var l origin.List
	for _, entry := range entries {
		o, err := origin.ParsePattern(entry)
		if err != nil {
			t.Fatal(err)
		}
		l.Add(o)
	}
	return &l
}

func TestListMatch(t *testing.T) {
	l := list(t,
		"https://example.com", "https://*.preview.example.com", "https://pr-*-web.example.com:8443", "http://localhost:3000",
		"https://[2001:db8::1]", "chrome-extension://abcdef", "https://xn--bcher-kva.example", "https://dot.example.com.",
		"safari-web-extension://9C1F2A3B")
	for o, want := range map[string]bool{
		"https://example.com":               true,
		"https://a.preview.example.com":     true,
		"https://a-1.preview.example.com":   true,
		"https://pr-7-web.example.com:8443": true,
		"http://localhost:3000":             true,
		"https://[2001:db8::1]":             true,
		"chrome-extension://abcdef":         true,
		"https://xn--bcher-kva.example":     true,
		"https://dot.example.com.":          true,
		"safari-web-extension://9C1F2A3B":   true,

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
		"safari-web-extension://9c1f2a3b":         false,
	} {
		if got := l.Match(o); got != want {
			t.Errorf("Match(%q) = %t, want %t", o, got, want)
		}
	}
	var none origin.List
	if none.Match("") || none.Match("https://example.com") {
		t.Error("the zero List matches something")
	}
}

// The origin of a request that is found in the list is the list's own string, and without a * nothing is allocated.
func TestListAt(t *testing.T) {
	l := list(t, "https://example.com", "http://localhost:3000", "https://*.example.com", "https://[2001:db8::1]:8443", "app://example.com")
	for _, tc := range []struct{ scheme, host, want string }{
		{"https", "example.com", "https://example.com"},
		{"https", "Example.COM:443", "https://example.com"},
		{"http", "LOCALHOST:3000", "http://localhost:3000"},
		{"https", "A.example.com:443", "https://a.example.com"},
		{"https", "[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"},
		{"http", "example.com", ""},
		{"http", "/example.com", ""}, // as the first of them ends
		{"https", "example.com:80", ""},
		{"https", "example.com.", ""},
		{"https", "localhost:3000", ""},
		{"https", "a.b.example.com", ""},
		{"https", ".example.com", ""},
		{"https", "*.example.com", ""},
		{"https", "", ""},
		{"https", strings.Repeat("a", 63) + ".example.com", "https://" + strings.Repeat("a", 63) + ".example.com"},
		{"https", strings.Repeat("a", 64) + ".example.com", ""},
		{"https", strings.Repeat("a", 300) + ".example.com", ""},
	} {
		got, ok := l.At(tc.scheme, tc.host)
		if ok != (tc.want != "") || ok && got != tc.want {
			t.Errorf("At(%q, %q) = %q, %t; want %q", tc.scheme, tc.host, got, ok, tc.want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { l.At("https", "EXAMPLE.com:443") }); n > 0 {
		t.Errorf("finding a listed origin allocates %v times, want 0", n)
	}
	long := "https://" + strings.Repeat("a", 1<<20)
	if n := testing.AllocsPerRun(10, func() {
		l.At("https", long)
		l.Match(long)
		origin.At("https", long)
		origin.OfURL(long)
	}); n > 0 {
		t.Errorf("a host of a megabyte allocates %v times, want 0", n)
	}
}

// Every match is in normal form, is below the listed host, and adds one label only.
func FuzzListMatch(f *testing.F) {
	l := list(f, "https://example.com", "https://*.preview.example.com", "https://pr-*.example.com:8443")
	for _, seed := range []string{
		"https://example.com", "https://a.preview.example.com", "https://pr-7.example.com:8443", "https://a.b.preview.example.com",
		"https://evil.test#.preview.example.com", "https://A.preview.example.com", "https://.preview.example.com", "null", "https://pr-.example.com:8443",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !l.Match(s) {
			return
		}
		o, err := origin.Parse(s)
		if err != nil || o.String() != s {
			t.Fatalf("Match(%q), which is not in normal form: %v, %v", s, o, err)
		}
		if at, ok := l.At(o.Scheme, strings.TrimPrefix(s, o.Scheme+"://")); !ok || at != s {
			t.Fatalf("Match(%q) is true, and At says %q, %t, want the same origin and true", s, at, ok)
		}
		label, parent, _ := strings.Cut(o.Host, ".")
		switch {
		case s == "https://example.com":
		case o.Scheme == "https" && o.Port == "" && parent == "preview.example.com" && label != "":
		case o.Scheme == "https" && o.Port == "8443" && parent == "example.com" && strings.HasPrefix(label, "pr-") && label != "pr-":
		default:
			t.Fatalf("Match(%q), which the list does not name", s)
		}
	})
}

// Short lists are searched in another way than long ones.
func TestListsOfEveryLength(t *testing.T) {
	var l origin.List
	for n := range 20 {
		name := fmt.Sprintf("app%d.example.com", n)
		if l.Match("https://"+name) || l.Len() != n {
			t.Errorf("%d origins: got the length %d, the next one matches: %t, want %d and false", n, l.Len(), l.Match("https://"+name), n)
		}
		for range 2 {
			l.Add(origin.Origin{Scheme: "https", Host: name})
		}
		for i := range n + 1 {
			host := fmt.Sprintf("app%d.example.com", i)
			if at, ok := l.At("https", host); !l.Match("https://"+host) || !ok || at != "https://"+host || l.Match("http://"+host) {
				t.Errorf("%d origins: At says %q, %t, want %q, true, and a match with https alone", n+1, at, ok, "https://"+host)
			}
			if made := testing.AllocsPerRun(10, func() { l.At("https", host); l.Match("https://app1.example.com") }); made > 0 {
				t.Errorf("%d origins: got %v allocations, want none", n+1, made)
			}
		}
	}
}

// Adding an origin costs the same however many are listed: a list of ten thousand must not delay the start of a program.
func TestAddCostsTheSameInLongLists(t *testing.T) {
	var origins []origin.Origin
	for n := range 10_000 {
		o, err := origin.Parse(fmt.Sprintf("https://customer%d.example.com", n))
		if err != nil {
			t.Fatal(err)
		}
		origins = append(origins, o)
	}
	each := func(origins []origin.Origin) float64 {
		return testing.AllocsPerRun(1, func() {
			var l origin.List
			for _, o := range origins {
				l.Add(o)
			}
		}) / float64(len(origins))
	}
	if short, long := each(origins[:100]), each(origins); long > 2*short {
		t.Errorf("Add allocates %.1f times for each of 10,000 origins, and %.1f times for each of 100, want no more", long, short)
	}
}
