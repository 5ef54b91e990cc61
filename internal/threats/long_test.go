package threats_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// longInput is a request with one part that a stranger can make as long as they like.
type longInput struct {
	name    string
	make    func(n int) wire // n is about how long that part is, in bytes
	refused bool             // net/http may refuse it in every version of HTTP
}

// unit is what a long part is made of.
type unit struct{ name, text string }

// of returns about n bytes of u. Without a text it is letters that repeat as late as possible:
// searching for each of them takes longest.
func (u unit) of(n int) string {
	if u.text != "" {
		return strings.Repeat(u.text, max(1, n/len(u.text)))
	}
	var s strings.Builder
	for i := 0; s.Len() < n; i++ {
		s.WriteRune(rune(0x4e00 + i%20000))
	}
	return s.String()
}

var longHosts = []unit{
	{"letters", "a"},
	{"labels", "a."},
	{"capitals", "A"},
	{"digits", "9"},
	{"punycode", "xn--a."},
	{"one punycode label", "xn--a"},
	{"colons", ":"},
	{"umlauts", "ü"},
	{"labels of umlauts", "ü."},
	{"different letters", ""},
	{"decomposed", "u\u0308"},
	{"full width", "ｅ"},
	{"dotted I", "İ"},
	{"bad UTF-8", "\xff"},
	{"percent signs", "%41"},
	{"stars", "*"},
	{"commas", ","},
	{"brackets", "["},
	{"at signs", "a@"},
}

var longQueries = []unit{
	{"pairs", "a=b&"},
	{"ampersands", "&"},
	{"equals signs", "="},
	{"percent signs", "%41"},
	{"bare percent signs", "%"},
	{"plus signs", "+"},
	{"tildes", "~*"},
	{"encoded names", "%61=%62&"},
	{"nearly ours", "__clerk_s%79nced%5F=%62&"},
	{"synced", "__clerk_synced=true&"},
	{"not synced", "__clerk_synced=false&"},
	{"developer's browsers", "__clerk_db_jwt=x&"},
	{"handshakes", "__clerk_handshake=a.b.c&"},
	{"nonces", "__clerk_handshake_nonce=abcdefgh&"},
	{"Clerk's", "__clerk_status=x&"},
}

const signedIn = "__session=$GOOD; __client_uat=1; __clerk_db_jwt=x"

// pageWith is a browser's request for a page, with a __client_uat cookie.
func pageWith(target string, fields ...[2]string) wire {
	w := wire{method: http.MethodGet, target: target, authority: "example.com", fields: fields}
	for _, usual := range [][2]string{{"Accept", "text/html"}, {"Sec-Fetch-Dest", "document"}, {"Cookie", "__client_uat=1; __clerk_db_jwt=x"}} {
		if !slices.ContainsFunc(fields, func(f [2]string) bool { return f[0] == usual[0] }) {
			w.fields = append(w.fields, usual)
		}
	}
	return w
}

// write is a write by somebody signed in.
func write(fields ...[2]string) wire {
	return wire{method: http.MethodPost, target: "/", authority: "example.com", fields: append(fields, [2]string{"Cookie", signedIn})}
}

func longInputs() []longInput {
	return slices.Concat(longAuthorities(), longParameters(), longCookies(), longFields(), longPaths())
}

func longAuthorities() []longInput {
	var all []longInput
	for _, u := range longHosts {
		all = append(all,
			longInput{"authority of " + u.name, func(n int) wire {
				w := pageWith("/")
				w.authority = u.of(n)
				return w
			}, strings.Contains("@[,%\xff*:", u.text[max(0, len(u.text)-1):])},
			longInput{"X-Forwarded-Host of " + u.name, func(n int) wire { return pageWith("/", [2]string{"X-Forwarded-Host", u.of(n)}) }, false},
			longInput{"Referer from a host of " + u.name, func(n int) wire {
				return pageWith("/", [2]string{"Referer", "https://" + u.of(n) + "/"}, [2]string{"Cookie", signedIn})
			}, false},
			longInput{"Origin of " + u.name, func(n int) wire { return write([2]string{"Origin", "https://" + u.of(n)}) }, false},
			longInput{"satellite at a host of " + u.name, func(n int) wire {
				return pageWith("/?__clerk_redirect_url=https://" + strings.ReplaceAll(u.of(n), "%", "%25"))
			}, false},
		)
	}
	return all
}

func longParameters() []longInput {
	var all []longInput
	for _, u := range longQueries {
		all = append(all,
			longInput{"query of " + u.name, func(n int) wire { return pageWith("/?" + u.of(n)) }, false},
			longInput{"satellite with a query of " + u.name, func(n int) wire {
				return pageWith("/?__clerk_redirect_url=https://example.com/%3F" + strings.NewReplacer("%", "%25", "&", "%26", "+", "%2B").Replace(u.of(n)))
			}, false},
			longInput{"Referer with a query of " + u.name, func(n int) wire {
				return pageWith("/", [2]string{"Referer", "https://example.com/?" + u.of(n)}, [2]string{"Cookie", signedIn})
			}, false},
		)
	}
	return all
}

