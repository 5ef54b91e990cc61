package inbound_test

import (
	"strings"
	"testing"

	"github.com/clerkauth/clerkauth/internal/inbound"
)

// A parameter is found however its name is escaped, and under no other name.
func TestFirst(t *testing.T) {
	const name = "__clerk_db_jwt"
	for query, want := range map[string]string{
		name + "=a":                   "a",
		"x=1&" + name + "=a&x=2":      "a",
		name + "=a&" + name + "=b":    "a",
		"%5f%5Fclerk%5Fdb_%6Awt=a%20": "a ",
		"%5F_clerk_db_jw%74":          "",
	} {
		if got, ok := inbound.First(query, name); !ok || got != want {
			t.Errorf("%s: got %q, %v, want %q", query, got, ok, want)
		}
	}
	for _, query := range []string{
		"", "&", "=", "x=" + name, name + "x=a", "__clerk_db_jw=a", "__CLERK_DB_JWT=a",
		"%41_clerk_db_jwt=a", "05F_clerk_db_jwt=a", "_%60clerk_db_jwt=a", "%5G_clerk_db_jwt=a", "%G5_clerk_db_jwt=a", "%5_clerk_db_jwt=a", "%", "__clerk_db_jw%7", "+_clerk_db_jwt=a",
	} {
		if got, ok := inbound.First(query, name); ok {
			t.Errorf("%s: got %q, want none", query, got)
		}
	}
	if got, ok := inbound.First("__clerk_hel%6G=a", "__clerk_help"); ok {
		t.Errorf("an escape that is none: got %q, want none", got)
	}
}

// A query that is much longer than any that a browser is sent back to is not read.
func TestFirstOfALongQuery(t *testing.T) {
	room := strings.Repeat("&", inbound.MaxQuery-len("a=b"))
	for query, want := range map[string]bool{room + "a=b": true, "a=b&" + room: false} {
		if got, ok := inbound.First(query, "a"); ok != want {
			t.Errorf("First(a query of %d bytes) = %q, %t, want %t", len(query), got, ok, want)
		}
	}
}

// A cookie without = has a value and no name (RFC 6265bis section 5.6).
func TestCookieWithoutAName(t *testing.T) {
	f := read(t, live, "/", "Cookie: __client_uat; __client_uat=5; __clerk_handshake_nonce; __clerk_handshake_nonce=n; __session", "Sec-Fetch-Dest: document")
	if f.SignedInAt(inbound.Plain) != 5 || f.Answer.Nonce.Only() != "n" || len(f.SessionCookies()) != 0 {
		t.Errorf("got __client_uat %v, nonce %+v, session cookies %q, want 5, n and none", f.UAT, f.Answer.Nonce, f.SessionCookies())
	}
	withoutSuffix := inbound.Settings{Names: inbound.NewNames("")}
	if f := read(t, withoutSuffix, "/", "Cookie: ="+session('a')); len(f.SessionCookies()) != 0 {
		t.Errorf("a value without a name is read as a session cookie: %.60q", f.SessionCookies())
	}
}