func longCookies() []longInput {
	var all []longInput
	add := func(name string, cookies func(n int) string) {
		all = append(all, longInput{"Cookie: " + name, func(n int) wire { return pageWith("/", [2]string{"Cookie", cookies(n)}) }, false})
	}
	for _, name := range []string{"__session", "__client_uat", "__clerk_db_jwt", "__clerk_handshake", "__clerk_handshake_nonce", "__clerk_redirect_count", "__refresh_$SUFFIX", "__Host-clerkauth_party_AAAAAAAA", "__Host-clerkauth_handshake", "other"} {
		for _, u := range []unit{{"percent signs", "%41"}, {"bare percent signs", "%"}, {"digits", "9"}, {"dots", "a."}, {"quotes", `"`}} {
			add(name+" of "+u.name, func(n int) string { return "__session=$OLD; __client_uat=1; __clerk_db_jwt=x; " + name + "=" + u.of(n) })
		}
	}
	for _, u := range []unit{
		{"sessions", "__session=a.b.c; "},
		{"escaped sessions", "__session=x%41; "},
		{"forgeries", "__session=$FORGED; "},
		{"__client_uat", "__client_uat=%31; "},
		{"handshakes", "__clerk_handshake=%41; "},
		{"counts", "__clerk_redirect_count=%31; "},
		{"others", "a=b; "},
		{"semicolons", ";"},
		{"blanks", " \t"},
		{"equals signs", "="},
		{"bad UTF-8", "\xff"},
		{"party cookies", "__Host-clerkauth_party_AAAAAAAA=v2.9.x; "},
		{"counts of ours", "__Host-clerkauth_handshake=AAAAAAAAAAAA.1.9; "},
	} {
		add("many "+u.name, func(n int) string { return "__client_uat=1; x=" + u.of(n) })
		add("many "+u.name+" beside a session", func(n int) string { return signedIn + "; " + u.of(n) })
	}
	for _, format := range []string{"__session_%d=a.b.c; ", "__session=a.%d.c; ", "__client_uat=1%d; "} {
		add("different "+format, func(n int) string {
			var s strings.Builder
			for i := 0; s.Len() < n; i++ {
				fmt.Fprintf(&s, format, i)
			}
			return "__client_uat=1; " + s.String()
		})
	}
	return all
}

func longFields() []longInput {
	var all []longInput
	for _, u := range []unit{{"letters", "x"}, {"dots", "a."}, {"blanks", " "}, {"schemes", "Bearer "}, {"percent signs", "%41"}} {
		for _, scheme := range []string{"Bearer ", "Basic ", ""} {
			all = append(all, longInput{"Authorization: " + scheme + "and " + u.name, func(n int) wire {
				return pageWith("/", [2]string{"Authorization", scheme + u.of(n)})
			}, false})
		}
	}
	for _, u := range []unit{{"commas", ","}, {"types", "text/html,"}, {"capitals", "TEXT/HTML"}, {"semicolons", ";"}, {"weights", ";q=0.1"}, {"digits", "9"}, {"blanks", " "}} {
		all = append(all,
			longInput{"Accept of " + u.name, func(n int) wire { return pageWith("/", [2]string{"Accept", "text/html;q=0." + u.of(n)}) }, false},
			longInput{"Accept, of a script, of " + u.name, func(n int) wire {
				return wire{method: http.MethodPost, target: "/", authority: "example.com", fields: [][2]string{{"Accept", "a/" + u.of(n/2) + ",text/html;q=0." + u.of(n/2)}}}
			}, false},
		)
	}
	for _, name := range []string{"Sec-Fetch-Dest", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Purpose", "X-Forwarded-Proto", "Sec-Websocket-Key", "Origin", "Referer"} {
		for _, u := range []unit{{"letters", "x"}, {"commas", ","}, {"URLs", "https://"}} {
			all = append(all,
				longInput{name + " of a page, of " + u.name, func(n int) wire { return pageWith("/", [2]string{name, u.of(n)}) }, false},
				longInput{name + " of a write, of " + u.name, func(n int) wire { return write([2]string{name, u.of(n)}) }, false},
			)
		}
	}
	for _, u := range []unit{{"commas", ","}, {"protocols", "websocket/,"}, {"slashes", "/"}, {"blanks", " \t"}} {
		all = append(all, longInput{"Upgrade of " + u.name, func(n int) wire {
			return wire{method: http.MethodGet, target: "/", authority: "example.com", fields: [][2]string{{"Upgrade", "x" + u.of(n) + "x"}, {"Cookie", signedIn}}}
		}, false})
	}
	return all
}

func longPaths() []longInput {
	var all []longInput
	for _, u := range []unit{{"segments", "/a"}, {"slashes", "/"}, {"dots", "/%2e%2e"}, {"percent signs", "%41"}, {"backslashes", `\`}, {"letters", "a"}, {"colons", ":"}} {
		for _, prefix := range []string{"/", "/orgs/", "/me/"} {
			all = append(all, longInput{"path " + prefix + " and " + u.name, func(n int) wire { return pageWith(prefix + u.of(n)) }, false})
		}
	}
	return all
}

// size is the length in bytes of the parts that vary.
func (w wire) size() int {
	n := len(w.target) + len(w.authority)
	for _, f := range w.fields {
		n += len(f[1])
	}
	return n
}
